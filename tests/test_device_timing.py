"""The device path, on a device that does not exist and whose every cost is known."""

import inspect
import types

import process_jobs
import pytest
from simulated_device import Kernel, SimulatedDevice

from investigation.evidence.sealed.gpu_plan import QUANTITIES
from investigation.timing.device import timing as device_timing
from investigation.timing.device import watch as device_watch
from investigation.timing.device.timing import Rotation
from investigation.timing.device.watch import DeviceState
from investigation.timing.errors import MeasurementError
from investigation.timing.preparations import FEWEST
from investigation.timing.settings import Settings
from investigation.timing.statistics import location

HOST_S, EXTRA_S = 4e-6, 1e-6
SMALL_S, LARGE_S = 2e-6, 80e-6
WARM = 0.6  # of the cold time
PLACEMENT_SD = 0.01
BUDGET = Settings(budget_s=0.04, seed=1)


def rotation(module, device, kernel_s, *, extra_s=0.0, inputs=20):
    """Calls of one kernel over inputs of which half exceed the cache."""
    kernels = [Kernel(f"x{i}", HOST_S, WARM * kernel_s, kernel_s) for i in range(inputs)]
    calls = tuple(device.call(kernel, host_s=extra_s) for kernel in kernels)
    return module.Rotation(calls, launches=1)


def measured(module, quantity, kernel_s, extra_s=EXTRA_S, settings=BUDGET, **device):
    """Two arms that launch the same kernel; the candidate's host does `extra_s` more."""
    queue = SimulatedDevice(**device)
    arms = (
        rotation(module, queue, kernel_s),
        rotation(module, queue, kernel_s, extra_s=extra_s),
    )
    return module.compare_on_device(queue, quantity, *arms, settings)


def check_intervals(module):
    """Every quantity has the value that the simulated device gives it."""
    near = pytest.approx
    for kernel_s in (SMALL_S, LARGE_S):
        host = measured(module, "host", kernel_s)
        assert (host.baseline_s, host.difference_s) == near((HOST_S, EXTRA_S), rel=0.02)
        for device in ({}, {"has_graphs": False}):
            worked = measured(module, "device", kernel_s, **device)
            assert worked.baseline_s == near(kernel_s, rel=0.02)
            assert worked.ratio == near(1, rel=0.005)
    cold = measured(module, "cold", SMALL_S, has_graphs=False, cache=2**40)
    assert cold.candidate_s == near(SMALL_S, rel=0.02)
    assert cold.ratio == near(1, rel=0.005)
    whole = measured(module, "end_to_end", LARGE_S)
    assert whole.baseline_s == near(LARGE_S, rel=0.2)  # the wait at the end is shared by a block
    assert abs(whole.difference_s) < EXTRA_S / 2
    small = measured(module, "end_to_end", SMALL_S)
    assert small.difference_s == near(EXTRA_S, rel=0.1)
    busy_queue_is_not_counted(module)
    slow_host_is_kept_out(module)
    full_queue_is_not_counted(module)


def busy_queue_is_not_counted(module):
    """What another arm left in the queue belongs to no block of this one."""
    for quantity in ("host", "end_to_end"):
        queue = SimulatedDevice(depth=8)
        arm = module.arm(quantity, "a", rotation(module, queue, LARGE_S), queue, module.Plug())
        alone = arm.seconds(8, queue)
        for _ in range(20):
            queue.sweep()
            queue.call(Kernel("other", HOST_S, LARGE_S, LARGE_S))()
        assert arm.seconds(8, queue) == pytest.approx(alone, rel=0.02)


def slow_host_is_kept_out(module):
    """Behind one sweep the host is not ahead: more have to go in front."""
    slow = measured(module, "device", SMALL_S, extra_s=50e-6, has_graphs=False)
    assert slow.candidate_s == pytest.approx(SMALL_S, rel=0.02)


def full_queue_is_not_counted(module):
    """A host that launches more than the queue holds waits for the device."""
    queue = SimulatedDevice(depth=300)
    arm = module.arm("host", "a", rotation(module, queue, LARGE_S), queue, module.Plug())
    assert arm.seconds(700, queue) == pytest.approx(700 * HOST_S, rel=0.02)


