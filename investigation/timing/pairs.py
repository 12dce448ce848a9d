"""Blocks and pairs: both arms warmed up, laid out within the budget and timed side by side.

A pair is one block of each arm in an order drawn by coin, a block a handful of calls timed
together. Blocks are short, so that both arms meet the same machine.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from investigation.timing import statistics
from investigation.timing.arms import Arm, ArmPair
from investigation.timing.clock import Clock, Counters
from investigation.timing.errors import BudgetError, TooFastError
from investigation.timing.samples import Samples

# A block this long holds a thousand ticks and reads of the clock, and is short against the
# milliseconds that a neighbour's burst lasts.
SHORTEST_BLOCK_S = 100e-6
# The analysis looks at every two rounds: 800 rounds of two pairs cost it some 20 ms.
MOST_PAIRS = 1600
# The least that a 95 % signed-rank interval can be made of.
FEWEST_PAIRS = 6
# Pairs of opposite order make one value of two; below this, values are worth more than balance.
PAIRS_WORTH_BALANCING = 2 * statistics.ROUNDS_WANTED
WARM_UP_SHARE = 0.05
ANALYSIS_SHARE = 0.03
# At most half of a call may be the cost of calling anything at all.
LEAST_CALLS_OF_NOTHING = 2.0
# A turn with more page faults than this was disturbed: a program's own faults, for memory that
# it asks for again in every call, are usual and stay.
FAULTS_FACTOR, FAULTS_MORE = 2, 16
CALLS_OF_NOTHING = 200


@dataclass(frozen=True)
class Plan:
    """Fixed before the first pair and never changed by what is measured."""

    calls_per_block: int
    pairs_per_coin: int
    pair_s: float  # expected
    deadline: float  # on the clock


def plan_pairs(
    arms: ArmPair, clock: Clock, start: float, budget_s: float, draw: np.random.Generator
) -> Plan:
    """Warm both arms up, learn how long a call takes, and lay out the pairs.

    Raises TooFastError and BudgetError.
    """
    per_call = warm_up(arms, clock, start, budget_s, draw)
    deadline = start + budget_s * (1 - ANALYSIS_SHARE)
    return _lay_out(arms, per_call, deadline - clock.now(), deadline, budget_s)


def warm_up(
    arms: ArmPair, clock: Clock, start: float, budget_s: float, draw: np.random.Generator
) -> tuple[float, float]:
    """Least seconds a call of each arm, in blocks that double until they are long enough.

    The first call counts too: it is slow where there is something to prepare, and where there
    is not it outvotes a block that met a stall. The coin decides which arm runs last, because a
    call is faster right after one of its own arm. Raises TooFastError and BudgetError.
    """
    order = draw.permutation(2)
    least = [math.inf, math.inf]
    for index in order:
        began = clock.now()
        least[index] = arms[index].seconds(1, clock)
        ended = clock.now()
        if ended - start > budget_s:
            raise BudgetError(_slow_start(arms[index], ended - began, budget_s))
    calls, warmed = [1, 1], False
    while not warmed or clock.now() - start < WARM_UP_SHARE * budget_s:
        warmed = True
        for index in order:
            block_s = arms[index].seconds(calls[index], clock)
            least[index] = min(least[index], block_s / calls[index])
            calls[index] *= 1 + (block_s < SHORTEST_BLOCK_S)
    for arm, call_s in zip(arms, least, strict=True):
        _require_visible(arm, call_s, clock)
    return least[0], least[1]


def _slow_start(arm: Arm, first_s: float, budget_s: float) -> str:
    return (
        f"the first call of {arm.name!r} took {first_s:.3g} s, and the budget is {budget_s:.3g} s; "
        "call it once before, or raise budget_s"
    )


def _require_visible(arm: Arm, call_s: float, clock: Clock) -> None:
    nothing = Arm("nothing", _nothing)
    least = min(nothing.seconds(CALLS_OF_NOTHING, clock) for _ in range(5)) / CALLS_OF_NOTHING
    if call_s <= LEAST_CALLS_OF_NOTHING * least:
        raise TooFastError(
            f"{arm.name!r} takes {call_s * 1e9:.3g} ns a call, and calling nothing at all takes "
            f"{least * 1e9:.3g} ns; put a loop inside the callable"
        )


def empty_block_s(clock: Clock) -> float:
    """Return what a block costs besides its calls, in seconds: reading the clock, and waiting.

    Both arms pay it, so a ratio comes out nearer to 1 than that of the calls, by the share that
    it has of a block. It is not taken off: where blocks are long enough for a comparison, what a
    subtraction would mend is less than what it would add in noise.
    """
    nothing = Arm("nothing", _nothing)
    return min(nothing.seconds(0, clock) for _ in range(CALLS_OF_NOTHING))


def _nothing() -> None:
    pass


def _lay_out(
    arms: ArmPair, per_call: tuple[float, float], left_s: float, deadline: float, budget_s: float
) -> Plan:
    pair_of_calls = sum(per_call)
    if pair_of_calls * FEWEST_PAIRS > left_s:
        raise BudgetError(_too_slow(arms, per_call, budget_s))
    block_s = max(SHORTEST_BLOCK_S, left_s / (2 * MOST_PAIRS))
    calls = max(1, math.ceil(2 * block_s / pair_of_calls))
    calls = min(calls, int(left_s / (FEWEST_PAIRS * pair_of_calls)))
    pair_s = calls * pair_of_calls
    return Plan(calls, 2 if left_s / pair_s >= PAIRS_WORTH_BALANCING else 1, pair_s, deadline)


def _too_slow(arms: ArmPair, per_call: tuple[float, float], budget_s: float) -> str:
    times = " and ".join(
        f"{arm.name!r} {call_s:.3g} s" for arm, call_s in zip(arms, per_call, strict=True)
    )
    return (
        f"a call takes {times}, and {FEWEST_PAIRS} pairs of them do not fit into a budget of "
        f"{budget_s:.3g} s; raise budget_s"
    )


def draw_orders(draw: np.random.Generator, pairs_per_coin: int) -> Iterator[tuple[bool, ...]]:
    """Without end, the orders of the next one or two pairs: True starts with the candidate.

    Two pairs that share a coin start with different arms, so that a steady drift cancels.
    """
    while True:
        candidate_first = bool(draw.random() < 0.5)
        yield (candidate_first, not candidate_first)[:pairs_per_coin]


@dataclass(frozen=True)
class Pair:
    """One block of each arm, side by side: seconds a call, by the clock and of the processor."""

    baseline_s: float
    candidate_s: float
    candidate_first: bool
    baseline_cpu_s: float
    candidate_cpu_s: float


@dataclass(frozen=True)
class Turn:
    """The pairs that share a coin, and what the system counted meanwhile."""

    pairs: tuple[Pair, ...]
    switches: int
    faults: int
    stolen: int


def time_pairs(
    arms: ArmPair,
    clock: Clock,
    plan: Plan,
    draw: np.random.Generator,
    fewest: int = FEWEST_PAIRS,
) -> Samples:
    """Run pairs until the plan's deadline, at least `fewest` and at most `MOST_PAIRS`."""
    turns: list[Turn] = []
    before = clock.counters()
    for orders in draw_orders(draw, plan.pairs_per_coin):
        done = len(turns) * plan.pairs_per_coin
        late = clock.now() + len(orders) * plan.pair_s > plan.deadline
        if done >= fewest and (late or done >= MOST_PAIRS):
            break
        pairs = tuple(_time_pair(arms, clock, plan.calls_per_block, first) for first in orders)
        after = clock.counters()
        turns.append(_turn(pairs, before, after))
        before = after
    return _samples(turns, undisturbed_turns(turns, fewest / plan.pairs_per_coin), plan)


