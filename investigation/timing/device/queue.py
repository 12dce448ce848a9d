"""A device that works through a queue while the host goes on: what timing it needs of it.

The interface is small, so that a simulated device can stand in for it: tests know what its
kernels and launches cost, and a timing that forgets to wait, to clear a cache or to pair its
marks finds something else.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from investigation.timing.arms import Function
from investigation.timing.clock import Clock, DeviceClock
from investigation.timing.errors import MeasurementError

# A pass over this many times the largest cache leaves nothing in it of what came before.
SWEPT_CACHES = 4
# Where a device does not tell its cache: larger than any that the catalogue's devices have.
SMALLEST_SWEEP = 512 * 2**20
# Who has a GPU often has an older torch, which names a graph after its device.
GRAPHS = {"cuda": "CUDAGraph", "xpu": "XPUGraph"}


class NotReachedError(MeasurementError):
    """A time between two marks was asked for before the device came to both of them."""


class Mark(Protocol):
    """A moment in the device's queue."""


class Queue(Clock, Protocol):
    """A device's queue, with the host's clock beside it; times in seconds."""

    def mark(self) -> Any:
        """Ask the device to note its time when it gets here; returns a mark."""

    def reached(self, mark: Any) -> bool:
        """Tell whether the device has come to a mark."""

    def between(self, first: Any, last: Any) -> float:
        """Device seconds from one mark to another; NotReachedError before both are reached."""

    def sweep(self) -> None:
        """Ask for a pass over more memory than any cache holds; it reads, and leaves no writes."""

    def captured(self, work: Function) -> Function | None:
        """Record all that `work` asks for; the result asks for it again, at one go.

        None where the device has no such thing.
        """


@dataclass(frozen=True)
class AcceleratorQueue(DeviceClock):
    """The queue of an accelerator that torch supports: cuda, xpu or mps.

    Marks are timed events in the current stream; a capture is a graph, on devices that have
    one. Nothing of the device's own settings is changed.
    """

    swept: Tensor

    @classmethod
    def on(cls, device: str) -> "AcceleratorQueue":
        """Find `device`, such as "cuda"; DeviceError where there is none."""
        found = DeviceClock.of(device).device
        size = max(SMALLEST_SWEEP, SWEPT_CACHES * cache_bytes(found))
        return cls(found, torch.zeros(size // 4, device=found))

    def mark(self) -> torch.Event:
        """Record a timed event in the current stream."""
        event = torch.Event(self.device, enable_timing=True)
        event.record()
        return event

    def reached(self, mark: torch.Event) -> bool:
        """Ask the event."""
        return mark.query()

    def between(self, first: torch.Event, last: torch.Event) -> float:
        """Elapsed time of two events; torch gives milliseconds."""
        if not (first.query() and last.query()):
            raise NotReachedError("a time was asked of two marks before the device reached them")
        return float(first.elapsed_time(last)) / 1e3

    def sweep(self) -> None:
        """Sum a large tensor: a read of everything, whose result is one number."""
        self.swept.sum()

    def captured(self, work: Function) -> Function | None:
        """Capture a graph on a stream of its own; what `work` returns lives as long as it."""
        if self.device.type not in GRAPHS:
            return None
        self.synchronize()
        with torch.Stream(self.device):
            work()  # libraries set themselves up at their first call, which cannot be captured
        self.synchronize()
        module = getattr(torch, self.device.type)
        graph = getattr(module, GRAPHS[self.device.type])()
        with module.graph(graph):
            kept = work()
        return Replay(graph, kept)


@dataclass(frozen=True)
class Replay:
    """A captured graph, with the tensors that it writes to."""

    graph: Any
    kept: object

    def __call__(self) -> None:
        """Ask the device to do all of it again."""
        self.graph.replay()


def cache_bytes(device: torch.device) -> int:
    """Return the size of the device's last-level cache in bytes; 0 where torch does not tell."""
    module = getattr(torch, device.type, None)
    properties = getattr(module, "get_device_properties", lambda _: None)(device)
    names = ("L2_cache_size", "last_level_cache_size")
    return max(int(getattr(properties, name, 0)) for name in names)
