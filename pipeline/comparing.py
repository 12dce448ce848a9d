"""Two runs side by side: each claim's two verdicts, each measurement's two intervals.

Both runs are judged by the rules of this book, so that a verdict differs because of what was
measured and not because of a rule that has changed. Two intervals are compared only where all
that moves a time is the same; what differs is named.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from investigation.claims import ledger
from investigation.claims.claim import Verdict, judge
from investigation.evidence.records import Evidence, Record
from pipeline.faults import BuildError
from pipeline.runs import Run

Outcome = Literal["agree", "differ", "not comparable", "only in base", "only in head"]
# What moves a time, besides the line: of the environment, and of the case.
MACHINE = ("torch", "processor", "cores", "capability", "accelerator", "threads")
CASE = ("shape", "dtype", "gate_dtype", "memory_format")
# What a rule raises that was given a text for a number, or a measurement without its interval.
NONSENSE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class ClaimPair:
    """One claim with its verdict on each run."""

    id: str
    quote: str
    base: Verdict
    head: Verdict

    @property
    def changed(self) -> bool:
        """Whether the verdict, not its wording, is another."""
        return self.base.status != self.head.status


@dataclass(frozen=True)
class Pair:
    """One observation in both runs; None where a run lacks it."""

    id: str
    notebook: str
    base: Record | None
    head: Record | None
    obstacles: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """Whether the two agree: their intervals overlap, or without intervals they are equal."""
        if self.base is None or self.head is None:
            return "only in head" if self.base is None else "only in base"
        if self.obstacles:
            return "not comparable"
        return "agree" if _agree(self.base, self.head) else "differ"

    @property
    def measured(self) -> bool:
        """Whether this is a measurement, which has an interval, and no plain fact."""
        return any(one is not None and one.interval is not None for one in (self.base, self.head))


@dataclass(frozen=True)
class Comparison:
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
    def measurements(self) -> tuple[Pair, ...]:
        """The pairs with an interval."""
        return tuple(pair for pair in self.pairs if pair.measured)

    @property
    def differing_facts(self) -> tuple[Pair, ...]:
        """The pairs without an interval that are not the same in both runs."""
        return tuple(one for one in self.pairs if not one.measured and one.outcome != "agree")


def compare(base: Run, head: Run) -> Comparison:
    """Put two runs side by side."""
    verdicts = _verdicts(base), _verdicts(head)
    claims = tuple(
        ClaimPair(claim.id, claim.quote, verdicts[0][claim.id], verdicts[1][claim.id])
        for claim in ledger.CLAIMS
    )
    return Comparison(base, head, claims, tuple(_pairs(base, head)))


def _verdicts(run: Run) -> dict[str, Verdict]:
    """Judge a run that may be anybody's.

    Raises `BuildError` where a record is sound by itself and makes no sense to a rule.
    """
    verdicts = {}
    for claim in ledger.CLAIMS:
        try:
            verdicts[claim.id] = judge(claim, run.findings)
        except NONSENSE as error:
            raise BuildError(
                f"{run.name}: a record makes no sense to the rule of {claim.id} ({error!r})"
            ) from None
    return verdicts


def _pairs(base: Run, head: Run) -> Iterator[Pair]:
    """Iterate over the observations of either run, in the order of the chapters."""
    left = {one.notebook: one for one in base.evidences}
    right = {one.notebook: one for one in head.evidences}
    for notebook in sorted(left.keys() | right.keys()):
        yield from _of_chapter(notebook, left.get(notebook), right.get(notebook))


def _of_chapter(notebook: str, base: Evidence | None, head: Evidence | None) -> Iterator[Pair]:
    left, right = _observations(base), _observations(head)
    for key in dict.fromkeys((*left, *right)):
        one, other = left.get(key), right.get(key)
        obstacles = (
            tuple(_obstacles(base, head, one, other)) if base and head and one and other else ()
        )
        yield Pair(key, notebook, one, other, obstacles)


def _observations(evidence: Evidence | None) -> dict[str, Record]:
    """Return a chapter's records by id; controls test the instrument and are no finding."""
    records = evidence.records if evidence else ()
    return {record.id: record for record in records if not record.is_control}


def _obstacles(base: Evidence, head: Evidence, one: Record, other: Record) -> Iterator[str]:
    """Iterate over what keeps two records from being compared, each in words."""
    if one.interval or other.interval:
        yield from _named(MACHINE, base.environment, head.environment)
        devices = (str(run.parameters.get("device", "cpu")) for run in (base, head))
        yield from _differing("device", *devices)
    yield from _named(CASE, one.case, other.case)
    yield from _differing("kind", one.kind, other.kind)
    yield from _differing("unit", one.unit, other.unit)
    yield from _differing("confidence", one.confidence, other.confidence)


def _named(names: Iterable[str], one: object, other: object) -> Iterator[str]:
    for name in names:
        yield from _differing(
            name.replace("_", " "), getattr(one, name, None), getattr(other, name, None)
        )


def _differing(name: str, one: object, other: object) -> Iterator[str]:
    if one != other:
        yield f"{name} {_word(one)} against {_word(other)}"


def _word(value: object) -> str:
    if isinstance(value, tuple):
        return "×".join(map(str, value))
    return "none" if value is None else str(value)


def _agree(one: Record, other: Record) -> bool:
    if one.interval and other.interval:
        return one.interval[0] <= other.interval[1] and other.interval[0] <= one.interval[1]
    return one.value == other.value
