"""What is measured on a GPU, run through on the simulated one."""

import ast

import papermill
import pytest
import torch
from gpu_worlds import PARAMETERS, SETTINGS, STEPS, evidence, plain_records
from simulated_device import Kernel, SimulatedDevice

from investigation.display import gpu_figures, gpu_session
from investigation.display.chapter import Chapter, ControlFailedError
from investigation.display.gpu_session import (
    beside_prediction,
    keep,
    levels,
    predicted_and_measured,
)
from investigation.evidence.parameters import Parameters
from investigation.gpu import measurement as gpu_measurement
from investigation.gpu import prediction
from investigation.gpu import record as gpu_record
from investigation.timing.device.timing import QUANTITIES, Rotation
from pipeline import places

STEPS_OF_THE_DEVICE = [one for one in STEPS if one.id.startswith("device.multiply")]
HOST_S, EXTRA_S, KERNEL_S = 4e-6, 1e-6, 3e-6
# Simulated seconds, of which a cold comparison needs some for its sweeps.
QUICK = SETTINGS.model_copy(update={"budget_s": 0.08, "network_budget_s": 0.02})


def test_every_comparison_has_a_name_of_its_own_and_the_controls_come_first():
    ids = [step.id for step in STEPS]
    assert len(ids) == len(set(ids))
    count = 2 * len(QUANTITIES)
    assert all(step.is_control for step in STEPS[:count])
    assert not any(step.is_control for step in STEPS[count:])


def test_all_quantities_are_measured_at_every_level():
    found = {(step.level, step.quantity) for step in STEPS}
    for level in ("multiply", "mixed", "block", "network"):
        assert {quantity for name, quantity in found if name == level} >= {
            "host", "device", "end_to_end",
        }  # fmt: skip
    assert ("multiply", "cold") in found


TEN_MINUTES_S = 600


def test_the_comparisons_of_make_gpu_ask_for_less_than_half_of_ten_minutes():
    """The other half is for compiling, warming up and capturing, which no budget holds."""
    declared = papermill.inspect_notebook(str(places.NOTEBOOKS / "07_gpu.ipynb"))
    given = {name: ast.literal_eval(one["default"]) for name, one in declared.items()}
    settings = Parameters.model_validate(given)
    asked = sum(gpu_measurement.settings_of(step, settings).budget_s
                for step in gpu_measurement.plan(settings))  # fmt: skip
    assert 0 < asked < TEN_MINUTES_S / 2


@pytest.mark.parametrize("level", ["multiply", "mixed", "block", "network"])
def test_both_arms_of_a_step_compute_the_same_over_the_same_inputs(level):
    step = next(one for one in STEPS if one.level == level)
    assert gpu_measurement.arms_agree(step, SETTINGS)
    baseline, candidate = gpu_measurement.rotations(step, SETTINGS)
    assert len(baseline.calls) == len(candidate.calls) >= 2
    first, second = (call() for call in baseline.calls[:2])
    assert not torch.equal(first, second)
    assert baseline.launches == candidate.launches


def test_the_control_launches_a_kernel_more():
    step = next(one for one in STEPS if one.level == "materialized")
    baseline, candidate = gpu_measurement.rotations(step, SETTINGS)
    assert candidate.launches == baseline.launches + 1


def simulated(queue):
    """Arms on the simulated device: `expand_as` costs its host more, `materialized` a kernel."""

    def rotation(scale):
        kernels = [Kernel(f"{scale}{i}", HOST_S, KERNEL_S, KERNEL_S) for i in range(4)]
        more = (Kernel("copy", HOST_S, KERNEL_S, KERNEL_S),) if scale == "materialized" else ()
        extra_s = EXTRA_S * (scale != "broadcast")
        return Rotation(
            tuple(queue.call(*more, one, host_s=extra_s) for one in kernels), 1 + len(more)
        )

    return lambda step, _: (rotation(step.baseline), rotation(step.candidate))


