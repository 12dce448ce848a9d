"""A made-up device with a queue: what its launches and kernels cost is known.

The host's clock moves when the host does something; the device has a time of its own, which
runs through the queue and never ahead of the host. A queue holds so many
launches: a host that launches more waits. A kernel takes longer if its tensor is not in the
cache.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, count

import numpy as np

from investigation.timing.clock import Counters
from investigation.timing.device.queue import NotReachedError

NOISE = 0.002
CLOCK_S = 2e-8
MARK_S = 1e-7
SYNCHRONIZE_S = 5e-6


def normals(seed: int, centre: float = 0.0, spread: float = 1.0) -> Iterator[float]:
    """Normal numbers without end; drawn one at a time they would take most of a simulation."""
    draw = np.random.default_rng(seed)
    return chain.from_iterable(draw.normal(centre, spread, 4096).tolist() for _ in count())


@dataclass(frozen=True)
class Kernel:
    """What a launch costs the host, and the device with its tensor cached or not."""

    tensor: str
    host_s: float
    warm_s: float
    cold_s: float
    size: int = 2**22


@dataclass(frozen=True)
class Mark:
    """When the device comes to it."""

    device_s: float


@dataclass
class SimulatedDevice:
    """A queue in the sense of `investigation.timing.device.queue`, with a clock for the host."""

    cache: int = 2**25
    depth: int = 1000
    has_graphs: bool = True
    placement: float = (
        0.0  # how much graphs differ by where their tensors lie: a standard deviation
    )
    graph_launch_s: float = 6e-6
    capture_s: float = 0.0
    sweep_host_s: float = 5e-6
    sweep_device_s: float = 170e-6
    host_s: float = 0.0
    device_s: float = 0.0  # when the device is done with all that was queued so far
    queued: deque = field(default_factory=deque)
    cached: OrderedDict = field(default_factory=OrderedDict)
    held: int = 0  # bytes of what is cached
    recording: list | None = None
    noise: Iterator[float] = field(default_factory=lambda: normals(0, 1.0, NOISE))
    placements: Iterator[float] = field(default_factory=lambda: normals(1))

    def now(self):
        self.host_s += CLOCK_S
        return self.host_s

    def processor_s(self):
        return self.now()

    def counters(self):
        return Counters(0, 0, 0)

    def synchronize(self):
        self.host_s = max(self.host_s, self.device_s) + SYNCHRONIZE_S

    def mark(self):
        self.host_s += MARK_S
        return Mark(self._done_after(0.0))

    def reached(self, mark):
        return self.host_s >= mark.device_s

    def between(self, first, last):
        if not (self.reached(first) and self.reached(last)):
            raise NotReachedError("not reached")
        return last.device_s - first.device_s

    def sweep(self):
        self.host_s += self.sweep_host_s * next(self.noise)
        self._done_after(self.sweep_device_s)
        self.cached.clear()
        self.held = 0

    def captured(self, work):
        if not self.has_graphs:
            return None
        self.recording = kernels = []
        self.host_s += self.capture_s
        work()
        self.recording = None
        slower = 1 + self.placement * next(self.placements)

        def replay():
            self._launch(self.graph_launch_s)
            for kernel in kernels:
                self._run(kernel, slower)

        return replay

    def call(self, *kernels, host_s=0.0):
        """A callable that launches these kernels one after the other, and does more on the host."""

        def ask():
            if self.recording is not None:
                self.recording += kernels
                return
            self.host_s += host_s * next(self.noise)
            for kernel in kernels:
                self._launch(kernel.host_s)
                self._run(kernel)

        return ask

    def _launch(self, seconds):
        queued = self.queued
        while queued and queued[0] <= self.host_s:
            queued.popleft()
        if len(queued) >= self.depth:
            self.host_s = queued.popleft()
        self.host_s += seconds * next(self.noise)

    def _run(self, kernel, slower=1.0):
        if kernel.tensor in self.cached:
            self.cached.move_to_end(kernel.tensor)
            seconds = kernel.warm_s
        else:
            self._cache(kernel)
            seconds = kernel.cold_s
        self.queued.append(self._done_after(slower * seconds * next(self.noise)))

    def _cache(self, kernel):
        self.cached[kernel.tensor] = kernel.size
        self.held += kernel.size
        while self.held > self.cache:
            _, size = self.cached.popitem(last=False)
            self.held -= size

    def _done_after(self, seconds):
        begins = self.device_s if self.device_s > self.host_s else self.host_s  # max takes longer
        self.device_s = begins + seconds
        return self.device_s
