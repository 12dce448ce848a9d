"""The measured answer for each setting that the line runs in: evidence, as a reader asks for it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from investigation.evidence import Evidence, Findings, Record
from investigation.rules import kib, percent

# The rule of the first table, which `Setting.change` follows. It stands on the page.
RULE = (
    "*Yes* where the line writes memory that the plain product does not, or where a whole step "
    "is slower with it. *Where the call counts* if the whole step is not slower and a part of it "
    "is. *No need* if nothing is slower. *Cannot tell* if the interval of a whole step leaves it "
    "open. A part is judged at the confidence of its family, because there are many."
)
YES, PART, NO, OPEN = "yes", "where the call counts", "no need", "cannot tell"
NOT_MEASURED = "not measured here"
HOST = "the host network"
# Offered whether or not anything ran on them, so that what is missing is said and not left out.
ALWAYS_OFFERED = ("cpu", "cuda")


@dataclass(frozen=True)
class Setting:
    """A setting that the line runs in, and where its evidence is.

    `wholes` and `parts` map the beginnings of record ids to what those records time: a whole
    step of a network, or a part of one. `memory` are the records of the bytes that the line
    asks for beside its output, as it stands and as proposed. `chapter` measures it.
    """

    name: str
    chapter: str
    wholes: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    memory: tuple[str, str] | None = None


SETTINGS = (
    Setting(
        "PyTorch eager, one dtype",
        "04_eager_cost",
        wholes={"timing.network": "a forward step of the host network"},
        parts={
            "timing.replicated": "the multiply, in several processes",
            "timing.multiply": "the multiply",
            "timing.block": "the SE block",
            "timing.sweep": "the multiply, over sizes",
        },
        memory=("allocation.extra.same_dtype.expand_as", "allocation.extra.same_dtype.broadcast"),
    ),
    Setting(
        "PyTorch eager, two dtypes",
        "04_eager_cost",
        parts={"timing.mixed": "the multiply, its gate in bfloat16"},
        memory=("allocation.extra.mixed_dtype.expand_as", "allocation.extra.mixed_dtype.broadcast"),
    ),
    Setting(
        "training",
        "05_training",
        wholes={"timing.training": "a training step of the host network"},
        parts={"timing.scale_step": "the multiply, forward and backward"},
    ),
    Setting("torch.compile", "06_compiled"),
    Setting("a GPU", "07_gpu"),
    Setting("ONNX Runtime", "08_runtimes"),
    Setting("OpenVINO", "08_runtimes"),
    Setting("ExecuTorch", "08_runtimes"),
)


@dataclass(frozen=True)
class Answer:
    """One comparison of the two forms: where it ran, what was timed, and what came out."""

    setting: str
    chapter: str
    device: str
    timed: str
    whole: bool
    record: Record

    @property
    def size(self) -> str:
        """The input's shape, or the name of the network."""
        case = self.record.case
        return "×".join(map(str, case.shape)) if case else HOST

    @property
    def memory_format(self) -> str:
        """The input's memory format; a network's is the last word of its record's id."""
        case = self.record.case
        return case.memory_format if case else self.record.id.rpartition(".")[2]

    @property
    def change(self) -> str:
        """What `expand_as` adds to the time, with its interval."""
        return percent(self.record)

    @property
    def slower(self) -> bool:
        """Whether `expand_as` is slower: one of many parts at the confidence of its family."""
        alone = self.record.verdict
        judged = alone if self.whole else self.record.details.get("verdict_in_family", alone)
        return bool(judged == "slower")


def answers(evidences: Iterable[Evidence]) -> list[Answer]:
    """Return every comparison of the two forms, in the order of the settings."""
    runs = tuple(evidences)
    return [
        Answer(setting.name, run.notebook, device(run), timed, whole, record)
        for setting in SETTINGS
        for whole, prefixes in ((True, setting.wholes), (False, setting.parts))
        for prefix, timed in prefixes.items()
        for run in runs
        for record in run.records
        if record.id.startswith(f"{prefix}.") and record.interval and not record.is_control
    ]


def device(run: Evidence) -> str:
    """Return the device that a run was made on, `cpu` unless its parameters say otherwise."""
    return str(run.parameters.get("device", "cpu"))


@dataclass(frozen=True)
class Decision:
    """Whether to change the line in a setting, and what was measured there."""

    setting: Setting
    change: str
    measured: str


def decisions(findings: Findings, found: Iterable[Answer]) -> list[Decision]:
    """Return the decision in each setting, by the rule that stands on the page."""
    known = list(found)
    return [
        decided(setting, findings, [one for one in known if one.setting == setting.name])
        for setting in SETTINGS
    ]


def decided(setting: Setting, findings: Findings, found: list[Answer]) -> Decision:
    """Apply the rule to one setting's comparisons and memory."""
    memory = _memory(setting, findings)
    words = [*_memory_words(memory), *_time_words(found)]
    if not words:
        return Decision(setting, NOT_MEASURED, f"no chapter `{setting.chapter}` ran here")
    return Decision(setting, _change(memory, found), "; ".join(words))


def _change(memory: tuple[float, float] | None, found: list[Answer]) -> str:
    wholes = [one for one in found if one.whole]
    if (memory and memory[0] > memory[1]) or any(one.slower for one in wholes):
        return YES
    if any(one.record.verdict == "inconclusive" for one in wholes):
        return OPEN
    return PART if any(one.slower for one in found) else NO


def _memory(setting: Setting, findings: Findings) -> tuple[float, float] | None:
    if setting.memory is None or any(key not in findings for key in setting.memory):
        return None
    with_it, without = (float(findings[key].value) for key in setting.memory)
    return with_it, without


def _memory_words(memory: tuple[float, float] | None) -> list[str]:
    if memory is None or memory[0] <= memory[1]:
        return []
    return [f"{kib(memory[0])} beside the output against {kib(memory[1])}"]


def _time_words(found: list[Answer]) -> list[str]:
    wholes = [f"{one.timed}, {one.memory_format}: {one.change}" for one in found if one.whole]
    parts = [one for one in found if not one.whole]
    if not parts:
        return wholes
    dearest = max(parts, key=lambda one: float(one.record.value))
    slower = sum(one.slower for one in parts)
    return [
        *wholes,
        f"of {len(parts)} comparisons of a part, {slower} slower; the dearest: {dearest.timed} "
        f"at {dearest.size}, {dearest.change}",
    ]


def choices(found: Iterable[Answer], made: Iterable[Decision]) -> dict[str, object]:
    """Return what a reader can choose among: settings, devices and inputs, the usual ones first."""
    known = list(found)
    settings = [
        {
            "name": one.setting.name,
            "change": one.change,
            "command": f"make rerun NOTEBOOK={one.setting.chapter}",
        }
        for one in made
    ]
    return {
        "settings": settings,
        "devices": list(dict.fromkeys((*ALWAYS_OFFERED, *(one.device for one in known)))),
        "sizes": [size for size, _ in Counter(one.size for one in known).most_common()],
    }
