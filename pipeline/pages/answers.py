"""The measured answer for each setting that the line runs in: evidence, as a reader asks for it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from investigation.evidence.kinds.timings import PLACEMENT, Timing
from investigation.evidence.questions import Findings
from investigation.evidence.records import Evidence
from investigation.evidence.words import kib, percent
from pipeline.pages.settings import CPU, GPU, Setting, settings

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


@dataclass(frozen=True)
class Answer:
    """One comparison of the two forms: where it ran, what was timed, and what came out.

    `chapter` is the chapter that measured it.
    """

    setting: Setting
    timed: str
    whole: bool
    timing: Timing
    chapter: str

    @property
    def size(self) -> str:
        """The input's shape, or the name of the network."""
        case = self.timing.case
        return "×".join(map(str, case.shape)) if case else HOST

    @property
    def dtypes(self) -> str:
        """The dtypes of input and gate where they are not both `float32`, else nothing."""
        case = self.timing.case
        if case is None or {case.dtype, case.gate_dtype or case.dtype} == {"float32"}:
            return ""
        return f"{case.dtype} × {case.gate_dtype or case.dtype}"

    @property
    def change(self) -> str:
        """What `expand_as` adds to the time, with its interval."""
        return percent(self.timing.ratio, self.timing.interval)

    @property
    def slower(self) -> bool:
        """Whether `expand_as` is slower: one of many parts at the confidence of its family."""
        if self.timing.family is not None:  # a runtime's, and by more than by placement
            return self.timing.slower_beyond_placement
        judged = self.timing.verdict if self.whole else self.timing.family_verdict
        return judged == "slower"


def answers(findings: Findings) -> list[Answer]:
    """Return every comparison of the two forms, in the order of the settings."""
    return [
        Answer(setting, timed, whole, timing, findings.chapter_of(timing))
        for setting in settings(findings)
        for whole, asked in ((True, setting.wholes), (False, setting.parts))
        for timed, question in asked.items()
        for timing in findings.answers(question)
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
    if any(one.timing.verdict == "inconclusive" for one in wholes):
        return OPEN
    return PART if any(one.slower for one in found) else NO


def _memory_words(setting: Setting, findings: Findings) -> list[str]:
    """Tell what the line writes that the plain product does not; nothing if it writes no more."""
    if setting.written is not None:
        more = findings.answer(setting.written).bytes_more
        return [f"{kib(more)} more written"] if more else []
    found = findings.answers(setting.memory) if setting.memory else ()
    asked = {one.form: one.bytes for one in found}
    if not asked or asked["expand_as"] <= asked["broadcast"]:
        return []
    return [f"{kib(asked['expand_as'])} beside the output against {kib(asked['broadcast'])}"]


def _same_words(setting: Setting, findings: Findings) -> list[str]:
    counted = findings.answers(setting.same) if setting.same else ()
    return [f"the same kernels in {one.agreeing} of {one.tried} cases" for one in counted]


def _time_words(found: list[Answer]) -> list[str]:
    wholes = [
        f"{one.timed}, {one.timing.memory_format}: {one.change}" for one in found if one.whole
    ]
    parts = [one for one in found if not one.whole]
    if not parts:
        return wholes
    dearest = max(parts, key=lambda one: one.timing.ratio)
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
