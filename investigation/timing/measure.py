"""Which of two callables is slower, and by how much: the paired timing of the book.

A comparison is a series of pairs, a pair one block of each arm in an order drawn by coin, a block
a handful of calls timed together. Blocks are short, so that both arms meet the same machine.
A few pairs in a row make a round, which keeps each arm's fastest block, so that a neighbour's
burst is left out by rule and not by hand. The coin makes the interval hold whatever the noise
(see `investigation.timing.statistics`).

Stopping rule: the clock alone. The number of pairs depends on the budget and never on the
ratio seen so far, because looking and stopping when it pleases turns a 5 % error rate into
30 % and more (Armitage, McPherson and Rowe, Repeated significance tests on accumulating data,
1969). A sequential rule that keeps the rate would pay for it in precision at a fixed budget,
which is what a notebook cell has.
"""

import gc
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Protocol

import numpy as np
import torch

from investigation.timing import noise, statistics
from investigation.timing.comparison import Comparison, Samples

__all__ = [
    "BudgetError",
    "Comparison",
    "DeviceError",
    "MeasurementError",
    "Samples",
    "SettingsError",
    "TooFastError",
    "compare",
]

Function = Callable[[], object]

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
CALLS_OF_NOTHING = 200


# How much longer a comparison may take where the first budget did not hold six pairs.
PATIENCE = 20


class MeasurementError(ValueError):
    """A comparison that cannot be made as asked; the message says why and what would help."""


class SettingsError(MeasurementError):
    """A budget, margin, confidence or thread count that makes no sense."""


class DeviceError(MeasurementError):
    """A device that is not there."""


class TooFastError(MeasurementError):
    """A callable that takes no longer than calling nothing."""


class BudgetError(MeasurementError):
    """A callable too slow for the budget."""


class Clock(Protocol):
    """What the timing needs of the world; tests put a made-up world in its place."""

    def now(self) -> float:
        """Seconds since some moment."""

    def synchronize(self) -> None:
        """Return when the device has finished all that was asked of it."""


@dataclass(frozen=True)
class DeviceClock:
    """The processor's clock, waiting for the device's queue where it has one."""

    device: torch.device

    @classmethod
    def of(cls, device: str) -> "DeviceClock":
        """Find `device`, such as "cpu" or "cuda:0"; DeviceError where there is none."""
        present = available_devices()
        try:
            found = torch.device(device)
        except RuntimeError:
            raise DeviceError(_no_device(device, present)) from None
        known = found.type in present or str(found) in present
        if not known:
            raise DeviceError(_no_device(device, present))
        return cls(found)

    def now(self) -> float:
        """Seconds of the highest-resolution clock there is."""
        return time.perf_counter()

    def synchronize(self) -> None:
        """Wait for the device's queue; nothing to wait for on a CPU."""
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)


