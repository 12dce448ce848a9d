"""What is measured on a GPU, run through on the simulated one."""

import ast

import papermill
import pytest
import torch
from gpu_worlds import (
    H200,
    PARAMETERS,
    SETTINGS,
    STEPS,
    device,
    evidence,
    findings,
    plain_records,
    slower,
    steps,
)
from simulated_device import Kernel, SimulatedDevice

from investigation.display import figure_data, gpu_figures
from investigation.display.gpu_tables import (
    beside_prediction,
    busy,
    by_quantity,
    hidden,
    host_and_whole,
    levels,
    predicted_and_measured,
)
from investigation.display.outcomes import NOT_TIMED
from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.timings import STEP_CONFIDENCE, Timing
from investigation.evidence.parameters import Parameters
from investigation.evidence.questions import Findings, ask
from investigation.evidence.recorder import ControlFailedError, Recorder
from investigation.evidence.sealed import gpu as gpu_record
from investigation.evidence.sealed import gpu_plan
from investigation.evidence.sealed.gpu_plan import QUANTITIES
from investigation.gpu import measurement as gpu_measurement
from investigation.gpu import prediction
from investigation.gpu import session as gpu_session
from investigation.subject.gpu_catalog import card_called
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.timing.device.timing import Rotation
from investigation.timing.preparations import FEWEST
from pipeline import places

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

STEPS_OF_THE_DEVICE = steps("multiply", "device")
LEVELS = [("multiply", False), ("multiply", True), ("block", False), ("network", False)]
HOST_S, EXTRA_S, KERNEL_S = 4e-6, 1e-6, 3e-6
# Simulated seconds, of which a cold comparison needs some for its sweeps.
QUICK = SETTINGS.model_copy(update={"budget_s": 0.08, "network_budget_s": 0.02})


def test_every_comparison_has_a_name_of_its_own_and_the_controls_come_first():
    for names in ([step.statement for step in STEPS],
                  [step.expected("cuda").identity for step in STEPS]):  # fmt: skip
        assert len(names) == len(set(names))
    count = 2 * len(QUANTITIES)
    assert all(step.is_control for step in STEPS[:count])
    assert not any(step.is_control for step in STEPS[count:])


@pytest.mark.parametrize(("level", "of_two_dtypes"), LEVELS)
def test_all_quantities_are_measured_at_every_level(level, of_two_dtypes):
    for quantity in ("host", "device", "end_to_end"):
        assert steps(level, quantity, of_two_dtypes=of_two_dtypes)
    assert steps("multiply", "cold")


TEN_MINUTES_S = 600


def test_the_comparisons_of_make_gpu_ask_for_less_than_half_of_ten_minutes():
    """The other half is for compiling, warming up and capturing, which no budget holds."""
    declared = papermill.inspect_notebook(str(places.NOTEBOOKS / "07_gpu.ipynb"))
    given = {name: ast.literal_eval(parameter["default"]) for name, parameter in declared.items()}
    settings = Parameters.model_validate(given)
    budgets_s = sum(gpu_measurement.settings_of(step, settings).budget_s
                for step in gpu_plan.plan(settings))  # fmt: skip
    assert 0 < budgets_s < TEN_MINUTES_S / 2
    assert gpu_plan.minutes(settings) == pytest.approx(2 * budgets_s / 60)
    # `make gpu` prints it from the package's own defaults, before it opens the notebook
    assert gpu_plan.minutes(Parameters.check()) == gpu_plan.minutes(settings)


@pytest.mark.parametrize(("level", "of_two_dtypes"), LEVELS)
def test_both_arms_of_a_step_compute_the_same_over_the_same_inputs(level, of_two_dtypes):
    (step, *_) = steps(level, "host", of_two_dtypes=of_two_dtypes)
    assert gpu_measurement.arms_agree(step, SETTINGS)
    baseline, candidate = gpu_measurement.rotations(step, SETTINGS)
    assert len(baseline.calls) == len(candidate.calls) >= 2
    first, second = (call() for call in baseline.calls[:2])
    assert not torch.equal(first, second)
    assert baseline.launches == candidate.launches


