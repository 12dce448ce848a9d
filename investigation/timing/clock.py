"""The clock that a comparison reads, and the device that it waits for."""

import os
import resource
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import torch

from investigation.timing.errors import DeviceError

STATISTICS = Path("/proc/stat")
# The thread's own, where the system keeps them; else the process's.
WHO = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


@dataclass(frozen=True)
class Counters:
    """What the system has counted so far of disturbances of this thread."""

    switches: int  # involuntary: another thread was given the core
    faults: int  # minor: a page of memory was not there yet
    stolen: int  # ticks that a hypervisor took of all cores; 0 where none are shown


class Clock(Protocol):
    """What the timing needs of the world; tests put a made-up world in its place."""

    def now(self) -> float:
        """Seconds since some moment."""

    def synchronize(self) -> None:
        """Return when the device has finished all that was asked of it."""

    def processor_s(self) -> float:
        """Read the seconds that this thread has computed."""

    def counters(self) -> Counters:
        """Read what the system has counted of disturbances."""


@dataclass(frozen=True)
class DeviceClock:
    """The processor's clock, waiting for the device's queue where it has one."""

    device: torch.device

    @classmethod
    def of(cls, device: str) -> "DeviceClock":
        """Find `device`, such as "cpu" or "cuda:0"; DeviceError where there is none."""
        present = available_devices()
        try:
            parsed = torch.device(device)
        except RuntimeError:
            raise DeviceError(_no_device(device, present)) from None
        known = parsed.type in present or str(parsed) in present
        if not known:
            raise DeviceError(_no_device(device, present))
        return cls(parsed)

    def now(self) -> float:
        """Seconds of the highest-resolution clock there is."""
        return time.perf_counter()

    def synchronize(self) -> None:
        """Wait for the device's queue; nothing to wait for on a CPU."""
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)

    def processor_s(self) -> float:
        """Read the seconds that this thread has computed; takes half a microsecond."""
        return time.thread_time()

    def counters(self) -> Counters:
        """Read the system's counters; takes about 16 µs, most of them for the stolen ticks."""
        used = resource.getrusage(WHO)
        return Counters(used.ru_nivcsw, used.ru_minflt, _stolen_ticks())


def _stolen_ticks() -> int:
    file = _statistics()
    # The first line: cpu user nice system idle iowait irq softirq steal guest guest_nice.
    return int(os.pread(file, 200, 0).split(maxsplit=9)[8]) if file is not None else 0


@cache
def _statistics() -> int | None:
    return os.open(STATISTICS, os.O_RDONLY) if STATISTICS.exists() else None


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