def available_devices() -> tuple[str, ...]:
    """Name the devices that can be timed here, such as ("cpu", "cuda", "cuda:0")."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return ("cpu",)
    kind = accelerator.type
    indices = range(torch.accelerator.device_count())
    return ("cpu", kind, *(f"{kind}:{index}" for index in indices))


def _no_device(device: str, present: tuple[str, ...]) -> str:
    return f"there is no device {device!r} here; available: {', '.join(present)}"


@dataclass(frozen=True)
class Settings:
    """How to compare; SettingsError where a value makes no sense."""

    budget_s: float = 1.0
    margin: float = 0.01
    confidence: float = 0.95
    seed: int = 0
    device: str = "cpu"
    threads: int = 1
    grad: bool = False
    name: str = "candidate"
    baseline_name: str = "baseline"

    def __post_init__(self) -> None:
        _require_positive("budget_s", self.budget_s, "seconds")
        _require_positive("margin", self.margin, "a share, such as 0.01 for one per cent")
        if not 0 < self.confidence < 1:
            raise SettingsError(f"confidence must lie between 0 and 1, not {self.confidence}")
        if self.threads < 1:
            raise SettingsError(f"threads must be 1 or more, not {self.threads}")


def _require_positive(name: str, value: float, meaning: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise SettingsError(f"{name} must be positive and finite ({meaning}), not {value}")


def compare(
    baseline: Function,
    candidate: Function,
    *,
    budget_s: float = 1.0,
    margin: float = 0.01,
    confidence: float = 0.95,
    seed: int | None = None,
    device: str = "cpu",
    threads: int = 1,
    grad: bool = False,
    name: str = "candidate",
    baseline_name: str = "baseline",
) -> Comparison:
    """Time `candidate` against `baseline`, both without arguments.

    `budget_s` is for all of it, warm-up and analysis included. `margin` is what counts as
    equal, as a share of the baseline. `seed` draws the order; None takes a fresh one, which the
    result names. `device` is waited for around each block; `threads` and `grad` are set for the
    duration and restored, as is the garbage collector, which is off meanwhile.

    Raises SettingsError, DeviceError, TooFastError or BudgetError, all of them
    MeasurementError; what a callable itself raises passes through with a note naming the arm.
    """
    return compare_on(
        DeviceClock.of(device),
        Settings(
            budget_s=budget_s,
            margin=margin,
            confidence=confidence,
            seed=_fresh_seed() if seed is None else seed,
            device=device,
            threads=threads,
            grad=grad,
            name=name,
            baseline_name=baseline_name,
        ),
        baseline,
        candidate,
    )


def compare_patiently(
    baseline: Function, candidate: Function, *, budget_s: float = 1.0, **settings: Any
) -> Comparison:
    """Do as `compare`, and once more with `PATIENCE` times the budget where it is too small.

    For a book that must not fail because a machine was slow for a second. Nothing has been
    compared when the budget turns out too small, so trying again favours no outcome.
    """
    try:
        return compare(baseline, candidate, budget_s=budget_s, **settings)
    except BudgetError:
        return compare(baseline, candidate, budget_s=PATIENCE * budget_s, **settings)


def _fresh_seed() -> int:
    return int(np.random.SeedSequence().generate_state(1)[0])


def compare_on(
    clock: Clock, settings: Settings, baseline: Function, candidate: Function
) -> Comparison:
    """`compare` with the clock and the settings given."""
    start, before = clock.now(), noise.read()
    arms = Arm(settings.baseline_name, baseline), Arm(settings.name, candidate)
    with _controlled(settings):
        plan = plan_pairs(arms, clock, start, settings.budget_s)
        samples = time_pairs(arms, clock, plan, settings.seed)
    comparison = Comparison.of(
        samples,
        margin=settings.margin,
        confidence=settings.confidence,
        warnings=noise.warnings(before, noise.read()),
        elapsed_s=math.nan,
        **{key: getattr(settings, key) for key in _CONTEXT},
    )
    object.__setattr__(comparison, "elapsed_s", clock.now() - start)
    return comparison


_CONTEXT = ("seed", "threads", "device", "grad", "name", "baseline_name")


@contextmanager
def _controlled(settings: Settings) -> Iterator[None]:
    """Set threads and grad mode, keep the garbage collector out, and put all of it back.

    Only the young are collected first: a full collection takes 0.2 s with torch loaded, and
    with the collector off what is old cannot be collected during the timing anyway.
    """
    threads, collecting = torch.get_num_threads(), gc.isenabled()
    gc.collect(1)
    gc.disable()
    torch.set_num_threads(settings.threads)
    try:
        with torch.set_grad_enabled(settings.grad):
            yield
    finally:
        torch.set_num_threads(threads)
        if collecting:
            gc.enable()


@dataclass(frozen=True)
class Arm:
    """One of the two callables, with the name that the reader gave it."""

    name: str
    function: Function

    def seconds(self, calls: int, clock: Clock) -> float:
        """Time a block of `calls` calls; no result outlives its call."""
        function = self.function
        try:
            start = clock.now()
            for _ in repeat(None, calls):
                function()
            clock.synchronize()
            return clock.now() - start
        except Exception as error:
            error.add_note(f"raised by the arm {self.name!r} of a comparison")
            raise


Arms = tuple[Arm, Arm]


@dataclass(frozen=True)
class Plan:
    """Fixed before the first pair and never changed by what is measured."""

    calls_per_block: int
    pairs_per_coin: int
    pair_s: float  # expected
    deadline: float  # on the clock


def plan_pairs(arms: Arms, clock: Clock, start: float, budget_s: float) -> Plan:
    """Warm both arms up, learn how long a call takes, and lay out the pairs.

    Raises TooFastError and BudgetError.
    """
    per_call = _warm_up(arms, clock, start, budget_s)
    for arm, call_s in zip(arms, per_call, strict=True):
        _require_visible(arm, call_s, clock)
    deadline = start + budget_s * (1 - ANALYSIS_SHARE)
    return _lay_out(arms, per_call, deadline - clock.now(), deadline, budget_s)


def _warm_up(arms: Arms, clock: Clock, start: float, budget_s: float) -> tuple[float, float]:
    """Least seconds a call of each arm, in blocks that double until they are long enough.

    The first call counts too: it is slow where there is something to prepare, and where there
    is not it outvotes a block that met a stall.
    """
    least = []
    for arm in arms:
        least.append(arm.seconds(1, clock))
        if clock.now() - start > budget_s:
            raise BudgetError(_slow_start(arm, least[-1], budget_s))
    calls, warmed = [1, 1], False
    while not warmed or clock.now() - start < WARM_UP_SHARE * budget_s:
        warmed = True
        for index, arm in enumerate(arms):
            block_s = arm.seconds(calls[index], clock)
            least[index] = min(least[index], block_s / calls[index])
            calls[index] *= 1 + (block_s < SHORTEST_BLOCK_S)
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


def _nothing() -> None:
    pass


def _lay_out(
    arms: Arms, per_call: tuple[float, float], left_s: float, deadline: float, budget_s: float
) -> Plan:
    pair_of_calls = sum(per_call)
    if pair_of_calls * FEWEST_PAIRS > left_s:
        raise BudgetError(_too_slow(arms, per_call, budget_s))
    block_s = max(SHORTEST_BLOCK_S, left_s / (2 * MOST_PAIRS))
    calls = max(1, math.ceil(2 * block_s / pair_of_calls))
    calls = min(calls, int(left_s / (FEWEST_PAIRS * pair_of_calls)))
    pair_s = calls * pair_of_calls
    return Plan(calls, 2 if left_s / pair_s >= PAIRS_WORTH_BALANCING else 1, pair_s, deadline)


def _too_slow(arms: Arms, per_call: tuple[float, float], budget_s: float) -> str:
    times = " and ".join(
        f"{arm.name!r} {call_s:.3g} s" for arm, call_s in zip(arms, per_call, strict=True)
    )
    return (
        f"a call takes {times}, and {FEWEST_PAIRS} pairs of them do not fit into a budget of "
        f"{budget_s:.3g} s; raise budget_s"
    )


def draw_orders(seed: int, pairs_per_coin: int) -> Iterator[tuple[bool, ...]]:
    """Without end, the orders of the next one or two pairs: True starts with the candidate.

    Two pairs that share a coin start with different arms, so that a steady drift cancels.
    """
    draw = np.random.default_rng(seed)
    while True:
        candidate_first = bool(draw.random() < 0.5)
        yield (candidate_first, not candidate_first)[:pairs_per_coin]


def time_pairs(arms: Arms, clock: Clock, plan: Plan, seed: int) -> Samples:
    """Run pairs until the plan's deadline, at least `FEWEST_PAIRS` and at most `MOST_PAIRS`."""
    pairs: list[tuple[float, float, bool]] = []
    for orders in draw_orders(seed, plan.pairs_per_coin):
        late = clock.now() + len(orders) * plan.pair_s > plan.deadline
        if len(pairs) >= FEWEST_PAIRS and (late or len(pairs) >= MOST_PAIRS):
            break
        pairs += [_time_pair(arms, clock, plan.calls_per_block, first) for first in orders]
    baseline_s, candidate_s, candidate_first = zip(*pairs, strict=True)
    return Samples(
        baseline_s, candidate_s, candidate_first, plan.calls_per_block, plan.pairs_per_coin
    )


def _time_pair(
    arms: Arms, clock: Clock, calls: int, candidate_first: bool
) -> tuple[float, float, bool]:
    baseline, candidate = arms
    if candidate_first:
        candidate_s = candidate.seconds(calls, clock)
        return baseline.seconds(calls, clock) / calls, candidate_s / calls, True
    baseline_s = baseline.seconds(calls, clock)
    return baseline_s / calls, candidate.seconds(calls, clock) / calls, False
