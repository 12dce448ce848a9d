"""What a claim is, and how its rule turns evidence into a verdict."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from investigation.claims.history import Change
from investigation.evidence.observation import Observation
from investigation.evidence.questions import Findings, Question, QuestionError

# A claim is one of the first four; a request is done or not done.
Status = Literal["supported", "refuted", "qualified", "untested", "done", "not_done"]
Questions = Mapping[str, Question[Any]]
Row = tuple[str, str]


class Verdict(BaseModel):
    """What the evidence decides about a claim: a sentence, and the numbers under it.

    `sentence` has at most forty words; `table` holds rows of a label and a value. `answered` is
    false if a question had no answer, which leaves the claim open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    sentence: str
    table: tuple[Row, ...] = ()
    answered: bool = True

    @property
    def decides(self) -> bool:
        """Whether the evidence was there, and sufficed."""
        return self.answered and self.status != "untested"


Rule = Callable[..., Verdict]


@dataclass(frozen=True)
class Note:
    """What other evidence shows about a claim; the verdict does not change with it.

    `sentence_of` makes a sentence of the answers to the `questions`, whatever they are; `needs`
    names what is missing if a question has no answer. Raises `QuestionError` as `Claim` does.
    """

    questions: Questions
    sentence_of: Callable[..., str]
    needs: str

    def __post_init__(self) -> None:
        require_answers(self.sentence_of.__name__, self.sentence_of, self.questions)

    def on(self, findings: Findings) -> str:
        """Return the sentence on these findings."""
        answers = answers_to(self.questions, findings)
        if not all(answers.values()):
            return f"Not shown here: it takes {self.needs}."
        return self.sentence_of(**answers)


@dataclass(frozen=True)
class Claim:
    """A sentence that somebody wrote about the line, and the rule that decides it.

    `quote` is the sentence and `read_as` how we read it. `rule` is the rule in words and
    `decide` the same rule in code: it receives the answers to the `questions`, each a tuple of
    records under the question's name, and nothing else. If a question has no answer the status
    is `unanswered`, and `needs` names what is missing. `history` lists when the rule changed and
    why, `not_covered` what no verdict here covers. `cell` is the label of the deciding cell, in
    the first of `chapters`. `eager_cuda` is shown beside the verdict: what the launches of eager
    CUDA show.

    Raises `QuestionError` if the rule does not take just these answers.
    """

    id: str
    who: str
    quote: str
    read_as: str
    rule: str
    history: tuple[Change, ...]
    not_covered: str
    chapters: tuple[str, ...]
    cell: str | None
    needs: str
    decide: Rule
    questions: Questions = field(default_factory=dict)
    eager_cuda: Note | None = None
    unanswered: Literal["untested", "not_done"] = "untested"

    def __post_init__(self) -> None:
        require_answers(self.id, self.decide, self.questions)


def require_answers(claim: str, decide: Callable[..., object], questions: Questions) -> None:
    """Raise `QuestionError` unless a rule takes just the answers to these questions.

    A rule may leave some questions open: those of its parameters that have a default, and any
    name at all if it takes `**parts`.
    """
    taken = inspect.signature(decide).parameters.values()
    named = {parameter.name for parameter in taken if parameter.kind is not parameter.VAR_KEYWORD}
    needed = {
        parameter.name
        for parameter in taken
        if parameter.name in named and parameter.default is parameter.empty
    }
    unknown = set() if len(named) < len(taken) else set(questions) - named
    if unknown or not needed <= set(questions):
        raise QuestionError(
            f"{claim}: its rule takes {', '.join(sorted(named)) or 'nothing'}, "
            f"its questions are {', '.join(sorted(questions)) or 'none'}"
        )


def answers_to(questions: Questions, findings: Findings) -> dict[str, tuple[Observation, ...]]:
    """Return the answers to some questions, under the questions' names."""
    return {name: findings.answers(question) for name, question in questions.items()}


def judge(claim: Claim, findings: Findings) -> Verdict:
    """Return the claim's verdict on these findings; `unanswered` if a question has no answer."""
    return decided(claim.decide, claim.questions, findings, claim.needs, claim.unanswered)


def decided(
    decide: Rule,
    questions: Questions,
    findings: Findings,
    needs: str,
    unanswered: Literal["untested", "not_done"] = "untested",
) -> Verdict:
    """Ask the questions and apply the rule to their answers."""
    answers = answers_to(questions, findings)
    missing = [
        str(question)
        for name, question in questions.items()
        if question.required and not answers[name]
    ]
    if missing:
        sentence = f"Not decided here: it takes {needs}."
        table = (("without an answer", "; ".join(missing)),)
        return Verdict(status=unanswered, sentence=sentence, table=table, answered=False)
    return decide(**answers)


def supported(sentence: str, table: Sequence[Row] = ()) -> Verdict:
    """Return the verdict of a claim that holds wherever it was tried."""
    return Verdict(status="supported", sentence=sentence, table=tuple(table))


def refuted(sentence: str, table: Sequence[Row] = ()) -> Verdict:
    """Return the verdict of a claim that fails wherever it was tried."""
    return Verdict(status="refuted", sentence=sentence, table=tuple(table))


def qualified(sentence: str, table: Sequence[Row] = ()) -> Verdict:
    """Return the verdict of a claim that holds only in the settings that the sentence names."""
    return Verdict(status="qualified", sentence=sentence, table=tuple(table))


def untested(sentence: str, table: Sequence[Row] = ()) -> Verdict:
    """Return the verdict of a claim that this run's measurements cannot decide."""
    return Verdict(status="untested", sentence=sentence, table=tuple(table))