def _turn(pairs: tuple[Pair, ...], before: Counters, after: Counters) -> Turn:
    return Turn(
        pairs,
        switches=after.switches - before.switches,
        faults=after.faults - before.faults,
        stolen=after.stolen - before.stolen,
    )


def undisturbed_turns(turns: list[Turn], fewest: float) -> list[Turn]:
    """Drop the turns that the system's counters show to have been disturbed.

    The rule, fixed in advance: a turn is dropped if the thread lost its core in it, if the
    hypervisor took a tick, or if it had more than `FAULTS_FACTOR` times the usual page faults
    and `FAULTS_MORE` besides. It looks at no time, and at both arms of a turn together, so it
    favours neither. Where less than half or fewer than `fewest` would be left, all are kept.
    """
    usual = float(np.median([turn.faults for turn in turns]))
    most = FAULTS_FACTOR * usual + FAULTS_MORE
    calm = [t for t in turns if not t.switches and not t.stolen and t.faults <= most]
    return calm if len(calm) >= max(fewest, len(turns) / 2) else turns


def _samples(turns: list[Turn], calm: list[Turn], plan: Plan) -> Samples:
    pairs = [pair for turn in calm for pair in turn.pairs]
    return Samples(
        baseline_s=tuple(pair.baseline_s for pair in pairs),
        candidate_s=tuple(pair.candidate_s for pair in pairs),
        candidate_first=tuple(pair.candidate_first for pair in pairs),
        calls_per_block=plan.calls_per_block,
        pairs_per_coin=plan.pairs_per_coin,
        baseline_cpu_s=tuple(pair.baseline_cpu_s for pair in pairs),
        candidate_cpu_s=tuple(pair.candidate_cpu_s for pair in pairs),
        dropped=(len(turns) - len(calm)) * plan.pairs_per_coin,
    )


def _time_pair(arms: ArmPair, clock: Clock, calls: int, candidate_first: bool) -> Pair:
    baseline, candidate = arms
    if candidate_first:
        second, second_cpu = _block(candidate, clock, calls)
        first, first_cpu = _block(baseline, clock, calls)
    else:
        first, first_cpu = _block(baseline, clock, calls)
        second, second_cpu = _block(candidate, clock, calls)
    return Pair(first, second, candidate_first, first_cpu, second_cpu)


def _block(arm: Arm, clock: Clock, calls: int) -> tuple[float, float]:
    """Seconds a call of one block, by the clock and of this thread's processor."""
    start = clock.processor_s()
    block_s = arm.seconds(calls, clock)
    return block_s / calls, (clock.processor_s() - start) / calls