@pytest.mark.parametrize("quantity", ["host", "end_to_end"])
def test_a_training_step_is_measured_in_both_formats_with_gradients_and_at_its_own_confidence(
    quantity,
):
    steps_found = steps("training_step", quantity)
    assert [step.memory_format for step in steps_found] == list(MEMORY_FORMATS)
    for step in steps_found:
        step_settings = gpu_measurement.settings_of(step, SETTINGS)
        assert step_settings.grad
        assert step_settings.confidence == STEP_CONFIDENCE
        assert step_settings.budget_s == SETTINGS.network_budget_s
    (forward, *_) = steps("network", quantity)
    forward_settings = gpu_measurement.settings_of(forward, SETTINGS)
    assert not forward_settings.grad
    assert forward_settings.confidence == STEP_CONFIDENCE
    (multiply, *_) = steps("multiply", quantity)
    assert gpu_measurement.settings_of(multiply, SETTINGS).confidence < STEP_CONFIDENCE
    assert steps("training_step", "device") == []


def test_both_arms_of_a_training_step_train_one_network_each_with_its_own_line():
    (step, *_) = steps("training_step", "end_to_end")
    baseline, candidate = gpu_measurement.rotations(step, SETTINGS)
    assert len(baseline.calls) == len(candidate.calls) == gpu_measurement.NETWORK_INPUTS
    assert baseline.launches > steps_launches("network")
    again, _ = gpu_measurement.rotations(step, SETTINGS)
    losses = [float(call()) for call in (*baseline.calls, candidate.calls[0])]
    same = [float(call()) for call in again.calls]
    assert losses[:-1] == same  # the same images, and the same weights at the start
    assert losses[-1] != losses[0]  # the same images once more, in a network that was trained


def steps_launches(level):
    (step, *_) = steps(level, "end_to_end")
    return gpu_measurement.rotations(step, SETTINGS)[0].launches


def test_a_training_step_whose_host_pays_more_is_found_on_the_simulated_device():
    queue, session = SimulatedDevice(), Recorder(gpu_session.CHAPTER, device="cpu")
    chosen = tuple(steps("training_step", "host") + steps("training_step", "end_to_end"))
    settings = QUICK.model_copy(update={"network_budget_s": 0.08})
    for step, comparison in gpu_measurement.run(queue, chosen, settings, arms=simulated(queue)):
        gpu_session.keep(session, step, comparison)
    timings = Findings((session.evidence(),)).answers(ask(Timing, level="training_step"))
    assert len(timings) == len(chosen)
    for timing in timings:
        assert timing.confidence == STEP_CONFIDENCE
        if timing.quantity == "host":
            assert timing.single.difference_s == pytest.approx(EXTRA_S, rel=0.1)


def test_the_control_launches_a_kernel_more():
    step = next(
        candidate_step for candidate_step in STEPS if candidate_step.candidate == "materialized"
    )
    baseline, candidate = gpu_measurement.rotations(step, SETTINGS)
    assert candidate.launches == baseline.launches + 1


def simulated(queue):
    """Arms on the simulated device: `expand_as` costs its host more, `materialized` a kernel."""

    def rotation(scale):
        kernels = [Kernel(f"{scale}{i}", HOST_S, KERNEL_S, KERNEL_S) for i in range(4)]
        more = (Kernel("copy", HOST_S, KERNEL_S, KERNEL_S),) if scale == "materialized" else ()
        extra_s = EXTRA_S * (scale != "broadcast")
        return Rotation(
            tuple(queue.call(*more, kernel, host_s=extra_s) for kernel in kernels), 1 + len(more)
        )

    return lambda step, _: (rotation(step.baseline), rotation(step.candidate))


