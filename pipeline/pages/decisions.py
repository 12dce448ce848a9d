"""Whether to change the line in each setting, by the sizes at which it was timed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from investigation.display.outcomes import EXTREMES, counted
from investigation.evidence.observation import Observation
from investigation.evidence.questions import Findings
from investigation.evidence.words import OUTCOMES, kib
from pipeline.pages.answers import Answer, by_ratio
from pipeline.pages.settings import GPU, Setting, settings

CHANGE, KEEP, NO_DIFFERENCE = "change it", "keep it", "no difference"
SIZE, BY_CASE = "depends on size", "depends on the case"
CANNOT_TELL, NOT_MEASURED = "cannot tell", "not measured"
# How the decision follows from the outcomes. The page shows it.
RULE = (
    f"The decision at each size: *{CHANGE}* if `expand_as` is slower in some timing and faster in "
    f"none, or if it was seen to write more memory there and is not faster; *{KEEP}* if it is "
    f"faster in some timing and slower in none; *{NO_DIFFERENCE}* if every timing is equal, or if "
    f"the compiled programs are the same in every case tried; *{BY_CASE}* if it is slower in some "
    f"timing and faster in another; otherwise *{CANNOT_TELL}*. The decision of a setting is that "
    f"of its sizes. Where they disagree, the setting *{SIZE}*. Sizes at which this run cannot tell "
    f"are left out, except that *{NO_DIFFERENCE}* takes every size. On a GPU whole calls decide, "
    f"from start to finish; their parts are shown beside."
)
ORDER = (CHANGE, KEEP, BY_CASE, NO_DIFFERENCE, CANNOT_TELL)
FEW_SIZES = 4


@dataclass(frozen=True)
class Extra:
    """What is known about a setting besides its timings.

    `memory` is what `expand_as` writes more, empty if it writes no more, and `memory_size` the
    size at which that was seen. `same` counts the cases that are compiled to the same kernels;
    `all_same` is whether all are.
    """

    memory: str = ""
    memory_size: str = ""
    same: str = ""
    all_same: bool = False


@dataclass(frozen=True)
class Decision:
    """Whether to change the line in a setting, and the evidence that it follows from."""

    setting: Setting
    answers: tuple[Answer, ...]
    extra: Extra

    @property
    def change(self) -> str:
        """The decision over all sizes."""
        decided = set(self.by_size.values())
        if not self.measured_at_all:
            return NOT_MEASURED
        if not decided:
            return _at_one_size((), self.extra, self.extra.memory_size)
        shown = decided - {CANNOT_TELL}
        if BY_CASE in shown or len(shown) > 1:
            return BY_CASE if BY_CASE in shown else SIZE
        if not shown or (shown == {NO_DIFFERENCE} and CANNOT_TELL in decided):
            return CANNOT_TELL
        return shown.pop()

    @property
    def by_size(self) -> Mapping[str, str]:
        """The decision at each size, the smallest size first."""
        ordered = sorted(self.answers, key=lambda answer: answer.elements)
        sizes = dict.fromkeys(answer.size for answer in ordered)
        if self.extra.memory_size:  # also a size at which nothing was timed
            sizes.setdefault(self.extra.memory_size)
        return {size: _at_one_size(self.at(size), self.extra, size) for size in sizes}

    def at(self, size: str) -> list[Answer]:
        """Return the comparisons at one size."""
        return [answer for answer in self.answers if answer.size == size]

    @property
    def measured_at_all(self) -> bool:
        """Whether there is any evidence."""
        return bool(self.answers or self.extra.memory or self.extra.same)

    @property
    def sizes(self) -> str:
        """Which decision holds at which sizes, empty if one holds at all; two are named of many."""
        return "; ".join(f"{decision} at {_few(sizes)}" for decision, sizes in self._at_sizes())

    @property
    def every_size(self) -> str:
        """Which decision holds at which sizes, every size by its name."""
        parts = (f"{decision} at {', '.join(sizes)}" for decision, sizes in self._at_sizes())
        return "; ".join(parts)

    def _at_sizes(self) -> Iterable[tuple[str, list[str]]]:
        if len(set(self.by_size.values())) < 2:
            return
        for decision in ORDER:
            sizes = [size for size, other in self.by_size.items() if other == decision]
            if sizes:
                yield decision, sizes

    @property
    def wholes(self) -> list[Answer]:
        """The steps of a whole network."""
        return [answer for answer in self.answers if answer.whole]

    @property
    def worst(self) -> Answer | None:
        """The comparison in which `expand_as` is slower by most, None if it is in none."""
        return max(self.of("slower"), key=by_ratio, default=None)

    @property
    def best(self) -> Answer | None:
        """The comparison in which `expand_as` is faster by most, None if it is in none."""
        return min(self.of("faster"), key=by_ratio, default=None)

    def of(self, outcome: str) -> list[Answer]:
        """Return the comparisons with one outcome."""
        return [answer for answer in self.answers if answer.outcome == outcome]

    @property
    def measured(self) -> str:
        """What was measured, in words."""
        return "; ".join(self._facts()) or _unmeasured(self.setting)

    def _facts(self) -> Iterable[str]:
        yield from filter(None, [self.extra.memory, self.extra.same])
        for whole in self.wholes:
            yield f"{whole.where}: {whole.change}, {OUTCOMES[whole.outcome]}"
        parts = [answer for answer in self.answers if not answer.whole]
        if parts:
            yield counted((part.timing for part in parts), "timings")
        for extreme in filter(None, [self.worst, self.best]):
            if not extreme.whole:
                yield f"{EXTREMES[extreme.outcome]}: {extreme.where}, {extreme.change}"
        if self.sizes:
            yield self.sizes


def _at_one_size(answers: Sequence[Answer], extra: Extra, size: str) -> str:
    outcomes = {answer.outcome for answer in answers}
    writes_more = extra.memory and extra.memory_size == size
    if {"slower", "faster"} <= outcomes:
        return BY_CASE
    if "faster" in outcomes:
        return KEEP
    if "slower" in outcomes or writes_more:
        return CHANGE
    return NO_DIFFERENCE if outcomes == {"equivalent"} or extra.all_same else CANNOT_TELL


def _few(sizes: Sequence[str]) -> str:
    """Return sizes as a list, or the first and the last of many; they come in order of size."""
    if len(sizes) <= FEW_SIZES:
        return ", ".join(sizes)
    return f"{len(sizes)} sizes from {sizes[0]} to {sizes[-1]}"


def _unmeasured(setting: Setting) -> str:
    if setting.device == GPU:
        return "`make gpu record` adds it, on a machine with a GPU"
    return f"`{setting.chapter}` has not run here"


def decisions(findings: Findings, answers: Iterable[Answer]) -> list[Decision]:
    """Return the decision in each setting, by the rule that the page shows."""
    listed = list(answers)
    return [
        Decision(
            setting,
            tuple(answer for answer in listed if answer.decides and answer.setting == setting),
            Extra(*_memory(setting, findings), *_same_words(setting, findings)),
        )
        for setting in settings(findings)
    ]


def _memory(setting: Setting, findings: Findings) -> tuple[str, str]:
    """Return what the line writes more than the plain product, and at which size; empty if nothing.

    The words name the size as well.
    """
    if setting.written is not None:
        program = findings.answer(setting.written)
        more, size = program.bytes_more, _size(program)
        return (f"writes {kib(more)} more{_at(size)}", size) if more > 0 else ("", "")
    records = findings.answers(setting.memory) if setting.memory else ()
    by_form = {record.form: record for record in records}
    if not by_form or by_form["expand_as"].bytes <= by_form["broadcast"].bytes:
        return "", ""
    size = _size(by_form["expand_as"])
    with_line, plain = (kib(by_form[form].bytes) for form in ("expand_as", "broadcast"))
    instead = f"{with_line} instead of {plain}"
    if by_form["expand_as"].phase == "backward":
        return f"the backward pass allocates {instead}{_at(size)}", size
    return f"requests {with_line} besides the output instead of {plain}{_at(size)}", size


def _size(record: Observation) -> str:
    return "×".join(map(str, record.case.shape)) if record.case else ""


def _at(size: str) -> str:
    return f" at {size}" if size else ""


def _same_words(setting: Setting, findings: Findings) -> tuple[str, bool]:
    counted = findings.answers(setting.same) if setting.same else ()
    words = [
        f"the same kernels in {agreement.agreeing} of {agreement.tried} cases"
        for agreement in counted
    ]
    return "; ".join(words), bool(counted) and all(
        agreement.agreeing == agreement.tried for agreement in counted
    )
