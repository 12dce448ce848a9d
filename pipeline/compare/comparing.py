"""Two runs side by side: each claim's two verdicts, each measurement's two intervals.

Both runs are judged by the rules of this book, so that a verdict differs because of what was
measured and not because of a rule that has changed. Two intervals are compared only if
nothing else that changes a time differs; what differs is named.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from investigation.claims import ledger
from investigation.claims.claim import Verdict
from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.in_place import Measured
from investigation.evidence.observation import Identity, Observation
from investigation.evidence.records import Evidence
from pipeline.compare.runs import Run

PairOutcome = Literal["agree", "differ", "not comparable", "only in base", "only in head"]
# What changes a time, besides the line: of the environment, and of the case.
MACHINE = ("torch", "processor", "cores", "capability", "accelerator", "threads")
CASE = ("shape", "dtype", "gate_dtype", "memory_format")


@dataclass(frozen=True)
class ClaimPair:
    """One claim with its verdict on each run."""

    id: str
    quote: str
    base: Verdict
    head: Verdict

    @property
    def changed(self) -> bool:
        """Whether both runs decide it, and the verdict, not its wording, is another."""
        both_decide = self.base.decides and self.head.decides
        return both_decide and self.base.status != self.head.status

    @property
    def lost(self) -> bool:
        """Whether only the base decides it: the head lacks the evidence."""
        return self.base.decides and not self.head.decides

    @property
    def gained(self) -> bool:
        """Whether only the head decides it."""
        return self.head.decides and not self.base.decides


@dataclass(frozen=True)
class Pair:
    """One observation in both runs; None if a run lacks it."""

    notebook: str
    name: str
    base: Observation | None
    head: Observation | None
    obstacles: tuple[str, ...]

    @property
    def outcome(self) -> PairOutcome:
        """Whether the two agree: their intervals overlap, or without intervals they are equal."""
        if self.base is None or self.head is None:
            return "only in head" if self.base is None else "only in base"
        if self.obstacles:
            return "not comparable"
        return "agree" if _agree(self.base, self.head) else "differ"

    @property
    def measured(self) -> bool:
        """Whether this is a measurement, which has an interval, and no plain fact."""
        return isinstance(self.base or self.head, Measured)


@dataclass(frozen=True)
class RunComparison:
    """All that two runs share, and all that they do not."""

    base: Run
    head: Run
    claims: tuple[ClaimPair, ...]
    pairs: tuple[Pair, ...]

    @property
    def changed(self) -> tuple[ClaimPair, ...]:
        """The claims whose verdict is another."""
        return tuple(claim for claim in self.claims if claim.changed)

    @property
    def lost(self) -> tuple[ClaimPair, ...]:
        """The claims that only the base decides."""
        return tuple(claim for claim in self.claims if claim.lost)

    @property
    def failed(self) -> Mapping[str, str]:
        """The chapters that failed in the head and not in the base, with the reasons."""
        head, base = self.head.failed, self.base.failed
        return {name: reason for name, reason in head.items() if name not in base}

    @property
    def measurements(self) -> tuple[Pair, ...]:
        """The pairs with an interval."""
        return tuple(pair for pair in self.pairs if pair.measured)

    @property
    def differing_facts(self) -> tuple[Pair, ...]:
        """The pairs without an interval that are not the same in both runs."""
        return tuple(pair for pair in self.pairs if not pair.measured and pair.outcome != "agree")


def compare(base: Run, head: Run) -> RunComparison:
    """Put two runs side by side."""
    verdicts = ledger.verdicts(base.findings), ledger.verdicts(head.findings)
    claims = tuple(
        ClaimPair(claim.id, claim.quote, verdicts[0][claim.id], verdicts[1][claim.id])
        for claim in ledger.CLAIMS
    )
    return RunComparison(base, head, claims, tuple(_pairs(base, head)))


def _pairs(base: Run, head: Run) -> Iterator[Pair]:
    """Iterate over the observations of either run, in the order of the chapters."""
    left = {evidence.notebook: evidence for evidence in base.evidences}
    right = {evidence.notebook: evidence for evidence in head.evidences}
    for notebook in sorted(left.keys() | right.keys()):
        yield from _of_chapter(notebook, left.get(notebook), right.get(notebook))


def _of_chapter(notebook: str, base: Evidence | None, head: Evidence | None) -> Iterator[Pair]:
    left, right = _observations(base), _observations(head)
    for key, either in {**left, **right}.items():
        in_base, in_head = left.get(key), right.get(key)
        obstacles = (
            tuple(_obstacles(base, head, in_base, in_head))
            if base and head and in_base and in_head
            else ()
        )
        yield Pair(notebook, either.name, in_base, in_head, obstacles)


def _observations(evidence: Evidence | None) -> dict[Identity, Observation]:
    """Return a chapter's records by what they are about; controls test the instrument."""
    records = evidence.records if evidence else ()
    return {record.identity: record for record in records if not isinstance(record, Control)}


def _obstacles(
    base: Evidence, head: Evidence, observation: Observation, other: Observation
) -> Iterator[str]:
    """Iterate over what keeps two records from being compared, each in words."""
    if isinstance(observation, Measured):
        yield from _named(MACHINE, base.environment, head.environment)
    yield from _named(CASE, observation.case, other.case)
    yield from _named(("device", "batch", "confidence"), observation, other)


def _named(names: Iterable[str], base: object, head: object) -> Iterator[str]:
    for name in names:
        yield from _differing(
            name.replace("_", " "), getattr(base, name, None), getattr(head, name, None)
        )


def _differing(name: str, base: object, head: object) -> Iterator[str]:
    if base != head:
        yield f"{name} {_word(base)} against {_word(head)}"


def _word(value: object) -> str:
    if isinstance(value, tuple):
        return "×".join(map(str, value))
    return "none" if value is None else str(value)


def _agree(observation: Observation, other: Observation) -> bool:
    if isinstance(observation, Measured) and isinstance(other, Measured):
        return (
            observation.interval[0] <= other.interval[1]
            and other.interval[0] <= observation.interval[1]
        )
    return observation.value == other.value
