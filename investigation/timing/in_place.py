"""What a form of the line adds to a network's step, from the line's own time while the step runs.

Two whole steps differ by far more than the line takes, so the line alone is timed, where it
stands, and set in relation to the step. In every two steps in a row each slot runs each form once,
which first by a coin of its own. The difference of a slot's two times, candidate less baseline, is
then what the form adds plus a disturbance whose sign the coin drew; so is the sum over the slots.
That is all that the signed-rank interval needs (`investigation.timing.statistics`).

One process is one sample: where the network lies in memory stays the same for the life of a
process. Over several processes the interval is made of one estimate a process.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from investigation.evidence.kinds.timings import Outcome
from investigation.evidence.words import change, signed_seconds
from investigation.interpreter import with_room
from investigation.subject.cases import Case
from investigation.subject.variants import Scale
from investigation.subject.workloads import Step
from investigation.timing import statistics
from investigation.timing.errors import BudgetError
from investigation.timing.slots import CLOCKS, Clock, Clocks, Slots, Times, timed_slots
from investigation.timing.statistics import Estimate

# The least that a process's own 95 % interval can be made of.
FEWEST_PAIRS = 6
# A step so slow that these do not fit gets so many times the budget, and no more.
PATIENCE = 20
# The analysis looks at every two pairs, of all processes together where a control is judged.
MOST_PAIRS = 200
Over = Literal["processes", "pairs"]


@dataclass(frozen=True)
class LineSamples:
    """What one process timed, in seconds.

    `baseline_s` and `candidate_s` have shape (pairs, slots, phases, clocks), `step_s` has
    (pairs, clocks): the mean of a pair's two steps. `planted_s` is what was planted in the
    candidate, a step.
    """

    baseline_s: Times
    candidate_s: Times
    step_s: Times
    planted_s: float = 0.0

    @property
    def pairs(self) -> int:
        """How many pairs of steps were run."""
        return len(self.step_s)

    def added_s(self, clock: Clock) -> Times:
        """Return what the candidate took more: shape (pairs, slots, phases)."""
        differences: Times = (self.candidate_s - self.baseline_s)[..., CLOCKS.index(clock)]
        return differences

    def step(self, clock: Clock) -> float:
        """Return how long a step takes, the median over pairs."""
        return float(np.median(self.step_s[:, CLOCKS.index(clock)]))

    def line(self, clock: Clock) -> Times:
        """Return how long the baseline's line takes, the median over pairs: shape (slots,)."""
        of_slots = self.baseline_s[..., CLOCKS.index(clock)].sum(axis=2)
        medians: Times = np.median(of_slots, axis=0)
        return medians

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {key: np.asarray(value).tolist() for key, value in vars(self).items()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, before or after JSON."""
        arrays = {key: np.asarray(value) for key, value in record.items() if key != "planted_s"}
        return cls(planted_s=record["planted_s"], **arrays)


@with_room
def time_line(
    step: Step,
    baseline: Scale,
    candidate: Scale,
    *,
    budget_s: float,
    seed: int,
    clocks: Clocks | None = None,
) -> LineSamples:
    """Run pairs of steps until the budget is spent, and return the line's times in them.

    At least `FEWEST_PAIRS` pairs and at most `MOST_PAIRS`: the clock alone decides how many. The
    threads and the grad mode are those that torch is set to.

    Raises BudgetError where the fewest take `PATIENCE` times the budget, SlotError where the line
    is not there to be timed.
    """
    clocks = clocks or Clocks()
    deadline, draw = clocks.wall() + budget_s, np.random.default_rng(seed)
    with timed_slots(step, clocks) as slots:
        step_s = _warm_up(slots, step, (baseline, candidate))
        if 2 * FEWEST_PAIRS * step_s > PATIENCE * budget_s:
            raise BudgetError(_too_slow(step_s, budget_s))
        pairs: list[tuple[Times, Times, Times]] = []
        while len(pairs) < FEWEST_PAIRS or (
            clocks.wall() + 2 * step_s < deadline and len(pairs) < MOST_PAIRS
        ):
            coins = draw.random(len(slots.blocks)) < 0.5
            pairs.append(_time_pair(slots, step, (baseline, candidate), coins))
    baselines, candidates, steps = zip(*pairs, strict=True)
    return LineSamples(np.asarray(baselines), np.asarray(candidates), np.asarray(steps))


def _too_slow(step_s: float, budget_s: float) -> str:
    return (
        f"a step takes {step_s:.3g} s, and {FEWEST_PAIRS} pairs of them take more than "
        f"{PATIENCE} times the budget of {budget_s:.3g} s; raise budget_s"
    )


def _warm_up(slots: Slots, step: Step, forms: tuple[Scale, Scale]) -> float:
    """Run a step or two with each form; return the seconds of the last."""
    for form in (*forms, forms[0]):
        _, (_, step_s) = slots.run(step, [form] * len(slots.blocks))
    return step_s


def _time_pair(
    slots: Slots, step: Step, forms: tuple[Scale, Scale], candidate_first: Any
) -> tuple[Times, Times, Times]:
    """Run two steps; return the line's times with the baseline, the candidate, and the step's."""
    first, of_first = slots.run(step, [forms[int(coin)] for coin in candidate_first])
    second, of_second = slots.run(step, [forms[1 - int(coin)] for coin in candidate_first])
    chosen = candidate_first[:, None, None]
    return (
        np.where(chosen, second, first),
        np.where(chosen, first, second),
        np.mean((of_first, of_second), axis=0),
    )


@dataclass(frozen=True)
class Reading:
    """What one clock shows: seconds that the candidate adds to a step, and their share of it.

    `slots` has an estimate a slot, `phases` one for each slot and phase, `line_s` how long the
    baseline's line takes at each slot and `step_s` how long a step does.
    """

    slots: tuple[Estimate, ...]
    phases: tuple[tuple[Estimate, ...], ...]
    total: Estimate
    share: Estimate
    line_s: tuple[float, ...]
    step_s: float


@dataclass(frozen=True)
class InPlace:
    """The line timed in place, by both clocks, with intervals over processes or over pairs.

    At one thread `clock`, which decides, is the processor's: it stands still while something else
    has the core. With more threads it would miss the work of all but one, so it is the wall's.
    """

    slots: tuple[Case, ...]
    parts: tuple[LineSamples, ...]
    readings: Mapping[Clock, Reading]
    over: Over
    confidence: float
    margin: float
    threads: int
    name: str
    baseline_name: str

    @classmethod
    def of(
        cls,
        slots: Sequence[Case],
        parts: Sequence[LineSamples],
        *,
        over: Over,
        confidence: float,
        **about: Any,
    ) -> Self:
        """Estimate from the samples of one or more processes."""
        readings = {clock: _reading(parts, clock, over, confidence) for clock in CLOCKS}
        judged_by = {"over": over, "confidence": confidence, **about}
        return cls(tuple(slots), tuple(parts), readings, **judged_by)

    @property
    def clock(self) -> Clock:
        """The clock that decides."""
        return "processor" if self.threads == 1 else "wall"

    @property
    def decisive(self) -> Reading:
        """What that clock shows."""
        return self.readings[self.clock]

    @property
    def ratio(self) -> float:
        """Of a step with the candidate over one with the baseline."""
        return 1 + self.decisive.share.location

    @property
    def ratio_interval(self) -> tuple[float, float]:
        """Its ends; 0 and infinity where there are too few processes or pairs for one."""
        share = self.decisive.share
        return max(0.0, 1 + share.low), 1 + share.high

    @property
    def verdict(self) -> Outcome:
        """What the candidate comes to, against the margin as a share of the step."""
        return statistics.judge(self.ratio_interval, self.margin)

    def __repr__(self) -> str:
        total, share = self.decisive.total, self.decisive.share
        count, pairs = len(self.parts), sum(part.pairs for part in self.parts)
        where = f"{count} process{'es' * (count != 1)}, {pairs} pairs of steps"
        return (
            f"{self.name} adds {signed_seconds(total.location)} to a step against "
            f"{self.baseline_name} ({100 * self.confidence:.6g} % interval {_ends(total)}), "
            f"{change(1 + share.location)} of the step: {self.verdict} ({where})"
        )


def _reading(parts: Sequence[LineSamples], clock: Clock, over: Over, confidence: float) -> Reading:
    added = [line_samples.added_s(clock) for line_samples in parts]

    def estimate(values: Sequence[Times]) -> Estimate:
        """Of one value a pair, for each process."""
        if over == "pairs":
            return statistics.signed_rank(np.concatenate(values), confidence)
        return statistics.signed_rank([_location(times) for times in values], confidence)

    totals = [differences.sum(axis=(1, 2)) for differences in added]
    _, slots, phases = added[0].shape
    return Reading(
        slots=tuple(
            estimate([differences[:, slot].sum(axis=1) for differences in added])
            for slot in range(slots)
        ),
        phases=tuple(
            tuple(
                estimate([differences[:, slot, phase] for differences in added])
                for phase in range(phases)
            )
            for slot in range(slots)
        ),
        total=estimate(totals),
        share=estimate(
            [total / part.step(clock) for total, part in zip(totals, parts, strict=True)]
        ),
        line_s=tuple(
            np.median([line_samples.line(clock) for line_samples in parts], axis=0).tolist()
        ),
        step_s=float(np.median([line_samples.step(clock) for line_samples in parts])),
    )


def _ends(total: Estimate) -> str:
    if math.isfinite(total.width):
        return f"{signed_seconds(total.low)} to {signed_seconds(total.high)}"
    return "without an end, which takes more processes or pairs"


def _location(sample: Times) -> float:
    """Hodges-Lehmann location: the median of the averages of every two values."""
    return float(np.median(statistics.walsh_averages(sample)))
