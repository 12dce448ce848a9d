import json
import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import process_jobs
import pytest
import torch
from fake_clock import WORLDS, FakeMachine, steady
from pydantic import TypeAdapter
from torch import nn
from worlds import evidence

from investigation.claims import questions
from investigation.evidence.kinds.in_place import LineInPlace
from investigation.evidence.kinds.timings import MARGIN
from investigation.evidence.questions import Findings, ask
from investigation.evidence.recorder import ControlFailedError, Recorder
from investigation.evidence.records import Record
from investigation.subject import training_workloads, workloads
from investigation.subject.cases import Case
from investigation.subject.host import HostNetwork
from investigation.subject.variants import SCALES, SEBlock, broadcast, expand_as
from investigation.subject.workloads import Step
from investigation.timing import in_place_processes, in_place_records
from investigation.timing.errors import BudgetError
from investigation.timing.in_place import FEWEST_PAIRS, InPlace, LineSamples, time_line
from investigation.timing.in_place_processes import (
    PLANTED_SHARE,
    Line,
    host_lines,
    time_in_processes,
    time_planted,
)
from investigation.timing.replicate import Replication, ReplicationError
from investigation.timing.slots import CLOCKS, Clocks, SlotError, timed_slots

SLOTS = 4  # of a network of two stages
STEP_S, LINE_S = 0.02, 1e-4
# What the candidate adds at each slot.
DELAYS = (40e-6, 0.0, 10e-6, 20e-6)
BACKWARD = (0.0, 30e-6, 0.0, 10e-6)


class Advancing(torch.autograd.Function):
    """Moves a made-up clock on, forward and backward."""

    @staticmethod
    def forward(ctx, product, forward, backward):
        ctx.work = backward
        forward()
        return product.view_as(product)

    @staticmethod
    def backward(ctx, gradient):
        ctx.work()
        return gradient, None, None


class FourBlocks(nn.Module):
    """Four SE blocks side by side, small enough that a step takes no time to speak of."""

    def __init__(self, cases):
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.ModuleList(SEBlock(case.shape[1], scale="broadcast") for case in cases)
        self.inputs = [torch.ones(case.shape) for case in cases]

    def forward(self):
        outputs = (block(x) for block, x in zip(self.blocks, self.inputs, strict=True))
        return sum(output.sum() for output in outputs)


class FakeNetwork:
    """A network whose step and line take the times of a made-up machine."""

    def __init__(self, disturbance=steady, seed=0):
        self.machine = FakeMachine(disturbance, seed)
        self.clocks = Clocks(self.machine.now, self.machine.now)
        cases = tuple(
            Case(slug=f"slot{channels}", name=f"{channels} channels", shape=(1, channels, 2, 2))
            for channels in range(1, SLOTS + 1)
        )
        self.network, self.ran = FourBlocks(cases), []
        self.places = {case.shape: index for index, case in enumerate(cases)}
        rest = self.machine.work(STEP_S)

        def run():
            rest()
            total = self.network()
            if total.requires_grad:
                total.backward()

        self.step = Step(self.network, run, cases)

    def form(self, delays=(0.0,) * SLOTS, backward=(0.0,) * SLOTS, name="baseline"):
        """The line with a time of its own at each slot, forward and backward."""
        forward_work = [self.machine.work(LINE_S + delay) for delay in delays]
        backward_work = [self.machine.work(LINE_S + extra_s) for extra_s in backward]

        def scale(x, gate):
            slot = self.places[tuple(x.shape)]
            self.ran.append((slot, name))
            return Advancing.apply(x * gate, forward_work[slot], backward_work[slot])

        return scale

    def time(self, baseline, candidate, budget_s=2.0, seed=0):
        return time_line(
            self.step, baseline, candidate, budget_s=budget_s, seed=seed, clocks=self.clocks
        )

    def found(self, samples, over="pairs", confidence=0.95, threads=1):
        parts = samples if isinstance(samples, list) else [samples]
        return InPlace.of(
            self.step.slots, parts, over=over, confidence=confidence, margin=MARGIN,
            threads=threads, name="expand_as", baseline_name="broadcast",
        )  # fmt: skip


