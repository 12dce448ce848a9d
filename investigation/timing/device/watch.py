"""A device's clocks and what slows them down: read while timing, and never set."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

PROGRAM = "nvidia-smi"
QUERIES = (
    "clocks.sm",
    "clocks.mem",
    "temperature.gpu",
    "power.draw",
    "clocks_event_reasons.active",
)
CLOCK_CHANGE = 0.05
# The bits of NVML's clocks event reasons that mean: slower than asked for.
# Source: NVIDIA, NVML API Reference, nvmlClocksEventReasons.
SLOWED_BY: Mapping[int, str] = {
    0x04: "the power cap",
    0x08: "a hardware slowdown",
    0x20: "heat, in software",
    0x40: "heat, in hardware",
    0x80: "the power brake",
}


@dataclass(frozen=True)
class DeviceState:
    """A device's state at one moment."""

    clock_mhz: float
    memory_mhz: float
    temperature_c: float
    power_w: float
    reasons: int


Watch = Callable[[], DeviceState | None]


def nothing() -> None:
    """Watch a device that tells nothing of its clocks."""


def watch_of(device: torch.device) -> Watch:
    """Return how to read this device; of NVIDIA's, where their program is installed."""
    if device.type != "cuda" or torch.version.hip or shutil.which(PROGRAM) is None:
        return nothing
    number = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    return lambda: read(number)


def read(number: str) -> DeviceState | None:
    """Ask the program for one device; None where it does not answer as expected."""
    command = [PROGRAM, f"--id={number}", f"--query-gpu={','.join(QUERIES)}"]
    asked = [*command, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20)
        return parsed(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def parsed(line: str) -> DeviceState:
    """Return the program's one line as a reading. Raises `ValueError` where it is none."""
    *numbers, reasons = (part.strip() for part in line.split(","))
    clock, memory, temperature, power = map(float, numbers)
    return DeviceState(clock, memory, temperature, power, int(reasons, 16))


def warnings(before: DeviceState | None, after: DeviceState | None) -> tuple[str, ...]:
    """Say in words what slowed the device between two readings; empty where nothing did."""
    if before is None or after is None:
        return ()
    return (*_clock_change(before, after), *_slowed(before.reasons | after.reasons))


def _clock_change(before: DeviceState, after: DeviceState) -> tuple[str, ...]:
    if abs(after.clock_mhz / before.clock_mhz - 1) <= CLOCK_CHANGE:
        return ()
    return (f"the device's clock went from {before.clock_mhz:.0f} to {after.clock_mhz:.0f} MHz",)


def _slowed(reasons: int) -> tuple[str, ...]:
    found = [word for bit, word in SLOWED_BY.items() if reasons & bit]
    return (f"the device was slowed by {' and '.join(found)}",) if found else ()
