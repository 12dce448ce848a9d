from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from investigation.timing import noise
from investigation.timing.noise import SystemCounters

BEFORE = SystemCounters(
    wall_s=0.0,
    processor_s=0.0,
    involuntary_switches=100,
    stolen_s=5.0,
    load=0.5,
    frequency_mhz=3000.0,
    throttle_events=2,
)
AFTER = replace(BEFORE, wall_s=1.0, processor_s=0.99)


def test_a_quiet_machine_gives_no_warning() -> None:
    assert noise.warnings(BEFORE, AFTER, cores=2) == ()


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"involuntary_switches": 150}, "50 involuntary context switches in 1 s"),
        ({"processor_s": 0.6}, "the process was off the processor for 40 % of the time"),
        ({"stolen_s": 5.2}, "the hypervisor took 20 % of a core"),
        ({"load": 3.5}, "load 3.5 on 2 cores"),
        ({"frequency_mhz": 1500.0}, "clock frequency went from 3000 to 1500 MHz"),
        ({"throttle_events": 3}, "1 thermal throttling event"),
        ({"throttle_events": 5}, "3 thermal throttling events"),
    ],
)
def test_each_disturbance_is_named_with_its_size(change: dict[str, Any], warning: str) -> None:
    assert noise.warnings(BEFORE, replace(AFTER, **change), cores=2) == (warning,)


def test_what_a_system_does_not_show_is_not_warned_of() -> None:
    hidden: dict[str, Any] = {
        "involuntary_switches": None,
        "stolen_s": None,
        "load": None,
        "frequency_mhz": None,
        "throttle_events": None,
    }
    assert noise.warnings(replace(BEFORE, **hidden), replace(AFTER, **hidden), cores=2) == ()


def test_several_disturbances_are_all_named() -> None:
    busy = replace(AFTER, load=9.0, stolen_s=6.0)
    assert len(noise.warnings(BEFORE, busy, cores=2)) == 2


def test_throttling_counters_are_summed_over_cores_where_they_exist(tmp_path: Path) -> None:
    assert noise.throttle_events(tmp_path) is None
    for core, count in (("cpu0", 3), ("cpu1", 4)):
        folder = tmp_path / core / "thermal_throttle"
        folder.mkdir(parents=True)
        (folder / "core_throttle_count").write_text(f"{count}\n")
    assert noise.throttle_events(tmp_path) == 7


def test_time_and_switches_of_this_process_only_grow() -> None:
    before = noise.read()
    sum(range(100_000))
    after = noise.read()
    assert after.wall_s > before.wall_s
    assert after.processor_s > before.processor_s
