"""What a call costs beside a device: three quantities that one number would mix.

- *host*: the time that the host needs to hand a call over, the queue being empty and the
  device's work not waited for;
- *device*: the time that the device needs for the call's kernels, between two marks in its
  queue, the host being ahead of it, so that no launch is waited for;
- *end to end*: from the first call of a block until the device is done with the last.

Device time is measured over inputs in rotation, which together exceed every cache, and once
more *cold*, one call behind a pass over memory that leaves nothing of it in a cache.

Where the tensors of a captured graph come to lie makes it faster or slower, so both arms are made
several times in each comparison, with memory of a random size held before each. The preparations,
the order of the two arms, the rounds and the verdict are those of
`investigation.timing.preparations`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, repeat
from typing import Any

import numpy as np

from investigation.evidence.kinds.timings import Quantity
from investigation.interpreter import with_room
from investigation.timing.arms import Arm, ArmPair, Function
from investigation.timing.comparison import Comparison
from investigation.timing.device import watch as device_watch
from investigation.timing.device.queue import Queue
from investigation.timing.device.watch import Watch
from investigation.timing.errors import MeasurementError
from investigation.timing.measure import undisturbed
from investigation.timing.preparations import padding, samples_of
from investigation.timing.settings import Settings

# A CUDA queue holds about a thousand launches; a host that fills it waits for the device.
LAUNCHES_AHEAD = 256
# The clocks of a device that idled come up within this time; it is no part of any budget.
WARM_UP_S = 0.3
# A sweep takes many times as long as a call: a block of more cold calls leaves few blocks.
COLD_CALLS = 4
# A sample whose marks were reached before all of it was handed over is taken again behind more
# sweeps: so often, each time behind twice as many.
DOUBLINGS = 8
# Pads of up to 8 MiB: a device's allocator keeps pieces of more than 1 MiB apart from smaller ones.
PAD_LINES = 2**17


class QueueRanDryError(MeasurementError):
    """A device so fast, or a host so slow, that the device waited inside a sample."""


@dataclass(frozen=True)
class Rotation:
    """One arm's work: the same call over several inputs, and how many launches a call makes."""

    calls: tuple[Function, ...]
    launches: int

    def all(self) -> list[object]:
        """Call once with each input; the results are kept, so that each has its own memory."""
        return [call() for call in self.calls]

    def behind(self, pads: Function) -> Function:
        """Return what calls once with each input, in memory that begins behind the pads."""
        return lambda: (pads(), self.all())

    def in_turn(self, first: int = 0) -> Function:
        """Return one callable that takes the next input at each call, `first` to begin with."""
        turn = cycle((*self.calls[first:], *self.calls[:first])).__next__
        return lambda: turn()()


