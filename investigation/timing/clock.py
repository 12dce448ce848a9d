"""The clock that a comparison reads, and the device that it waits for."""

import time
from dataclasses import dataclass
from typing import Protocol

import torch

from investigation.timing.errors import DeviceError


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