@pytest.fixture(autouse=True)
def without_grad_at_one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(threads)


def within(estimate, value):
    return estimate.low <= value <= estimate.high


def planted(disturbance=steady, seed=0, **backward):
    fake = FakeNetwork(disturbance, seed)
    samples = fake.time(fake.form(), fake.form(DELAYS, **backward), seed=seed)
    return fake, samples


def test_what_a_form_adds_is_found_at_each_slot_and_in_sum():
    fake, samples = planted()
    measured = fake.found(samples)
    for estimate, delay in zip(measured.decisive.slots, DELAYS, strict=True):
        assert estimate.location == pytest.approx(delay, abs=1e-6)
    assert measured.decisive.total.location == pytest.approx(sum(DELAYS), abs=2e-6)
    assert measured.decisive.share.location == pytest.approx(sum(DELAYS) / STEP_S, rel=0.05)
    assert measured.decisive.line_s == pytest.approx([LINE_S] * SLOTS, rel=0.01)


@pytest.mark.parametrize("name", WORLDS)
def test_the_interval_covers_what_was_planted_whatever_the_machine_does(name):
    fake, samples = planted(WORLDS[name])
    measured = fake.found(samples, confidence=0.9999)
    # The machine's speed scales what is planted as well: at most threefold, spikes apart.
    assert measured.decisive.total.low <= 3 * sum(DELAYS)
    assert measured.decisive.total.high >= sum(DELAYS) * 0.99


@pytest.mark.parametrize("name", WORLDS)
def test_a_form_against_itself_adds_nothing_whatever_the_machine_does(name):
    fake = FakeNetwork(WORLDS[name])
    same = fake.form()
    assert within(fake.found(fake.time(same, same), confidence=0.9999).decisive.total, 0)


def test_forward_and_backward_are_timed_apart():
    with torch.enable_grad():
        fake, samples = planted(backward=BACKWARD)
    measured = fake.found(samples)
    for (forward, backward), before, after in zip(
        measured.decisive.phases, DELAYS, BACKWARD, strict=True
    ):
        assert forward.location == pytest.approx(before, abs=1e-6)
        assert backward.location == pytest.approx(after, abs=1e-6)
    assert measured.decisive.total.location == pytest.approx(sum(DELAYS + BACKWARD), abs=3e-6)


def test_without_gradients_there_is_no_backward_part():
    fake, samples = planted()
    assert {len(phase) for phase in fake.found(samples).decisive.phases} == {1}
    record = in_place_records.line_in_place(fake.found(samples), "a step", "network")
    assert {slot.backward for slot in record.slots} == {None}


def test_every_pair_runs_each_form_once_at_each_slot_in_an_order_of_the_slots_own():
    fake = FakeNetwork()
    fake.time(fake.form(name="A"), fake.form(name="B"))
    steps = np.array([name for _, name in fake.ran]).reshape(-1, SLOTS)[3:]  # warmed up
    first, second = steps[0::2], steps[1::2]
    assert ((first == "A") != (second == "A")).all()
    assert 0.2 < (first == "A").mean() < 0.8
    assert any(len(set(forms)) == 2 for forms in first)


def test_the_same_seed_draws_the_same_and_another_one_does_not():
    def draws(seed):
        fake = FakeNetwork()
        fake.time(fake.form(name="A"), fake.form(name="B"), seed=seed)
        return fake.ran

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)


def test_both_forms_are_timed_by_the_same_reads_of_the_clocks():
    fake = FakeNetwork()
    reads = []

    def read(which):
        reads.append(which)
        return fake.machine.now()

    fake.clocks = Clocks(lambda: read("processor"), lambda: read("wall"))
    with timed_slots(fake.step, fake.clocks) as slots:
        for form in (fake.form(name="A"), fake.form(name="B")):
            reads.clear()
            slots.run(fake.step, [form] * SLOTS)
            begin, end = ["processor", "wall"], ["wall", "processor"]
            assert reads == [*begin, *(begin + end) * SLOTS, *end]


