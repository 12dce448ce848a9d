"""Every comparison of the two forms, by setting and input: evidence, in a reader's terms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from investigation.display.outcomes import counted
from investigation.evidence.kinds.in_place import Measured
from investigation.evidence.kinds.timings import Outcome
from investigation.evidence.questions import Findings
from investigation.evidence.words import change, percent
from pipeline.pages.settings import Setting, settings

HOST = "the host network"


@dataclass(frozen=True)
class Answer:
    """One comparison of the two forms: where it ran, what was timed, and what came out.

    `whole` is a step of a whole network. `decides` is false where it is shown beside the decision:
    with more threads than the run, or of a part of a call on a GPU. `chapter` is the chapter that
    measured it.
    """

    setting: Setting
    timed: str
    whole: bool
    timing: Measured
    chapter: str
    decides: bool = True

    @property
    def size(self) -> str:
        """The input's shape, or the name of the network."""
        case = self.timing.case
        return "×".join(map(str, case.shape)) if case else HOST

    @property
    def elements(self) -> float:
        """How many numbers the input has; a whole network comes behind every input."""
        case = self.timing.case
        return case.elements if case else float("inf")

    @property
    def dtypes(self) -> str:
        """The dtypes of input and gate if they are not both `float32`, else nothing."""
        case = self.timing.case
        if case is None or {case.dtype, case.gate_dtype or case.dtype} == {"float32"}:
            return ""
        return f"{case.dtype} × {case.gate_dtype or case.dtype}"

    @property
    def where(self) -> str:
        """What was timed at which input, with the memory format and the dtypes that matter."""
        marks = [self.size] if self.timing.case else []
        usual = self.timing.case is not None and self.timing.memory_format == "contiguous"
        marks += [] if usual else [self.timing.memory_format]
        return f"{self.timed}, {' '.join([*marks, *filter(None, [self.dtypes])])}"

    @property
    def label(self) -> str:
        """The same with the name of the case: no other comparison of a setting has it."""
        case = self.timing.case
        return f"{self.where} ({case.name}, {self.timing.memory_format})" if case else self.where

    @property
    def change(self) -> str:
        """What `expand_as` adds to the time, with its interval."""
        return percent(self.timing.ratio, self.timing.interval)

    @property
    def outcome(self) -> Outcome:
        """The outcome for `expand_as`, by the definitions on the first page."""
        return self.timing.outcome


def answers(findings: Findings) -> list[Answer]:
    """Return every comparison of the two forms, in the order of the settings."""
    return [
        Answer(setting, timed, whole, timing, findings.chapter_of(timing), decides)
        for setting in settings(findings)
        for whole, decides, questions in (
            (True, True, setting.wholes),
            (False, True, setting.parts),
            (False, False, setting.beside),
        )
        for timed, question in questions.items()
        for timing in findings.answers(question)
    ]


def span(answers_timed: Iterable[Answer]) -> str:
    """Return the smallest and the largest input that was timed."""
    shaped = sorted(
        (answer for answer in answers_timed if answer.timing.case),
        key=lambda answer: answer.elements,
    )
    return f"{shaped[0].size} to {shaped[-1].size}" if shaped else "no input"


def by_ratio(answer: Answer) -> float:
    """Return what comparisons are ordered by: the time with the line over that without."""
    return answer.timing.ratio


def outcomes(answers: Sequence[Answer]) -> str:
    """Count the outcomes for the line, and name the largest difference in either direction."""
    extremes = [
        change(pick(of, key=by_ratio).timing.ratio)
        for pick, outcome in ((max, "slower"), (min, "faster"))
        if (of := [answer for answer in answers if answer.outcome == outcome])
    ]
    largest = f" (largest: {', '.join(extremes)})" if extremes else ""
    return f"{counted(answer.timing for answer in answers)}{largest}"
