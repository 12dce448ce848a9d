"""What the system shows about being disturbed while something was timed."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

# Each threshold is where the disturbance starts to widen intervals visibly, not where it biases
# them: the randomised order takes care of that.
SWITCHES_PER_SECOND = 20.0
STOLEN_SHARE = 0.01
FREQUENCY_CHANGE = 0.05
OFF_PROCESSOR_SHARE = 0.10

SYSTEM_PROCESSORS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class SystemCounters:
    """Counters of the system at one moment; None where this system does not show one."""

    wall_s: float
    processor_s: float  # of this process
    involuntary_switches: int | None
    stolen_s: float | None  # taken by the hypervisor, all processors together
    load: float | None  # runnable processes, one-minute average
    frequency_mhz: float | None
    throttle_events: int | None


def read(processors: Path = SYSTEM_PROCESSORS) -> SystemCounters:
    """Read the counters now; takes about half a millisecond."""
    return SystemCounters(
        wall_s=time.perf_counter(),
        processor_s=time.process_time(),
        involuntary_switches=_involuntary_switches(),
        stolen_s=getattr(psutil.cpu_times(), "steal", None),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        frequency_mhz=_frequency(),
        throttle_events=throttle_events(processors),
    )


def _involuntary_switches() -> int | None:
    try:
        return int(psutil.Process().num_ctx_switches().involuntary)
    except (AttributeError, NotImplementedError):
        return None


def _frequency() -> float | None:
    try:
        frequency = psutil.cpu_freq()
    except (AttributeError, NotImplementedError, OSError):
        return None
    return float(frequency.current) if frequency and frequency.current else None


def throttle_events(processors: Path = SYSTEM_PROCESSORS) -> int | None:
    """Thermal throttling events counted since boot, all cores; None where none are shown."""
    counters = list(processors.glob("cpu[0-9]*/thermal_throttle/core_throttle_count"))
    return sum(int(counter.read_text()) for counter in counters) if counters else None


def warnings(
    before: SystemCounters, after: SystemCounters, cores: int | None = None
) -> tuple[str, ...]:
    """Say in words what disturbed the time between two readings; empty when nothing did."""
    wall_s = max(after.wall_s - before.wall_s, 1e-9)
    cores = cores or os.cpu_count() or 1
    noticed = (
        _switches(before, after, wall_s),
        _off_processor(before, after, wall_s),
        _stolen(before, after, wall_s),
        _overload(after, cores),
        _frequency_change(before, after),
        _throttling(before, after),
    )
    return tuple(warning for warning in noticed if warning)


def _switches(before: SystemCounters, after: SystemCounters, wall_s: float) -> str | None:
    if before.involuntary_switches is None or after.involuntary_switches is None:
        return None
    count = after.involuntary_switches - before.involuntary_switches
    if count / wall_s <= SWITCHES_PER_SECOND:
        return None
    return f"{count} involuntary context switches in {wall_s:.2g} s"


def _off_processor(before: SystemCounters, after: SystemCounters, wall_s: float) -> str | None:
    away = 1 - (after.processor_s - before.processor_s) / wall_s
    if away <= OFF_PROCESSOR_SHARE:
        return None
    return f"the process was off the processor for {100 * away:.0f} % of the time"


def _stolen(before: SystemCounters, after: SystemCounters, wall_s: float) -> str | None:
    if before.stolen_s is None or after.stolen_s is None:
        return None
    share = (after.stolen_s - before.stolen_s) / wall_s
    return f"the hypervisor took {100 * share:.0f} % of a core" if share > STOLEN_SHARE else None


def _overload(after: SystemCounters, cores: int) -> str | None:
    if after.load is None or after.load <= cores:
        return None
    return f"load {after.load:.1f} on {cores} core{'s' if cores > 1 else ''}"


def _frequency_change(before: SystemCounters, after: SystemCounters) -> str | None:
    if not before.frequency_mhz or not after.frequency_mhz:
        return None
    if abs(after.frequency_mhz / before.frequency_mhz - 1) <= FREQUENCY_CHANGE:
        return None
    return f"clock frequency went from {before.frequency_mhz:.0f} to {after.frequency_mhz:.0f} MHz"


def _throttling(before: SystemCounters, after: SystemCounters) -> str | None:
    if before.throttle_events is None or after.throttle_events is None:
        return None
    count = after.throttle_events - before.throttle_events
    return f"{count} thermal throttling event{'s' if count > 1 else ''}" if count > 0 else None