def test_the_processors_clock_decides_at_one_thread_and_the_walls_at_more():
    fake, samples = planted()
    later = replace(
        samples,
        candidate_s=samples.candidate_s + np.array([0.0, 5e-6])[None, None, None],
    )
    alone, several = fake.found(later), fake.found(later, threads=2)
    assert (alone.clock, several.clock) == ("processor", "wall")
    more = several.decisive.total.location - alone.decisive.total.location
    assert more == pytest.approx(5e-6 * SLOTS)


def simulated(draw, effect_s, processes, pairs=15, step_s=0.05):
    """Samples of several processes: heavy tails, drift, and effects that processes differ in."""
    parts = []
    for _ in range(processes):
        here = effect_s + 4e-6 * draw.standard_normal(SLOTS)
        noise = (
            30e-6 * draw.standard_t(2, (2 * pairs, SLOTS)) + 1e-6 * np.arange(2 * pairs)[:, None]
        )
        first, second = LINE_S + noise[0::2], LINE_S + noise[1::2]
        coin = draw.random((pairs, SLOTS)) < 0.5
        baseline, candidate = np.where(coin, second, first), np.where(coin, first, second) + here
        parts.append(LineSamples(*(np.repeat(times[:, :, None, None], 2, axis=3)
                                   for times in (baseline, candidate)),
                                 np.full((pairs, 2), step_s)))  # fmt: skip
    return parts


@pytest.mark.parametrize("effect_s", [0.0, 20e-6])
def test_intervals_over_processes_cover_as_often_as_they_promise(effect_s):
    draw, fake = np.random.default_rng(20241227), FakeNetwork()
    trials = [fake.found(simulated(draw, effect_s, 8), over="processes") for _ in range(200)]
    covered = [within(trial.decisive.total, effect_s * SLOTS) for trial in trials]
    assert np.mean(covered) >= 0.93 - 2 * math.sqrt(0.05 * 0.95 / len(trials))
    of_slots = [within(trial.decisive.slots[0], effect_s) for trial in trials]
    assert np.mean(of_slots) >= 0.93 - 2 * math.sqrt(0.05 * 0.95 / len(trials))


def test_processes_that_differ_widen_the_interval():
    fake, draw = FakeNetwork(), np.random.default_rng(0)
    alike = simulated(draw, 20e-6, 8)
    apart = [
        replace(samples, candidate_s=samples.candidate_s + 50e-6 * (index % 2))
        for index, samples in enumerate(alike)
    ]
    narrow, wide = (fake.found(parts, over="processes").decisive.total for parts in (alike, apart))
    assert wide.width > 2 * narrow.width


def test_too_few_processes_have_an_interval_without_ends_and_decide_nothing():
    fake, samples = planted()
    measured = fake.found([samples] * 2, over="processes")
    assert measured.ratio_interval == (0, math.inf)
    assert measured.verdict == "inconclusive"
    assert "interval without an end, which takes more processes or pairs" in repr(measured)


def test_a_line_in_place_reads_as_a_sentence():
    fake, samples = planted()
    assert re.fullmatch(
        r"expand_as adds \+\d\d(\.\d)? µs to a step against broadcast \(95 % interval "
        r"\+[\d.]+ µs to \+[\d.]+ µs\), \+0\.3\d % of the step: equivalent "
        r"\(1 process, \d+ pairs of steps\)",
        repr(fake.found(samples)),
    )


def test_at_least_six_pairs_run_however_small_the_budget():
    fake = FakeNetwork()
    assert fake.time(fake.form(), fake.form(), budget_s=0.03).pairs == FEWEST_PAIRS


def test_a_step_far_too_slow_for_the_budget_is_refused():
    fake = FakeNetwork()
    message = (
        "a step takes 0.02.* s, and 6 pairs of them take more than 20 times the budget of 0.01 s"
    )
    with pytest.raises(BudgetError, match=message):
        fake.time(fake.form(), fake.form(), budget_s=0.01)