def test_a_run_finds_what_the_simulated_device_costs_and_its_controls_hold():
    queue, session = SimulatedDevice(), Chapter(gpu_session.CHAPTER, device="cpu")
    plain = [one for one in STEPS if one.memory_format == "contiguous"]
    steps = tuple(one for one in plain if one.case is None or one.case.slug == "reader")
    for step, comparison in gpu_measurement.run(queue, steps, QUICK, arms=simulated(queue)):
        keep(session, step, comparison)
    found = {one.id: one for one in session.evidence().records}
    host = found["host.multiply.reader.contiguous"]
    assert host.details["difference_s"] == pytest.approx(EXTRA_S, rel=0.1)
    assert found["device.multiply.reader.contiguous"].value == pytest.approx(1, abs=0.01)
    controls = [one for one in found.values() if one.is_control]
    assert len(controls) == 2 * len(QUANTITIES)
    assert all(one.passed for one in controls)


def test_a_control_that_fails_stops_the_run():
    queue, session = SimulatedDevice(), Chapter(gpu_session.CHAPTER, device="cpu")
    same = simulated(queue)
    step = next(one for one in STEPS if one.id.startswith("host.materialized"))
    blind = gpu_measurement.run(
        queue, (step,), QUICK, arms=lambda _, settings: same(STEPS[0], settings)
    )
    ((_, comparison),) = blind
    with pytest.raises(ControlFailedError, match="writing the gate out in full comes out slower"):
        keep(session, step, comparison)


def test_on_the_processor_nothing_is_measured_and_nothing_written(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu_record, "BUILT", tmp_path / "record")
    assert gpu_session.measured(**PARAMETERS | {"device": "cpu"}) is None
    assert not (tmp_path / "record").exists()


def test_a_multiply_is_shown_beside_what_was_predicted_for_its_card():
    rows = list(beside_prediction({one.id: one for one in plain_records()}))
    assert len(rows) == len(STEPS_OF_THE_DEVICE)
    assert all(row["device, in rotation"] == "10.00 µs" for row in rows)
    assert all(str(row["device, predicted"]).endswith("µs") for row in rows)


def test_measured_times_are_drawn_over_predicted_ones_a_panel_a_machine():
    records = {one.id: one for one in plain_records()}
    times = predicted_and_measured({"one": records, "two": records})
    assert {len(pairs) for pairs in times.values()} == {len(STEPS_OF_THE_DEVICE)}
    drawn = gpu_figures.predicted_and_measured(times)
    assert [axis.get_title() for axis in drawn.axes] == ["one", "two"]
    _, points = drawn.axes[0].lines
    assert set(points.get_ydata()) == {10.0}


def test_a_device_that_is_not_in_the_catalogue_has_no_prediction():
    records = {one.id: one for one in plain_records()}
    unknown = records[gpu_record.DEVICE].model_copy(update={"value": "somebody's GPU"})
    rows = list(beside_prediction(records | {gpu_record.DEVICE: unknown}))
    assert {row["device, predicted"] for row in rows} == {"not in the catalogue"}
    assert predicted_and_measured({"one": records | {gpu_record.DEVICE: unknown}}) == {}


def test_the_networks_step_is_shown_in_every_quantity_and_format():
    rows = list(levels({one.id: one for one in plain_records()}))
    assert len(rows) == 6
    assert all("equivalent" in str(row["expand_as adds"]) for row in rows)


def test_what_a_run_must_hold_follows_from_its_parameters():
    assert gpu_record.missing(evidence()) == []
    assert gpu_record.missing(evidence(batch=5)) == []
    lacking = evidence([one for one in plain_records() if one.id != gpu_record.DEVICE])
    assert gpu_record.missing(lacking) == [gpu_record.DEVICE]


def test_bytes_are_not_counted_where_torch_keeps_no_count():
    step = next(one for one in STEPS if one.level == "multiply")
    assert gpu_measurement.bytes_beside_the_output("expand_as", step.case, "cpu") is None


@pytest.mark.parametrize("host", [None, prediction.HostCost(2e-6, 1e-6)])
def test_the_chart_of_bounds_has_a_row_a_workload_and_a_mark_a_card(host):
    cases = tuple(one.case for one in STEPS_OF_THE_DEVICE[::2])
    drawn = gpu_figures.bounds(prediction.predictions(cases, host), host)
    (axis,) = drawn.axes
    assert len(axis.get_yticks()) == len(cases)
    marks = [line for line in axis.lines if line.get_linestyle() == "None"]
    assert len(marks) == len(prediction.CARDS)
    words = {text.get_text().strip() for text in axis.texts}
    assert words == ({"launch-bound", "bandwidth-bound"} if host else set())