def test_a_run_finds_what_the_simulated_device_costs_and_its_controls_hold():
    queue, session = SimulatedDevice(), Recorder(gpu_session.CHAPTER, device="cpu")
    plain = [step_of_plan for step_of_plan in STEPS if step_of_plan.memory_format == "contiguous"]
    chosen = tuple(
        step_of_plan
        for step_of_plan in plain
        if step_of_plan.case is None or step_of_plan.case.slug == "reader"
    )
    for step, comparison in gpu_measurement.run(queue, chosen, QUICK, arms=simulated(queue)):
        gpu_session.keep(session, step, comparison)
    findings_of_run = Findings((session.evidence(),))
    host, device_time = (
        findings_of_run.answer(
            ask(Timing, level="multiply", quantity=quantity, dtypes="same", role="measurement")
        )
        for quantity in ("host", "device")
    )
    assert host.single.difference_s == pytest.approx(EXTRA_S, rel=0.1)
    assert device_time.ratio == pytest.approx(1, abs=0.01)
    controls = findings_of_run.answers(ask(Control))
    assert len(controls) == 2 * len(QUANTITIES)
    assert all(control.passed for control in controls)


def test_a_budget_that_captures_use_up_is_raised_and_the_run_goes_on():
    queue = SimulatedDevice(capture_s=QUICK.budget_s / 10)
    chosen = tuple(steps("multiply", "device")[:1] + steps("multiply", "host")[:1])
    compared = dict(gpu_measurement.run(queue, chosen, QUICK, arms=simulated(queue)))
    on_device, on_host = (compared[step] for step in chosen)
    assert on_device.elapsed_s > 2 * QUICK.budget_s
    assert on_device.preparations >= FEWEST
    assert on_host.elapsed_s < 1.5 * QUICK.budget_s


def test_a_control_that_fails_stops_the_run():
    queue, session = SimulatedDevice(), Recorder(gpu_session.CHAPTER, device="cpu")
    same = simulated(queue)
    step = next(
        candidate_step
        for candidate_step in STEPS
        if (candidate_step.quantity, candidate_step.candidate) == ("host", "materialized")
    )
    blind = gpu_measurement.run(
        queue, (step,), QUICK, arms=lambda _, settings: same(STEPS[0], settings)
    )
    ((_, comparison),) = blind
    with pytest.raises(ControlFailedError, match="writing the gate out in full comes out slower"):
        gpu_session.keep(session, step, comparison)


def test_on_the_processor_nothing_is_measured_and_nothing_written(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu_record, "BUILT", tmp_path / "record")
    assert gpu_session.measured(**PARAMETERS | {"device": "cpu"}) is None
    assert not (tmp_path / "record").exists()


def test_a_multiply_is_shown_beside_what_was_predicted_for_its_card():
    rows = list(beside_prediction(findings(), H200))
    assert len(rows) == len(STEPS_OF_THE_DEVICE)
    assert all(row["device, in rotation"] == "100.00 µs" for row in rows)
    assert all(str(row["device, predicted"]).endswith("µs") for row in rows)


def test_a_multiply_counts_as_hidden_from_the_predicted_size_of_its_own_card_on():
    card, sizes = card_called("NVIDIA H200"), [step.case.elements for step in STEPS_OF_THE_DEVICE]
    slow = findings(plain_records(*slower("multiply", "end_to_end", 1.1)))
    for found, outcome in ((findings(), "equivalent"), (slow, "slower")):
        assert [one.outcome for one in hidden(found, {card: 1.0})[H200]] == [outcome] * len(sizes)
    largest = max(sizes)
    assert {one.case.elements for one in hidden(slow, {card: largest})[H200]} == {largest}
    assert hidden(slow, {card: largest + 1}) == hidden(slow, {}) == {}


def test_each_quantity_of_a_multiply_stands_in_its_own_column():
    slow = [*slower("multiply", "host", 1.2), *slower("multiply", "end_to_end", 1.1)]
    for row in beside_prediction(findings(plain_records(*slow)), H200):
        assert row["expand_as adds on the host"] == "+20.00 µs (+19.90 to +20.10), slower"
        assert row["on the device"] == "+0.00 µs (−0.10 to +0.10), equal"
        assert row["from start to finish"] == "+10.00 µs (+9.90 to +10.10), slower"