def test_the_line_is_timed_with_room_for_its_calls():
    fake, seen = FakeNetwork(), set()
    form = fake.form()

    def noting(x, gate):
        seen.add(process_jobs.has_room())
        return form(x, gate)

    fake.time(noting, noting)
    assert seen == {True}


def test_a_network_without_the_line_is_refused():
    network = HostNetwork(None)
    with pytest.raises(SlotError, match="the network has no SE block, so there is no line to time"):
        time_line(Step(network, list, ()), broadcast, expand_as, budget_s=1, seed=0)


def test_cases_that_are_not_those_of_the_slots_are_refused():
    fake = FakeNetwork()
    fewer = replace(fake.step, slots=fake.step.slots[1:])
    with pytest.raises(SlotError, match="4 SE blocks, and cases for 3"):
        time_line(fewer, broadcast, expand_as, budget_s=1, seed=0)
    turned = replace(fake.step, slots=fake.step.slots[::-1])
    with pytest.raises(SlotError, match=r"SE block 1 is \(1, 1, 2, 2\), and its case says \(1, 4"):
        time_line(turned, broadcast, expand_as, budget_s=1, seed=0)


def test_a_line_that_does_not_run_is_refused():
    fake = FakeNetwork()
    idle = replace(fake.step, run=list)
    with pytest.raises(SlotError, match="the line of SE block 1 did not run forward"):
        time_line(idle, broadcast, expand_as, budget_s=1, seed=0)
    forward_only = replace(fake.step, run=fake.network)
    with torch.enable_grad(), pytest.raises(SlotError, match="block 1 did not run backward"):
        time_line(forward_only, broadcast, expand_as, budget_s=1, seed=0)


def test_the_network_has_its_own_line_back_afterwards():
    fake = FakeNetwork()
    fake.time(fake.form(), fake.form(), budget_s=0.1)
    with pytest.raises(SlotError):
        time_line(replace(fake.step, run=list), broadcast, expand_as, budget_s=1, seed=0)
    with timed_slots(fake.step, fake.clocks) as slots:
        assert set(slots.forms) == {broadcast}


@pytest.mark.parametrize("form", SCALES)
def test_a_stopwatch_changes_no_bit_of_a_training_step(form):
    timed, plain = (training_workloads.training_step(2, "channels_last") for _ in range(2))
    with torch.enable_grad():
        with timed_slots(timed, Clocks()) as slots:
            slots.run(timed, [SCALES[form]] * 6)
        workloads.sharing(plain.network, form, form, plain.run)[0]()
    for parameter, other in zip(
        timed.network.parameters(), plain.network.parameters(), strict=True
    ):
        assert torch.equal(parameter, other)


def recorder():
    return Recorder("04_eager_cost")


def control(fake, samples):
    return fake.found(samples, confidence=0.9999)


def test_the_control_of_a_form_against_itself_holds_and_fails_where_something_is_added():
    fake = FakeNetwork()
    same = fake.form()
    assert in_place_records.itself_control(
        recorder(), control(fake, fake.time(same, same)), "network"
    ).passed
    with pytest.raises(ControlFailedError, match="the same form at every draw adds nothing"):
        in_place_records.itself_control(recorder(), control(*planted()), "network")


@pytest.mark.parametrize("grad", [False, True])
def test_a_planted_wait_is_found_with_its_size_and_not_with_another(grad):
    fake = FakeNetwork()

    def ticking():  # a wait looks at the clock until it is over
        fake.machine.time_s += 2e-7
        return fake.machine.time_s

    fake.clocks = Clocks(ticking, ticking)
    with torch.set_grad_enabled(grad):
        samples = time_planted(
            fake.step, fake.form(), PLANTED_SHARE, budget_s=4, seed=0, clocks=fake.clocks
        )
    expected = PLANTED_SHARE * (STEP_S + (1 + grad) * SLOTS * LINE_S)
    assert samples.planted_s == pytest.approx(expected, rel=0.05)
    measured = control(fake, samples)
    kept_records = recorder()
    assert in_place_records.planted_control(
        kept_records, measured, samples.planted_s, "network"
    ).passed
    (record, _) = kept_records.evidence().records
    assert (record.role, record.planted_s) == ("control", samples.planted_s)
    assert measured.verdict == "slower"
    for wrong in (0.5, 1.5):
        with pytest.raises(ControlFailedError, match="planted in the line is found with its size"):
            in_place_records.planted_control(
                recorder(), measured, wrong * samples.planted_s, "network"
            )


