"""Which of two programs is slower: both arms made anew several times, and timed each time.

Where a callable's code and operands come to lie in memory makes it faster or slower by more than
a comparison of two objects can resolve. So both arms are made several times, by functions that
the caller hands in; which arm is made first is drawn by coin, and memory of a random size is held
before each, so that no arm keeps a place of its own. Each preparation is a short comparison in
pairs; the interval is that of the signed-rank test over one estimate a preparation
(`investigation.timing.statistics` says why), and holds for the two programs in this process.

How many preparations there are, and how long each is timed, follows from a pilot: what making
both arms takes, and what a call takes. The ratio has no say.
"""

import gc
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch

from investigation.interpreter import with_room
from investigation.timing import noise
from investigation.timing.arms import Arm, ArmPair, Function
from investigation.timing.clock import Clock, DeviceClock
from investigation.timing.comparison import Comparison
from investigation.timing.errors import BudgetError, MakerError, SettingsError
from investigation.timing.measure import patiently, settled, undisturbed, with_threads
from investigation.timing.pairs import ANALYSIS_SHARE, SHORTEST_BLOCK_S, Plan, time_pairs, warm_up
from investigation.timing.sampled import Sampled
from investigation.timing.samples import ROUNDS_IN_A_PREPARATION, Samples
from investigation.timing.settings import Settings

Maker = Callable[[], Function]

# With fewer than 11 there is no interval at 99.9 %, at which one of many comparisons is judged;
# with 15 there is one at 99.99 %, for controls, and one more is there for a tie.
FEWEST, WANTED, MOST = 11, 16, 48
# More than are wanted are made where each is timed for as long as this: a preparation much
# shorter than a scheduler's time slice is spoilt as a whole by a neighbour.
LONG_ENOUGH_S = 0.05
# Of the seconds of a preparation, making may take this share before fewer are made than wanted.
MAKING_SHARE = 0.7
# Memory held before an arm is made: pieces of every size up to a megabyte, in cache lines. An
# allocator hands out the smallest hole that fits, so it takes many sizes to fill the hole that the
# last operands have left. And small Python objects, for closures and the like.
PADS, PAD_LINES, LINE_BYTES, PAD_OBJECTS = 8, 2**14, 64, 64


class MakesArms(Protocol):
    """Makes both arms anew at each call, each time somewhere else in memory."""

    settings: Settings
    draw: np.random.Generator

    def arms(self) -> ArmPair:
        """Make both arms, in an order drawn by coin."""


@dataclass(frozen=True)
class Pilot:
    """What the first preparations took, in seconds: making both arms, and a call of each."""

    making_s: float
    per_call_s: tuple[float, float]

    @property
    def pair_s(self) -> float:
        """A call of each arm."""
        return sum(self.per_call_s)


def compare_made(
    make_baseline: Maker,
    make_candidate: Maker,
    *,
    preparations: int | None = None,
    **settings: Any,
) -> Comparison:
    """Time what `make_candidate` returns against what `make_baseline` returns, made anew each time.

    `settings` are those of `Settings`; `budget_s` covers the making. `preparations` is how often
    both arms are made, planned from a pilot where it is None. The interval of the result holds
    for the two programs in this process, and `spread` has how much preparations vary.

    Raises as `measure.compare` does, and MakerError for a maker that raises or returns something
    that cannot be compared; the message names the arm and the preparation.
    """
    chosen = settled(settings)
    clock, makers = DeviceClock.of(chosen.device), (make_baseline, make_candidate)
    return compare_made_on(clock, chosen, makers, preparations)


def compare_made_patiently(
    make_baseline: Maker, make_candidate: Maker, *, budget_s: float = 1.0, **settings: Any
) -> Comparison:
    """Do as `compare_made`, and again with more, if the budget is too small."""
    return patiently(partial(compare_made, make_baseline, make_candidate, **settings), budget_s)