def test_measured_times_are_drawn_over_predicted_ones_a_panel_a_machine():
    times = predicted_and_measured(findings(machines=("one", "two")))
    assert {len(pairs) for pairs in times.values()} == {len(STEPS_OF_THE_DEVICE)}
    figure = gpu_figures.predicted_and_measured(times)
    assert [axis.get_title() for axis in figure.axes] == ["one", "two"]
    drawn = [row for row in figure_data.points(figure) if row["series"] in times["one"]]
    assert len(drawn) == 2 * len(STEPS_OF_THE_DEVICE)
    assert {row["y"] for row in drawn} == {100.0}


def test_a_device_that_is_not_in_the_catalogue_has_no_prediction():
    unknown = findings(plain_records(device("somebody's GPU")))
    rows = list(beside_prediction(unknown, H200))
    assert {row["device, predicted"] for row in rows} == {"not in the catalogue"}
    assert predicted_and_measured(unknown) == {}


def test_the_networks_step_is_shown_in_every_quantity_and_format():
    rows = list(levels(findings(), H200))
    assert [row["step"] for row in rows].count("the host network's forward step") == 6
    assert [row["step"] for row in rows].count("the host network's training step") == 4
    assert {row["outcome"] for row in rows} == {"equal"}
    assert {row["of the step"] for row in rows} == {"+0.00 % (−0.10 to +0.10)"}
    assert {row["intervals at"] for row in rows} == {"95 %"}


def test_the_outcomes_of_each_quantity_stand_in_their_own_column():
    records = plain_records(*slower("block", "host", 1.2), *slower("block", "end_to_end", 1.1)[:1])
    rows = {row["timed"]: row for row in by_quantity(findings(records, machines=("one", "two")))
            if row["on"] == "two"}  # fmt: skip
    count = len(steps("block", "host"))
    block = rows["the SE block"]
    assert block["the host's part"] == f"slower in {count} of {count}; +20.0 % to +20.0 %"
    assert block["the device's part"] == f"equal in {count} of {count}; +0.00 % to +0.00 %"
    assert block["from start to finish"].startswith(f"slower in 1, equal in {count - 1} of {count}")
    assert block["from start to finish"].endswith("; +0.00 % to +10.0 %")
    assert rows["the network's training step"]["the device's part"] == NOT_TIMED
    assert list(by_quantity(Findings(()))) == []


def test_the_hosts_part_and_the_devices_share_are_those_of_one_case_on_one_machine():
    measured = findings(machines=("one", "two"))
    cases = [step for step in STEPS if step.quantity == "end_to_end" and not step.is_control]
    host_steps = [step for step in STEPS if step.quantity == "host" and not step.is_control]
    assert len(cases) == len(host_steps)
    assert list(host_and_whole(measured)) == [(1e-4, 1e-4)] * 2 * len(cases)
    assert busy(measured) == {"one": [1.0, 1.0], "two": [1.0, 1.0]}


def test_what_a_run_must_hold_follows_from_its_parameters():
    assert gpu_record.missing(evidence()) == []
    assert gpu_record.missing(evidence(batch=5)) == []
    lacking = evidence(
        [record for record in plain_records() if not isinstance(record, DeviceFacts)]
    )
    assert gpu_record.missing(lacking) == ["the device"]


def test_bytes_are_not_counted_where_torch_keeps_no_count():
    (step, *_) = steps("multiply", "host")
    assert gpu_measurement.bytes_beside_the_output("expand_as", step.case, "cpu") is None


@pytest.mark.parametrize("host", [None, prediction.HostCost(2e-6, 1e-6)])
def test_the_chart_of_bounds_has_a_row_a_workload_and_a_mark_a_card(host):
    cases = tuple(step.case for step in STEPS_OF_THE_DEVICE[::2])
    figure = gpu_figures.bounds(prediction.predictions(cases, host), host)
    (axis,) = figure.axes
    assert len(axis.get_yticks()) == len(cases)
    marks = [line for line in axis.lines if line.get_linestyle() == "None"]
    assert len(marks) == len(prediction.CARDS)
    words = {text.get_text().strip() for text in axis.texts}
    assert words == ({"launch-bound", "bandwidth-bound"} if host else set())