@pytest.mark.parametrize(
    ("low", "high", "verdict", "words"),
    [
        (0.9, 1.1, "slower", "is found with its size"),
        (-5.0, 7.0, "inconclusive", "could not be tried: the interval is too wide"),
    ],
)
def test_an_interval_that_would_hide_the_wait_is_no_control(monkeypatch, low, high, verdict, words):
    _, samples = planted()
    record = in_place_records.line_in_place(
        FakeNetwork().found(samples), "x", "network", role="control"
    )
    monkeypatch.setattr(in_place_records, "line_in_place", lambda *_, **__: record)
    total = SimpleNamespace(low=low, high=high)
    wide = SimpleNamespace(decisive=SimpleNamespace(total=total), verdict=verdict)
    kept = in_place_records.planted_control(recorder(), wide, 1.0, "network")
    assert kept.statement.endswith(words)


def test_an_interval_around_nothing_that_leaves_the_wait_out_fails():
    fake = FakeNetwork()
    same = fake.form()
    nothing = control(fake, fake.time(same, same))
    with pytest.raises(ControlFailedError, match="planted in the line is found with its size"):
        in_place_records.planted_control(recorder(), nothing, PLANTED_SHARE * STEP_S, "network")


def test_a_wait_that_is_over_late_counts_as_long_as_it_was():
    """A clock that takes long to read makes a short wait longer than intended."""
    fake = FakeNetwork()

    def coarse():
        fake.machine.time_s += 7e-5
        return fake.machine.time_s

    fake.clocks = Clocks(coarse, fake.machine.now)
    samples = time_planted(
        fake.step, fake.form(), PLANTED_SHARE, budget_s=4, seed=0, clocks=fake.clocks
    )
    assert samples.planted_s == pytest.approx(SLOTS * 2 * 7e-5)
    assert samples.planted_s > 1.3 * PLANTED_SHARE * (STEP_S + SLOTS * LINE_S)
    assert in_place_records.planted_control(
        recorder(), control(fake, samples), samples.planted_s, "network"
    ).passed


def whole(ratios):
    """A replication of whole steps, of which only the processes' ratios count."""
    parts = tuple(type("Of", (), {"ratio": ratio})() for ratio in ratios)
    return type("Whole", (Replication,), {"__init__": lambda _: None, "ratio": ratios[0],
                                          "comparisons": parts})()  # fmt: skip


def test_whole_steps_that_find_the_same_share_agree_and_others_do_not():
    fake = FakeNetwork()
    parts = [planted(seed=seed)[1] for seed in range(4)]
    measured = fake.found(parts, over="processes")
    share = sum(DELAYS) / STEP_S
    near = whole([1 + share + deviation for deviation in (-0.004, 0.003, 0.001, -0.001)])
    agreement = in_place_records.agreement_control(recorder(), measured, near)
    assert re.search(r"in place, .* by whole steps \(p = 0\.\d+\)", agreement.seen)
    far = whole([1.2 + deviation for deviation in (-0.004, 0.003, 0.001, -0.001)])
    with pytest.raises(ControlFailedError, match="whole steps do not contradict the share"):
        in_place_records.agreement_control(recorder(), measured, far)