def test_every_quantity_comes_out_as_the_device_was_made():
    check_intervals(device_timing)


FAULTS = {
    "the host's clock starts before the queue is empty": (
        "    def _group(self, calls: int, queue: Queue) -> float:\n"
        "        function = self.function\n        queue.synchronize()\n",
        "    def _group(self, calls: int, queue: Queue) -> float:\n"
        "        function = self.function\n",
    ),
    "the host's time includes the wait for the device": (
        "        taken = queue.now() - start\n        queue.synchronize()\n",
        "        queue.synchronize()\n        taken = queue.now() - start\n",
    ),
    "more launches at once than a queue holds": (
        "LAUNCHES_AHEAD = 256", "LAUNCHES_AHEAD = 10**9",
    ),
    "a block from start to finish that does not wait for the finish": (
        "            function()\n        clock.synchronize()\n", "            function()\n",
    ),
    "a block that starts while another arm still runs": (
        "        clock.synchronize()\n        start = clock.now()", "        start = clock.now()",
    ),
    "marks read before they are reached": (
        "            ahead = not queue.reached(first)\n            queue.synchronize()\n",
        "            ahead = not queue.reached(first)\n",
    ),
    "a mark paired with one of another sample": (
        "            first = queue.mark()\n",
        "            first = getattr(self, 'first', None) or queue.mark()\n"
        "            self.first = first\n",
    ),
    "a device that waits for the host inside a sample": (
        "            if ahead:\n", "            if first:\n",
    ),
    "a sweep left out": ("                queue.sweep()\n", "                pass\n"),
    "one sweep for many cold calls": (
        "        taken = sum(self.plug.timed(clock, self.function) for _ in range(swept))",
        "        taken = self.plug.timed(clock, lambda: _repeated(self.function, swept))",
    ),
    "two arms that walk through the inputs in step": ("len(rotation.calls) // 2 if", "0 if"),
    "one input that stays in the cache": (
        "        return [call() for call in self.calls]",
        "        return [self.calls[0]() for _ in self.calls]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_timing_does_not_go_unnoticed(fault):
    """The module with one line of it wrong: the known values do not come out any more."""
    right, wrong = FAULTS[fault]
    source = inspect.getsource(device_timing)
    assert source.count(right) == 1
    broken = types.ModuleType("broken")
    exec(compile(source.replace(right, wrong), "broken", "exec"), broken.__dict__)
    with pytest.raises((AssertionError, MeasurementError)):
        check_intervals(broken)


def test_a_cost_on_the_host_alone_shows_where_it_is_and_nowhere_else():
    verdicts = {
        (quantity, kernel_s): measured(
            device_timing, quantity, kernel_s, settings=Settings(budget_s=0.2, seed=1)
        ).verdict
        for quantity in QUANTITIES
        for kernel_s in (SMALL_S, LARGE_S)
    }
    assert [key for key, verdict in verdicts.items() if verdict == "slower"] == [
        ("host", SMALL_S), ("host", LARGE_S), ("end_to_end", SMALL_S),
    ]  # fmt: skip


@pytest.mark.parametrize("quantity", ["device", "cold"])
def test_graphs_that_differ_by_where_they_lie_are_not_taken_for_two_programs(quantity):
    """Each capture lies elsewhere: the interval covers no difference, and says how wide that is."""
    budget = Settings(budget_s=0.2, seed=1)
    moved = measured(device_timing, quantity, LARGE_S, 0.0, settings=budget, placement=PLACEMENT_SD)
    low, high = moved.ratio_interval
    assert low < 1 < high
    assert moved.preparations >= FEWEST
    still = measured(device_timing, quantity, LARGE_S, 0.0, settings=budget)
    percent = 100 * PLACEMENT_SD
    assert moved.spread.between_percent == pytest.approx(2**0.5 * percent, rel=0.5)
    assert still.spread.between_percent < percent / 10
    ratios = [location(ratios) for ratios in moved.samples.log_ratios(moved.pairs_per_round)]
    assert max(map(abs, ratios)) > PLACEMENT_SD  # a single capture would have been believed


def test_every_graph_lies_behind_memory_of_drawn_sizes_and_either_arm_may_be_first(monkeypatch):
    taken, first = [], []

    def padding(draw, lines, device):
        size = draw.integers(lines)
        return lambda: taken.append((size, device))

    monkeypatch.setattr(device_timing, "padding", padding)
    queue = SimulatedDevice()
    rotations = (rotation(device_timing, queue, SMALL_S), rotation(device_timing, queue, LARGE_S))
    making = device_timing.DeviceMaking("device", rotations, queue, BUDGET)
    of_arm = device_timing.DeviceMaking._arm
    monkeypatch.setattr(
        device_timing.DeviceMaking,
        "_arm",
        lambda self, is_candidate: (first.append(is_candidate), of_arm(self, is_candidate))[1],
    )
    for _ in range(8):
        baseline, candidate = making.arms()
        assert (baseline.name, candidate.name) == (BUDGET.baseline_name, BUDGET.name)
    assert len(taken) == 4 * 8  # held before each arm, and again in the graph's own memory
    assert len(set(taken)) == 2 * 8
    assert {device for _, device in taken} == {BUDGET.device}
    assert set(first[::2]) == {False, True}


def test_an_extra_kernel_shows_on_the_device():
    queue = SimulatedDevice()
    copy = Kernel("copy", HOST_S, LARGE_S, LARGE_S)
    plain = [Kernel(f"x{i}", HOST_S, LARGE_S, LARGE_S) for i in range(4)]
    baseline = Rotation(tuple(queue.call(operand) for operand in plain), 1)
    candidate = Rotation(tuple(queue.call(copy, operand) for operand in plain), 2)
    comparison = device_timing.compare_on_device(queue, "device", baseline, candidate, BUDGET)
    assert comparison.verdict == "slower"
    assert comparison.ratio == pytest.approx(2, rel=0.02)


def test_a_device_that_is_never_behind_its_host_is_said():
    with pytest.raises(MeasurementError, match="before the host had handed it over"):
        measured(device_timing, "device", SMALL_S, has_graphs=False, sweep_device_s=0.0)


def test_a_rotation_has_as_many_inputs_as_exceed_the_cache():
    assert device_timing.rotations_needed(2**20, 2**24) == 32
    assert device_timing.rotations_needed(2**30, 2**24) == 2
    assert device_timing.rotations_needed(1, 2**40) == 64


def test_the_clocks_are_read_and_what_slowed_the_device_is_said():
    calm = DeviceState(1980, 2619, 40, 300, 0)
    assert device_watch.warnings(calm, calm) == ()
    assert device_watch.warnings(None, calm) == ()
    (warning,) = device_watch.warnings(calm, DeviceState(1500, 2619, 60, 300, 0))
    assert warning == "the device's clock went from 1980 to 1500 MHz"
    (warning,) = device_watch.warnings(calm, DeviceState(1980, 2619, 88, 300, 0x21))
    assert warning == "the device was slowed by heat, in software"


def test_a_reading_is_what_the_program_prints():
    assert device_watch.parsed("1980, 2619, 35, 118.30, 0x0000000000000004\n") == DeviceState(
        1980, 2619, 35, 118.3, 4
    )
    with pytest.raises(ValueError, match="could not convert"):
        device_watch.parsed("[N/A], 2619, 35, 118.30, 0x0")


def test_a_watched_comparison_keeps_the_warning():
    queue = SimulatedDevice()
    readings = iter([DeviceState(1980, 2619, 40, 300, 0), DeviceState(990, 2619, 90, 300, 0x40)])
    arms = [rotation(device_timing, queue, SMALL_S) for _ in range(2)]
    comparison = device_timing.compare_on_device(queue, "host", *arms, BUDGET, readings.__next__)
    assert any("slowed by heat" in warning for warning in comparison.warnings)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_what_is_timed_on_a_device_has_room_for_its_calls(quantity):
    queue, seen = SimulatedDevice(), set()
    launch = queue.call(Kernel("x", HOST_S, SMALL_S, SMALL_S), host_s=0.0)

    def noting():
        seen.add(process_jobs.has_room())
        return launch()

    arm = Rotation((noting,), launches=1)
    device_timing.compare_on_device(queue, quantity, arm, arm, BUDGET)
    assert seen == {True}