def sample_made(
    make_baseline: Maker,
    make_candidate: Maker,
    *,
    preparations: int | None = None,
    **settings: Any,
) -> Sampled:
    """Do as `compare_made`, and leave it to another process to judge."""
    chosen = settled(settings)
    clock, makers = DeviceClock.of(chosen.device), (make_baseline, make_candidate)
    return sample_made_on(clock, chosen, makers, preparations)


def sample_made_patiently(
    make_baseline: Maker, make_candidate: Maker, *, budget_s: float = 1.0, **settings: Any
) -> Sampled:
    """Do as `compare_made_patiently`, and leave it to another process to judge."""
    return patiently(partial(sample_made, make_baseline, make_candidate, **settings), budget_s)


def compare_made_on(
    clock: Clock, settings: Settings, makers: tuple[Maker, Maker], preparations: int | None = None
) -> Comparison:
    """`compare_made` with the clock and the settings given."""
    start = clock.now()
    judged = Comparison.judging(sample_made_on(clock, settings, makers, preparations))
    return replace(judged, elapsed_s=clock.now() - start)


@with_room
def sample_made_on(
    clock: Clock, settings: Settings, makers: tuple[Maker, Maker], preparations: int | None = None
) -> Sampled:
    """Time what two makers make, and judge nothing."""
    if preparations is not None and preparations < 2:
        raise SettingsError(f"preparations must be 2 or more, not {preparations}")
    start, before = clock.now(), noise.read()
    with with_threads(settings.threads), undisturbed(grad=settings.grad):
        making = Making(settings, makers, np.random.default_rng(settings.seed))
        samples = samples_of(making, clock, start, preparations)
    warnings = noise.warnings(before, noise.read())
    return Sampled(samples, settings, warnings, clock.now() - start)


def samples_of(
    making: MakesArms, clock: Clock, start: float, preparations: int | None = None
) -> Samples:
    """Time what `making` makes, in as many preparations as its budget has room for.

    The budget counts from `start` on the clock. Raises BudgetError, and what making raises.
    """
    settings = making.settings
    pilot = _pilot(making, clock, start)
    deadline = start + settings.budget_s * (1 - ANALYSIS_SHARE)
    number = preparations or _how_many(pilot, deadline - clock.now())
    _require_time(number, pilot, deadline - clock.now(), settings)
    return _time_all(making, clock, pilot, number, deadline)


def padding(draw: np.random.Generator, lines: int, device: str = "cpu") -> Function:
    """Return what takes memory in pieces of drawn sizes, up to so many cache lines each."""
    drawn = np.exp(draw.uniform(0, math.log(lines), PADS)).astype(int)
    sizes = [int(line) * LINE_BYTES for line in drawn]
    return lambda: [torch.empty(size, dtype=torch.uint8, device=device) for size in sizes]


@dataclass
class Making:
    """Makes both arms, each time in an order drawn by coin and somewhere else in memory.

    `held` is kept until the end: what is freed is what the next arm would be given.
    """

    settings: Settings
    makers: tuple[Maker, Maker]
    draw: np.random.Generator
    prepared: int = 0
    kind: type | None = None
    held: list[object] = field(default_factory=list)

    def arms(self) -> ArmPair:
        """Make both arms anew."""
        self.prepared += 1
        candidate_first = bool(self.draw.random() < 0.5)
        arms: dict[bool, Arm] = {}
        for is_candidate in (candidate_first, not candidate_first):
            self.held.append(self._padding())
            arms[is_candidate] = self._arm(is_candidate)
        return arms[False], arms[True]

    def _padding(self) -> object:
        pads = padding(self.draw, PAD_LINES)
        return pads(), [{} for _ in range(self.draw.integers(1, PAD_OBJECTS))]

    def _arm(self, is_candidate: bool) -> Arm:
        settings = self.settings
        name = settings.name if is_candidate else settings.baseline_name
        which = f"{name!r}, preparation {self.prepared}"
        try:
            function = self.makers[is_candidate]()
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise MakerError(f"making {which} failed: {reason}") from error
        self._require_comparable(function, which)
        return Arm(name, function)

    def _require_comparable(self, function: object, which: str) -> None:
        kind = type(function)
        if not callable(function):
            raise MakerError(
                f"the maker of {which} returned {kind.__name__}, which is not callable"
            )
        if self.kind not in (None, kind):
            raise MakerError(
                f"the maker of {which} returned {kind.__name__}, and another {self.kind.__name__}; "
                "two kinds of callable differ in what it takes to call them"
            )
        self.kind = kind