def test_a_record_holds_slots_sums_and_processes_and_survives_json():
    with torch.enable_grad():
        fake, samples = planted(backward=BACKWARD)
    measured = fake.found([samples] * 8, over="processes")
    record = in_place_records.line_in_place(measured, "a step", "training_step")
    assert [slot.case for slot in record.slots] == list(fake.step.slots)
    assert [sum_.clock for sum_ in record.sums] == list(CLOCKS)
    assert record.pairs == 8 * samples.pairs
    assert record.share == pytest.approx(sum(DELAYS + BACKWARD) / STEP_S, rel=0.05)
    assert (record.ratio, record.interval) == (measured.ratio, measured.ratio_interval)
    assert (record.verdict, record.batch) == ("equivalent", 1)
    again = TypeAdapter(Record).validate_json(record.model_dump_json())
    assert again == record


def test_a_record_without_the_sum_of_the_clock_that_decides_is_refused():
    fake, samples = planted()
    record = in_place_records.line_in_place(fake.found(samples), "a step", "network")
    with pytest.raises(ValueError, match="decided by the processor's clock, and it has no sum"):
        LineInPlace.model_validate(record.model_dump() | {"sums": record.model_dump()["sums"][1:]})


def test_a_rule_reads_the_step_whose_line_was_timed_in_place_and_not_its_check():
    fake, samples = planted()
    kept_records = recorder()
    for memory_format in ("contiguous", "channels_last"):
        fake.step = replace(
            fake.step, slots=tuple(slot.with_format(memory_format) for slot in fake.step.slots)
        )
        measured = fake.found([samples] * 8, over="processes")
        in_place_records.keep(kept_records, measured, f"a step, {memory_format}", "network")
        check = in_place_records.step_timing(measured, "whole steps", "network", role="control")
        kept_records.keep(check)
    findings = Findings([evidence(*kept_records.evidence().records)])
    answers = findings.answers(questions.NETWORK)
    assert [answer.verdict for answer in answers] == ["equivalent"] * 2
    assert answers[0].ratio == pytest.approx(1 + sum(DELAYS) / STEP_S, rel=0.001)
    assert len(findings.answers(ask(LineInPlace, level="network"))) == 2


def test_samples_survive_json():
    _, samples = planted()
    again = LineSamples.from_dict(json.loads(json.dumps(samples.to_dict())))
    for name, value in vars(samples).items():
        np.testing.assert_array_equal(getattr(again, name), value)


def broken(**_given):
    raise RuntimeError("no step today")


def test_fewer_than_two_processes_are_refused():
    with pytest.raises(ValueError, match="processes must be 2 or more, not 1"):
        time_in_processes({}, processes=1, budget_s=1, threads=1, seed=0)


@pytest.mark.slow
def test_a_process_that_fails_is_named_with_the_reason():
    line = Line(broken, {"batch": 1, "memory_format": "contiguous", "seed": 0})
    message = "process 1 of the line in place failed: RuntimeError: no step today"
    with pytest.raises(ReplicationError, match=message):
        time_in_processes({"x": line}, processes=2, budget_s=0.1, threads=1, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "grad"),
    [(workloads.forward_step, False), (training_workloads.training_step, True)],
)
def test_the_host_networks_line_is_timed_in_fresh_processes_with_its_controls(make, grad):
    lines = host_lines(make, batch=2, seed=0)
    timed = time_in_processes(lines, processes=2, budget_s=0.2, threads=1, seed=0, grad=grad)
    measured = timed.line("channels_last", confidence=0.95)
    assert [slot.memory_format for slot in measured.slots] == ["channels_last"] * 6
    assert {len(phase) for phase in measured.decisive.phases} == {1 + grad}
    assert len(measured.parts) == 2
    kept_records = recorder()
    assert in_place_records.itself_control(kept_records, timed.control("itself"), "network").passed
    wait_s = timed.planted_s("planted")
    assert in_place_records.planted_control(
        kept_records, timed.control("planted"), wait_s, "network"
    ).passed


def test_controls_are_named_by_what_they_are():
    lines = host_lines(workloads.forward_step, batch=8, seed=0)
    assert [line.candidate_name for line in lines.values()] == [
        "expand_as", "expand_as", "broadcast again", "broadcast and 2 % of the step",
    ]  # fmt: skip
    assert lines["planted"].given["batch"] == 2
    assert in_place_processes.PLANTED_SHARE > MARGIN