@dataclass(frozen=True)
class HostArm(Arm):
    """An arm timed until the host has handed its calls over."""

    calls_ahead: int

    def seconds(self, calls: int, clock: Any) -> float:
        """Host seconds for `calls` calls, in groups that the queue has room for."""
        groups = [self.calls_ahead] * (calls // self.calls_ahead)
        rest = calls % self.calls_ahead
        return sum(self._group(size, clock) for size in (*groups, rest) if size)

    def _group(self, calls: int, queue: Queue) -> float:
        function = self.function
        queue.synchronize()
        start = queue.now()
        for _ in repeat(None, calls):
            function()
        taken = queue.now() - start
        queue.synchronize()
        return taken


@dataclass(frozen=True)
class EndToEndArm(Arm):
    """An arm timed from an empty queue to an empty queue."""

    def seconds(self, calls: int, clock: Any) -> float:
        """Host seconds from the first of `calls` calls until the device is done with the last."""
        function = self.function
        clock.synchronize()
        start = clock.now()
        for _ in repeat(None, calls):
            function()
        clock.synchronize()
        return float(clock.now() - start)


@dataclass
class Plug:
    """Sweeps in front of a sample, so that the host is ahead of the device when it begins."""

    sweeps: int = 1

    def timed(self, queue: Queue, work: Function) -> float:
        """Device seconds of `work`, handed over in full before the device came to it.

        Whether a sample counts depends on who was ahead, never on how long it took.
        Raises QueueRanDryError.
        """
        for _ in range(DOUBLINGS):
            queue.synchronize()
            for _ in range(self.sweeps):
                queue.sweep()
            first = queue.mark()
            work()
            last = queue.mark()
            ahead = not queue.reached(first)
            queue.synchronize()
            if ahead:
                return queue.between(first, last)
            self.sweeps *= 2
        raise QueueRanDryError(
            f"the device came to a sample before the host had handed it over, also behind "
            f"{self.sweeps // 2} sweeps of memory; a smaller block would help"
        )


@dataclass(frozen=True)
class DeviceArm(Arm):
    """An arm timed by marks in the device's queue around whole turns of its rotation."""

    calls_per_turn: int
    plug: Plug

    def seconds(self, calls: int, clock: Any) -> float:
        """Device seconds for `calls` calls, from as many whole turns as come nearest to them."""
        turns = max(1, round(calls / self.calls_per_turn))
        taken = self.plug.timed(clock, lambda: _repeated(self.function, turns))
        return taken * calls / (turns * self.calls_per_turn)


@dataclass(frozen=True)
class ColdArm(Arm):
    """An arm timed call by call, each behind a sweep, so that it finds no cache filled."""

    plug: Plug

    def seconds(self, calls: int, clock: Any) -> float:
        """Device seconds of `calls` calls, from as many as are worth a sweep each."""
        swept = min(calls, COLD_CALLS)
        taken = sum(self.plug.timed(clock, self.function) for _ in range(swept))
        return taken * calls / swept


def _repeated(function: Function, times: int) -> None:
    for _ in repeat(None, times):
        function()


def arm(
    quantity: Quantity,
    name: str,
    rotation: Rotation,
    queue: Queue,
    plug: Plug,
    first: int = 0,
    pads: Function = tuple,
) -> Arm:
    """Return the arm that measures one quantity of a rotation, behind the plug of both arms.

    `first` sets two arms apart in the rotation: an input that the other arm has just used
    would still be in the cache. A graph takes its memory behind `pads`.
    """
    match quantity:
        case "host":
            ahead = max(1, LAUNCHES_AHEAD // max(1, rotation.launches))
            return HostArm(name, rotation.in_turn(first), ahead)
        case "end_to_end":
            return EndToEndArm(name, rotation.in_turn(first))
        case "device":
            work = queue.captured(rotation.behind(pads)) or rotation.all
            return DeviceArm(name, work, len(rotation.calls), plug)
        case "cold":
            alone = Rotation(rotation.calls[:1], rotation.launches)
            return ColdArm(name, queue.captured(alone.behind(pads)) or alone.all, plug)


class DeviceMaking:
    """Makes both arms of a comparison anew: captured again, or called from other memory.

    `held` is kept until the end: what is freed is what the next arm would be given.
    """

    def __init__(
        self,
        quantity: Quantity,
        rotations: tuple[Rotation, Rotation],
        queue: Queue,
        settings: Settings,
    ) -> None:
        self.quantity, self.rotations, self.queue = quantity, rotations, queue
        self.settings, self.draw = settings, np.random.default_rng(settings.seed)
        self.plug, self.held = Plug(), list[object]()

    def arms(self) -> ArmPair:
        """Make both arms, in an order drawn by coin."""
        candidate_first = bool(self.draw.random() < 0.5)
        made = {which: self._arm(which) for which in (candidate_first, not candidate_first)}
        return made[False], made[True]

    def _arm(self, is_candidate: bool) -> Arm:
        settings, rotation = self.settings, self.rotations[is_candidate]
        pads = padding(self.draw, PAD_LINES, settings.device)
        self.held.append(pads())
        return arm(
            self.quantity,
            settings.name if is_candidate else settings.baseline_name,
            rotation,
            self.queue,
            self.plug,
            first=len(rotation.calls) // 2 if is_candidate else 0,
            pads=pads,
        )


@with_room
def compare_on_device(
    queue: Queue,
    quantity: Quantity,
    baseline: Rotation,
    candidate: Rotation,
    settings: Settings,
    watch: Watch = device_watch.nothing,
) -> Comparison:
    """Compare one quantity of two arms, made anew in each preparation.

    Seconds in the result are per call. `watch` reads the device's clocks before and after.
    Raises MeasurementError, as `measure.compare` does.
    """
    with undisturbed(grad=settings.grad):
        warm_up(queue, (baseline, candidate))
        before, start = watch(), queue.now()
        making = DeviceMaking(quantity, (baseline, candidate), queue, settings)
        samples = samples_of(making, queue, start)
        elapsed_s, after = queue.now() - start, watch()
    warnings = device_watch.warnings(before, after)
    return Comparison.of(samples, warnings=warnings, elapsed_s=elapsed_s, **settings.kept)


def warm_up(queue: Queue, rotations: Sequence[Rotation], seconds: float = WARM_UP_S) -> None:
    """Run every rotation in turn, until the device's clocks have had time to come up."""
    start, turns = queue.now(), 0
    while queue.now() - start < seconds or turns < 1:
        for rotation in rotations:
            rotation.all()
        queue.synchronize()
        turns += 1


def rotations_needed(bytes_per_call: int, cache_bytes: int, least: int = 2, most: int = 64) -> int:
    """Return how many inputs a rotation needs for half of them to exceed the cache."""
    return min(most, max(least, math.ceil(2 * cache_bytes / max(1, bytes_per_call))))