def _pilot(making: MakesArms, clock: Clock, start: float) -> Pilot:
    """Make both arms twice, the second time without what happens only once, and warm them up."""
    budget_s, making_s, per_call = making.settings.budget_s, math.inf, (0.0, 0.0)
    for _ in range(2):
        began = clock.now()
        arms = making.arms()
        making_s = min(making_s, clock.now() - began)
        if clock.now() - start > budget_s:
            raise _too_slow(making.settings, making_s, FEWEST)
        per_call = warm_up(arms, clock, clock.now(), budget_s / 4, making.draw)
    return Pilot(making_s, per_call)


def _how_many(pilot: Pilot, left_s: float) -> int:
    """Return how many preparations there is time for, 0 where there is none for the fewest."""
    at_length = int(left_s / max(pilot.making_s + LONG_ENOUGH_S, _shortest_s(pilot)))
    if at_length >= WANTED:
        return min(MOST, at_length)
    affordable = int(left_s * MAKING_SHARE / max(pilot.making_s, 1e-9))
    possible = int(left_s / _shortest_s(pilot))
    planned = max(min(WANTED, affordable, possible), min(FEWEST, possible))
    return planned if planned >= FEWEST else 0


def _shortest_s(pilot: Pilot) -> float:
    """Return the least seconds of a preparation: making, warming up, and the fewest pairs."""
    return pilot.making_s + (1 + ROUNDS_IN_A_PREPARATION) * pilot.pair_s


def _require_time(number: int, pilot: Pilot, left_s: float, settings: Settings) -> None:
    if not number or number * _shortest_s(pilot) > left_s:
        raise _too_slow(settings, _shortest_s(pilot), number or FEWEST)


def _too_slow(settings: Settings, preparation_s: float, number: int) -> BudgetError:
    message = (
        f"a preparation of {settings.baseline_name!r} and {settings.name!r} takes "
        f"{preparation_s:.3g} s, and {number} of them do not fit into a budget of "
        f"{settings.budget_s:.3g} s; raise budget_s"
    )
    # The pilot makes two more, and a machine is not always as fast as in its pilot.
    return BudgetError(message, needed_s=1.5 * (max(number, WANTED) + 2) * preparation_s)


def _time_all(
    making: MakesArms, clock: Clock, pilot: Pilot, number: int, deadline: float
) -> Samples:
    """Prepare and time so often; each preparation has an equal share of what time is left."""
    share_s = (deadline - clock.now()) / number - pilot.making_s
    calls = max(1, math.ceil(2 * SHORTEST_BLOCK_S / pilot.pair_s))
    calls = max(1, min(calls, int(share_s / (ROUNDS_IN_A_PREPARATION * pilot.pair_s))))
    balanced = share_s / (calls * pilot.pair_s) >= 2 * (1 + ROUNDS_IN_A_PREPARATION)
    parts = []
    for left in range(number, 0, -1):
        gc.collect(1)  # what was made before may lie in cycles
        end = clock.now() + (deadline - clock.now()) / left
        plan = Plan(calls, 2 if balanced else 1, calls * pilot.pair_s, end)
        parts.append(_time_one(making, clock, plan))
    return Samples.together(parts)


def _time_one(making: MakesArms, clock: Clock, plan: Plan) -> Samples:
    """Make both arms, warm them up, and time them.

    The coin decides which arm is warmed up last: when the pairs begin, that one finds its data in
    the cache, which counts in a preparation of three pairs.
    """
    arms = making.arms()
    for index in making.draw.permutation(2):
        arms[index].seconds(plan.calls_per_block, clock)
    fewest = ROUNDS_IN_A_PREPARATION * plan.pairs_per_coin
    return time_pairs(arms, clock, plan, making.draw, fewest)
