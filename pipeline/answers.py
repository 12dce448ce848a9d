"""The measured answer for each setting that the line runs in: evidence, as a reader asks for it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from investigation.claims import rules_runtimes
from investigation.claims.rules import kib, percent
from investigation.claims.rules_runtimes import COSTS, PLACEMENT
from investigation.evidence.records import Evidence, Findings, Record
from investigation.gpu import record as gpu_record

# The rule of the first table, which `decided` follows. It stands on the page.
RULE = (
    "*Yes* where the line writes memory that the plain product does not, or where a whole step "
    "is slower with it. *Where the call counts* if the whole step is not slower and a part of it "
    "is. *No need* if nothing is slower. *Cannot tell* if the interval of a whole step leaves it "
    "open. A part is judged at the confidence of its family, because there are many; a program of "
    f"a runtime counts from {100 * PLACEMENT:g} % on, by which two copies of one can differ."
)
YES, PART, NO, OPEN = "yes", "where the call counts", "no need", "cannot tell"
NOT_MEASURED = "not measured here"
HOST = "the host network"
ONE_DTYPE, TWO_DTYPES = "PyTorch eager, one dtype", "PyTorch eager, two dtypes"
CPU, GPU = "a CPU", "a GPU"


@dataclass(frozen=True)
class Setting:
    """A setting that the line runs in, and where its evidence is.

    `wholes` and `parts` map the beginnings of record ids to what those records time: a whole
    step of a network, or a part of one. `memory` are the records of the bytes that the line asks
    for beside its output, as it stands and as proposed; `written` is the record of the bytes
    that a program writes more. `same` are records that count the cases in which both forms
    become the same program. `chapter` measures it, on `device`.
    """

    name: str
    chapter: str
    device: str = CPU
    wholes: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    memory: tuple[str, str] | None = None
    written: str | None = None
    same: Mapping[str, str] = field(default_factory=dict)


PYTORCH = (
    Setting(
        ONE_DTYPE,
        "04_eager_cost",
        wholes={"timing.network": "a forward step of the host network"},
        parts={
            "timing.replicated": "the multiply, in several processes",
            "timing.multiply": "the multiply",
            "timing.block": "the SE block",
            "timing.sweep": "the multiply, over sizes",
            f"{COSTS}.eager": "the SE block, beside the runtimes",
        },
        memory=("allocation.extra.same_dtype.expand_as", "allocation.extra.same_dtype.broadcast"),
    ),
    Setting(
        TWO_DTYPES,
        "04_eager_cost",
        parts={"timing.mixed": "the multiply"},
        memory=("allocation.extra.mixed_dtype.expand_as", "allocation.extra.mixed_dtype.broadcast"),
    ),
    Setting(
        "training",
        "05_training",
        wholes={"timing.training": "a training step of the host network"},
        parts={"timing.scale_step": "the multiply, forward and backward"},
    ),
    Setting(
        "torch.compile",
        "06_compiled",
        parts={
            "timing.compiled": "what is compiled",
            f"{COSTS}.compile": "the SE block, beside the runtimes",
        },
        same={"codegen.same_kernels.cpu": "the same kernels"},
    ),
)
NO_GPU = Setting(ONE_DTYPE, "07_gpu", GPU)
EXPORTED = Setting("exported runtimes", "08_runtimes")


def settings(findings: Findings) -> tuple[Setting, ...]:
    """Return every setting: PyTorch's own, on each GPU measured, and each exported runtime."""
    exported = tuple(_exported(one) for one in rules_runtimes.exported(findings))
    gpus = tuple(
        setting
        for slug, records in gpu_record.machines(findings).items()
        for setting in _on_gpu(slug, str(records[gpu_record.DEVICE].value))
    )
    return (*PYTORCH, *(gpus or (NO_GPU,)), *(exported or (EXPORTED,)))


def _exported(written: Record) -> Setting:
    return Setting(
        str(written.details["runtime"]),
        EXPORTED.chapter,
        parts={f"{COSTS}.{written.id.rpartition('.')[2]}": "the SE block"},
        written=written.id,
    )


def _on_gpu(slug: str, name: str) -> tuple[Setting, Setting]:
    """Return the settings of one GPU; its records carry its name in front."""
    here = f"on.{slug}"
    quantities = {
        "end_to_end": "from start to finish",
        "device": "the device's work",
        "host": "the host's part",
    }

    def timed(level: str, words: str) -> dict[str, str]:
        return {f"{here}.{key}.{level}": f"{words}, {what}" for key, what in quantities.items()}

    def memory(dtypes: str) -> tuple[str, str]:
        asked = f"{here}.allocation.{dtypes}"
        return f"{asked}.expand_as", f"{asked}.broadcast"

    step = {f"{here}.end_to_end.network": "a forward step of the host network"}
    parts = timed("multiply", "the multiply") | timed("block", "the SE block")
    return (
        Setting(ONE_DTYPE, NO_GPU.chapter, name, step, parts, memory=memory("same_dtype")),
        Setting(
            TWO_DTYPES,
            NO_GPU.chapter,
            name,
            parts=timed("mixed", "the multiply"),
            memory=memory("mixed_dtype"),
        ),
    )


