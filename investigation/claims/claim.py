"""What a claim is, and how its rule turns evidence into a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from investigation.evidence.records import Findings

Status = Literal["supported", "refuted", "qualified", "untested"]


class Verdict(BaseModel):
    """What the evidence says of a claim, and the sentence that explains it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    sentence: str


Rule = Callable[[Findings], Verdict]


@dataclass(frozen=True)
class Claim:
    """A sentence that somebody wrote about the line, and the rule that decides it.

    `rule` is the rule in words, shown on the page; `decide` is the same rule in code. Both
    stand before any measurement. `reads` are the records that the rule needs: where one is
    missing, the claim is untested, and `needs` says what it would take. `cell` is the label
    of the deciding cell, in the first of `chapters`.
    """

    id: str
    who: str
    quote: str
    rule: str
    chapters: tuple[str, ...]
    cell: str | None
    needs: str
    reads: tuple[str, ...] = ()
    decide: Rule | None = None


def judge(claim: Claim, findings: Findings) -> Verdict:
    """Return the claim's verdict on these findings; untested where evidence is missing."""
    missing = [record for record in claim.reads if record not in findings]
    if claim.decide is None or missing:
        return Verdict(status="untested", sentence=f"Not decided here: {claim.needs}.")
    return claim.decide(findings)


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
