"""What a claim is, and how its rule turns evidence into a verdict."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from investigation.evidence.questions import Findings, Question, QuestionError

Status = Literal["supported", "refuted", "qualified", "untested"]
Questions = Mapping[str, Question[Any]]


class Verdict(BaseModel):
    """What the evidence decides about a claim, and the sentence that explains it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    sentence: str


Rule = Callable[..., Verdict]


@dataclass(frozen=True)
class Note:
    """What other evidence says of a claim beside its verdict, which it does not change.

    `says` makes a sentence of the answers to the `questions`, whatever they are; `needs` says what
    it would take where one has no answer. Raises `QuestionError` as `Claim` does.
    """

    questions: Questions
    says: Callable[..., str]
    needs: str

    def __post_init__(self) -> None:
        require_answers(self.says.__name__, self.says, self.questions)

    def on(self, findings: Findings) -> str:
        """Return the sentence on these findings."""
        answers = {name: findings.answers(question) for name, question in self.questions.items()}
        if not all(answers.values()):
            return f"Not shown here: it takes {self.needs}."
        return self.says(**answers)


@dataclass(frozen=True)
class Claim:
    """A sentence that somebody wrote about the line, and the rule that decides it.

    `rule` is the rule in words, shown on the page; `decide` is the same rule in code. It receives
    the answers to the claim's `questions`, each a tuple of records under the question's name, and
    nothing else. Where a question has no answer the claim is untested, and `needs` says what it
    would take. `cell` is the label of the deciding cell, in the first of `chapters`. `eager_cuda`
    is noted beside the verdict: what the launches of eager CUDA say.

    Raises `QuestionError` where the rule does not take just these answers.
    """

    id: str
    who: str
    quote: str
    rule: str
    chapters: tuple[str, ...]
    cell: str | None
    needs: str
    decide: Rule
    questions: Questions = field(default_factory=dict)
    eager_cuda: Note | None = None

    def __post_init__(self) -> None:
        require_answers(self.id, self.decide, self.questions)


def require_answers(claim: str, decide: Callable[..., object], questions: Questions) -> None:
    """Raise `QuestionError` unless a rule takes just the answers to these questions."""
    taken = set(inspect.signature(decide).parameters)
    if taken != set(questions):
        raise QuestionError(
            f"{claim}: its rule takes {', '.join(sorted(taken)) or 'nothing'}, "
            f"its questions are {', '.join(sorted(questions)) or 'none'}"
        )


def judge(claim: Claim, findings: Findings) -> Verdict:
    """Return the claim's verdict on these findings; untested where a question has no answer."""
    return decided(claim.decide, claim.questions, findings, claim.needs)


def decided(decide: Rule, questions: Questions, findings: Findings, needs: str) -> Verdict:
    """Ask the questions and apply the rule to their answers."""
    answers = {name: findings.answers(question) for name, question in questions.items()}
    missing = [one for name, one in questions.items() if one.required and not answers[name]]
    if missing:
        return untested(f"Not decided here: {needs}. Without an answer: {missing[0]}.")
    return decide(**answers)


def supported(sentence: str) -> Verdict:
    """Return the verdict of a claim that holds wherever it was tried."""
    return Verdict(status="supported", sentence=sentence)


def refuted(sentence: str) -> Verdict:
    """Return the verdict of a claim that fails wherever it was tried."""
    return Verdict(status="refuted", sentence=sentence)


def qualified(sentence: str) -> Verdict:
    """Return the verdict of a claim that holds only in the settings that the sentence names."""
    return Verdict(status="qualified", sentence=sentence)


def untested(sentence: str) -> Verdict:
    """Return the verdict of a claim that this run's measurements cannot decide."""
    return Verdict(status="untested", sentence=sentence)