@dataclass(frozen=True)
class Answer:
    """One comparison of the two forms: where it ran, what was timed, and what came out."""

    setting: Setting
    timed: str
    whole: bool
    record: Record

    @property
    def size(self) -> str:
        """The input's shape, or the name of the network."""
        case = self.record.case
        return "×".join(map(str, case.shape)) if case else HOST

    @property
    def dtypes(self) -> str:
        """The dtypes of input and gate where they are not both `float32`, else nothing."""
        case = self.record.case
        if case is None or {case.dtype, case.gate_dtype or case.dtype} == {"float32"}:
            return ""
        return f"{case.dtype} × {case.gate_dtype or case.dtype}"

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
        if self.record.id.startswith(f"{COSTS}."):
            return bool(rules_runtimes.slower([self.record]))  # and by more than by placement
        alone = self.record.verdict
        judged = alone if self.whole else self.record.details.get("verdict_in_family", alone)
        return judged == "slower"


def answers(evidences: Iterable[Evidence]) -> list[Answer]:
    """Return every comparison of the two forms, in the order of the settings."""
    runs = tuple(evidences)
    return [
        Answer(setting, timed, whole, record)
        for setting in settings(Findings(runs))
        for whole, prefixes in ((True, setting.wholes), (False, setting.parts))
        for prefix, timed in prefixes.items()
        for run in runs
        for record in run.records
        if record.id.startswith(f"{prefix}.") and record.interval and not record.is_control
    ]


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
        decided(setting, findings, [one for one in known if one.setting == setting])
        for setting in settings(findings)
    ]


def decided(setting: Setting, findings: Findings, found: list[Answer]) -> Decision:
    """Apply the rule to one setting's comparisons and memory."""
    memory = _memory_words(setting, findings)
    words = [*memory, *_same_words(setting, findings), *_time_words(found)]
    if not words:
        return Decision(setting, NOT_MEASURED, _unmeasured(setting))
    return Decision(setting, _change(bool(memory), found), "; ".join(words))


def _unmeasured(setting: Setting) -> str:
    if setting.device == GPU:
        return "no GPU was measured yet: `make gpu record` on a machine that has one adds it"
    return f"`{setting.chapter}` has not run here"


def _change(writes: bool, found: list[Answer]) -> str:
    wholes = [one for one in found if one.whole]
    if writes or any(one.slower for one in wholes):
        return YES
    if any(one.record.verdict == "inconclusive" for one in wholes):
        return OPEN
    return PART if any(one.slower for one in found) else NO


def _memory_words(setting: Setting, findings: Findings) -> list[str]:
    """Say what the line writes that the plain product does not; nothing where it writes no more."""
    if setting.written is not None and findings[setting.written].value:
        return [f"{kib(float(findings[setting.written].value))} more written"]
    if setting.memory is None or any(key not in findings for key in setting.memory):
        return []
    with_it, without = (float(findings[key].value) for key in setting.memory)
    return [f"{kib(with_it)} beside the output against {kib(without)}"] * (with_it > without)


def _same_words(setting: Setting, findings: Findings) -> list[str]:
    counted = [(words, findings[key]) for key, words in setting.same.items() if key in findings]
    return [f"{words} in {one.value} of {one.details['tried']} cases" for words, one in counted]


def _time_words(found: list[Answer]) -> list[str]:
    wholes = [f"{one.timed}, {one.memory_format}: {one.change}" for one in found if one.whole]
    parts = [one for one in found if not one.whole]
    if not parts:
        return wholes
    dearest = max(parts, key=lambda one: float(one.record.value))
    slower = sum(one.slower for one in parts)
    return [
        *wholes,
        f"{slower} of {len(parts)} comparisons of a part slower, the dearest {dearest.timed} at "
        f"{dearest.size}: {dearest.change}",
    ]


def choices(
    evidences: Iterable[Evidence], found: Iterable[Answer], made: Iterable[Decision]
) -> dict[str, object]:
    """Return what a reader can choose among, the usual inputs first, and what each choice says."""
    shaped = {run.notebook for run in evidences if "shape" in run.parameters}
    decided = [
        {
            "name": one.setting.name,
            "device": one.setting.device,
            "change": one.change,
            "command": command(one.setting),
            "shape": one.setting.chapter in shaped and one.setting.device == CPU,
        }
        for one in made
    ]
    sizes = Counter(one.size for one in found)
    return {
        "decisions": decided,
        "settings": list(dict.fromkeys(one["name"] for one in decided)),
        "devices": list(dict.fromkeys(one["device"] for one in decided)),
        "sizes": [size for size, _ in sizes.most_common()],
    }


def command(setting: Setting) -> str:
    """Return what a reader types to measure a setting."""
    return f"make rerun NOTEBOOK={setting.chapter}" if setting.device == CPU else "make gpu"
