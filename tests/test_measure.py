import gc
import json
import math
import mmap
import re
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from fake_clock import WORLDS, FakeMachine, steady

from investigation.timing import comparison, measure, pairs
from investigation.timing.clock import DeviceClock
from investigation.timing.comparison import Comparison
from investigation.timing.errors import (
    BudgetError,
    DeviceError,
    MeasurementError,
    SettingsError,
    TooFastError,
)
from investigation.timing.measure import compare, compare_on, compare_patiently, sample_on
from investigation.timing.recording import timed
from investigation.timing.samples import Samples
from investigation.timing.settings import Settings

MS = 1e-3


def on_machine(
    world: str, ratio: float, seed: int, call_s: float = 0.5 * MS, budget_s: float = 0.4
) -> Comparison:
    machine = FakeMachine(WORLDS[world], seed)
    arms = machine.work(call_s, "baseline"), machine.work(ratio * call_s, "candidate")
    return compare_on(machine, Settings(budget_s=budget_s, seed=seed), *arms)


@pytest.mark.parametrize("world", WORLDS)
def test_identical_arms_are_rarely_called_different_in_any_world(world: str) -> None:
    outcomes = [on_machine(world, 1.0, seed) for seed in range(60)]
    alarms = sum(
        not outcome.ratio_interval[0] <= 1 <= outcome.ratio_interval[1] for outcome in outcomes
    )
    assert alarms <= 9  # 3 are expected; 10 or more once in a thousand


@pytest.mark.parametrize("world", WORLDS)
def test_a_planted_difference_flips_the_verdict_in_any_world(world: str) -> None:
    slower = [on_machine(world, 1.1, seed) for seed in range(10)]
    faster = [on_machine(world, 1 / 1.1, seed) for seed in range(10)]
    assert {comparison.verdict for comparison in slower} == {"slower"}
    assert {comparison.verdict for comparison in faster} == {"faster"}


@pytest.mark.parametrize("world", WORLDS)
def test_interval_covers_the_planted_ratio_in_any_world(world: str) -> None:
    outcomes = [on_machine(world, 1.03, seed) for seed in range(60)]
    covered = sum(
        outcome.ratio_interval[0] <= 1.03 <= outcome.ratio_interval[1] for outcome in outcomes
    )
    assert covered >= 51


def test_spikes_do_not_bias_the_ratio() -> None:
    ratios = [on_machine("spikes", 1.02, seed).ratio for seed in range(20)]
    assert sum(ratios) / 20 == pytest.approx(1.02, abs=0.0005)


def test_without_the_coin_a_drift_would_be_called_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pairs, "draw_orders", lambda _seed, pairs: repeat((False,) * pairs))
    assert on_machine("drift", 1.0, 0, call_s=2 * MS).ratio_interval[0] > 1


def test_a_slow_first_call_is_warmed_away() -> None:
    machine = FakeMachine(steady)
    slow = machine.work(0.5 * MS, "slow", first_call_s=0.1)
    outcome = compare_on(machine, Settings(budget_s=0.5), machine.work(0.5 * MS), slow)
    assert outcome.verdict == "equivalent"
    assert max(outcome.samples.candidate_s) < 1 * MS


def test_a_stall_in_the_warm_up_is_not_taken_for_a_slow_callable() -> None:
    stalls = iter([1, 1, 500])
    machine = FakeMachine(lambda _time_s, _draw: next(stalls, 1))
    outcome = compare_on(machine, Settings(budget_s=0.6), *[machine.work(0.5 * MS)] * 2)
    assert outcome.pairs > 100


def test_the_difference_per_call_is_the_planted_one_and_so_is_its_sign() -> None:
    outcome = on_machine("steady", 0.9, 1, call_s=20e-6)
    assert outcome.difference_s == pytest.approx(-2e-6, rel=0.01)
    assert outcome.difference_interval[0] < outcome.difference_s < outcome.difference_interval[1]
    assert outcome.baseline_s == pytest.approx(20e-6, rel=0.01)
    assert outcome.candidate_s == pytest.approx(18e-6, rel=0.01)


@pytest.mark.parametrize("call_s", [0.5e-6, 20e-6, 0.5 * MS, 20 * MS])
def test_the_budget_holds_whatever_a_call_takes(call_s: float) -> None:
    machine = FakeMachine(steady)
    settings = Settings(budget_s=0.6)
    outcome = compare_on(machine, settings, machine.work(call_s), machine.work(1.2 * call_s))
    assert 0.8 * 0.6 < outcome.elapsed_s <= 1.1 * 0.6


def test_blocks_of_a_fast_callable_are_long_and_those_of_a_slow_one_are_single_calls() -> None:
    fast, slow = on_machine("steady", 1, 0, call_s=1e-6), on_machine("steady", 1, 0, call_s=MS)
    assert fast.calls_per_block * fast.baseline_s >= 0.9 * pairs.SHORTEST_BLOCK_S
    assert slow.calls_per_block == 1
    assert fast.pairs > 100
    assert slow.pairs > 100


def test_every_two_pairs_hold_each_order_once_and_the_first_is_a_coin() -> None:
    orders = pairs.draw_orders(np.random.default_rng(3), pairs_per_coin=2)
    both_orders = [next(orders) for _ in range(400)]
    assert all(sum(pair) == 1 for pair in both_orders)
    assert 150 < sum(first for first, _ in both_orders) < 250


def test_a_seed_repeats_the_orders_and_another_does_not() -> None:
    firsts = [on_machine("steady", 1, seed).samples.candidate_first[:100] for seed in (1, 1, 2)]
    assert firsts[0] == firsts[1] != firsts[2]


def test_a_fresh_seed_is_drawn_and_named_when_none_is_given() -> None:
    arms = multiplies(50), multiplies(50)
    first, other = (compare_patiently(*arms, budget_s=0.2, seed=None) for _ in range(2))
    assert first.seed != other.seed


def test_both_arms_are_called_equally_often_in_the_samples() -> None:
    outcome = on_machine("steady", 3, 0)
    assert len(outcome.samples.baseline_s) == len(outcome.samples.candidate_s) == outcome.pairs


def turn(switches: int = 0, faults: int = 0, stolen: int = 0) -> pairs.Turn:
    return pairs.Turn((), switches, faults, stolen)


@pytest.mark.parametrize("disturbed", [turn(switches=1), turn(stolen=1), turn(faults=100)])
def test_a_turn_is_dropped_by_what_the_system_counted(disturbed: pairs.Turn) -> None:
    calm = [turn(faults=faults) for faults in range(5)]
    assert pairs.undisturbed_turns([*calm, disturbed], fewest=3) == calm


def test_faults_that_every_turn_has_belong_to_the_program() -> None:
    turns = [turn(faults=1000 + number) for number in range(5)]
    assert pairs.undisturbed_turns(turns, fewest=3) == turns


def test_where_most_turns_are_disturbed_all_are_kept() -> None:
    turns = [turn(), turn(), *[turn(switches=1)] * 3]
    assert pairs.undisturbed_turns(turns, fewest=1) == turns
    assert pairs.undisturbed_turns([turn(), turn(), turn(switches=1)], fewest=3) != [turn()] * 2


def test_disturbed_pairs_are_left_out_and_counted() -> None:
    machine = FakeMachine(steady)

    def work() -> None:
        machine.time_s += 0.5 * MS
        if machine.time_s % 0.1 < MS:
            machine.counted = replace(machine.counted, switches=machine.counted.switches + 1)
            machine.time_s += 20 * MS

    outcome = compare_on(machine, Settings(budget_s=0.5), work, work)
    assert outcome.samples.dropped > 0
    assert max(outcome.samples.baseline_s) < MS
    assert timed(outcome).dropped_pairs == outcome.samples.dropped


def test_processor_time_is_kept_beside_the_clock_at_one_thread() -> None:
    machine = FakeMachine(steady)
    arms = machine.work(0.5 * MS), machine.work(0.6 * MS)
    outcome = compare_on(machine, Settings(budget_s=0.3), *arms)
    assert timed(outcome).cpu_ratio == pytest.approx(1.2, abs=0.01)
    assert timed(replace(outcome, threads=2)).cpu_ratio is None


def test_counters_of_this_system_only_rise() -> None:
    clock = DeviceClock.of("cpu")
    before, seconds = clock.counters(), clock.processor_s()
    # Fresh pages from the system: an allocator may have some that were touched before.
    with mmap.mmap(-1, 64 * mmap.PAGESIZE) as pages:
        for page in range(0, len(pages), mmap.PAGESIZE):
            pages[page] = 1
    after = clock.counters()
    assert after.faults > before.faults
    assert after.switches >= before.switches
    assert after.stolen >= before.stolen
    assert clock.processor_s() > seconds


def test_the_device_is_waited_for_in_every_block() -> None:
    machine = FakeMachine(steady)
    outcome = compare_on(machine, Settings(budget_s=0.1), *[machine.work(MS)] * 2)
    assert machine.waits >= 2 * outcome.pairs


def test_a_cost_that_strikes_only_some_calls_is_warned_of() -> None:
    machine = FakeMachine(steady)
    plain, struck = machine.work(0.3 * MS), machine.work(0.3 * MS, "struck")
    penalty = machine.work(0.2 * MS, "penalty")

    def sometimes() -> None:
        struck()
        if machine.calls["struck"] % 5 > 1:
            penalty()

    outcome = compare_on(machine, Settings(budget_s=1.0), plain, sometimes)
    assert any("strikes only some calls" in warning for warning in outcome.warnings)
    quiet = compare_on(machine, Settings(budget_s=1.0), plain, machine.work(0.3 * MS))
    assert not any("strikes only some calls" in warning for warning in quiet.warnings)


@pytest.mark.parametrize(
    ("fastest", "typical", "meaning"),
    [
        (0.0, 0.1, "part of the difference strikes only some calls"),
        (0.0, -0.1, "part of the difference strikes only some calls"),
        (0.1, 0.0, "typical calls hide part of the difference"),
        (-0.1, 0.0, "typical calls hide part of the difference"),
    ],
)
def test_a_disagreement_says_which_calls_show_more(fastest, typical, meaning) -> None:
    draw = np.random.default_rng(0)
    of_rounds = {1: typical, 2: fastest}
    samples = SimpleNamespace(log_ratios=lambda size: [draw.normal(of_rounds[size], 1e-3, 200)])
    assert comparison._disagreement(samples, 2).endswith(f": {meaning}")


def test_an_effect_that_changes_with_time_widens_the_interval_and_says_so() -> None:
    machine = FakeMachine(steady)
    plain = machine.work(0.5 * MS)
    cheap, dear = machine.work(0.5 * MS), machine.work(0.6 * MS)

    def changing() -> None:
        (dear if math.fmod(machine.time_s, 0.2) < 0.1 else cheap)()

    outcome = compare_on(machine, Settings(budget_s=0.8), plain, changing)
    assert any("autocorrelated" in warning for warning in outcome.warnings)


def test_few_rounds_are_warned_of() -> None:
    outcome = on_machine("steady", 1, 0, call_s=20 * MS)
    expected = f"only {outcome.pairs} rounds: a longer budget_s narrows the interval"
    assert expected in outcome.warnings


# --- the same samples at another confidence, and on disk


def test_a_higher_confidence_widens_the_same_samples_and_can_unsettle_a_verdict() -> None:
    outcome = on_machine("steady", 1.0007, 4)
    strict = outcome.at(0.999999)
    assert strict.samples is outcome.samples
    assert strict.ratio == outcome.ratio
    assert strict.ratio_interval[0] < outcome.ratio_interval[0]
    assert strict.confidence == 0.999999
    assert strict.at(0.95) == outcome


def test_an_impossible_confidence_is_refused() -> None:
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1, not 1"):
        on_machine("steady", 1, 0).at(1)


def test_what_another_process_judges_comes_to_the_same() -> None:
    settings, outcomes = Settings(budget_s=0.5, seed=3, margin=0.02), []
    for timing in (compare_on, sample_on):
        machine = FakeMachine(steady, 3)
        outcomes.append(timing(machine, settings, machine.work(5 * MS), machine.work(5.1 * MS)))
    here, elsewhere = outcomes
    handed_over = json.loads(json.dumps(elsewhere.to_dict()))
    judged = Comparison.from_samples(handed_over)
    # What disturbs this machine meanwhile is no part of it.
    assert replace(judged, warnings=()) == replace(here, warnings=())


# --- how it reads


def test_a_difference_reads_as_a_sentence() -> None:
    pattern = (
        r"expand_as is 10\.\d+ % slower than broadcast \(95 % interval [\d.]+ % to [\d.]+ %; "
        r"\+2 µs a call; \d+ pairs of \d calls, 1 thread\)"
    )
    assert re.match(pattern, read_as(1.1))


def read_as(ratio: float) -> str:
    machine = FakeMachine(steady)
    settings = Settings(budget_s=0.4, name="expand_as", baseline_name="broadcast")
    arms = machine.work(20e-6), machine.work(ratio * 20e-6)
    return repr(compare_on(machine, settings, *arms))


@pytest.mark.parametrize(
    ("ratio", "start"),
    [
        (1.0, "expand_as and broadcast are equal within 1 %: "),
        (0.8, "expand_as is 20.0 % faster than broadcast ("),
        (3.0, "expand_as takes 3 times as long as broadcast ("),
    ],
)
def test_each_verdict_has_its_words(ratio: float, start: str) -> None:
    assert read_as(ratio).startswith(start)


def test_an_undecided_comparison_says_inconclusive_and_keeps_its_interval() -> None:
    text = repr(on_machine("wandering", 1.0, 2, call_s=10 * MS))
    assert text.startswith("candidate against baseline is undecided: ")
    assert "95 % interval" in text


# --- real callables


def multiplies(calls: int) -> Callable[[], None]:
    x = torch.ones(64)

    def work() -> None:
        for _ in repeat(None, calls):
            x * x

    return work


def test_real_work_planted_in_the_candidate_is_found() -> None:
    outcome = compare(multiplies(50), multiplies(100), budget_s=0.3, seed=1)
    assert outcome.verdict == "slower"
    assert outcome.ratio == pytest.approx(2, rel=0.25)


def test_real_elapsed_time_is_what_a_wall_clock_says() -> None:
    start = time.perf_counter()
    outcome = compare(multiplies(50), multiplies(50), budget_s=0.2, seed=1)
    assert outcome.elapsed_s <= time.perf_counter() - start


def test_threads_grad_mode_and_garbage_collector_are_set_and_put_back() -> None:
    states = set()

    def look() -> None:
        states.add((torch.get_num_threads(), torch.is_grad_enabled(), gc.isenabled()))
        time.sleep(1e-4)

    before = torch.get_num_threads(), torch.is_grad_enabled(), gc.isenabled()
    compare_patiently(look, look, budget_s=0.2, threads=1, grad=False)
    assert states == {(1, False, False)}
    assert (torch.get_num_threads(), torch.is_grad_enabled(), gc.isenabled()) == before


def test_grad_mode_can_be_asked_for() -> None:
    x, states = torch.ones(512, requires_grad=True), set()
    arms = lambda: states.add((x * x).requires_grad), lambda: (x * x).sum()
    compare_patiently(*arms, budget_s=0.2, grad=True)
    assert states == {True}


def test_a_result_is_not_kept_alive_across_calls() -> None:
    class Result:
        pass

    alive: list[weakref.ref[Result]] = []

    def make() -> Result:
        assert all(reference() is None for reference in alive[-1:])
        result = Result()
        alive[:] = [weakref.ref(result)]
        time.sleep(1e-4)
        return result

    compare_patiently(make, make, budget_s=0.2)


def test_everything_is_put_back_after_an_error() -> None:
    before = torch.get_num_threads(), gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        compare(multiplies(50), lambda: 1 / 0, budget_s=0.5)
    assert (torch.get_num_threads(), gc.isenabled()) == before


# --- bad input


def test_an_error_of_a_callable_is_its_own_and_names_the_arm() -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero") as raised:
        compare(multiplies(50), lambda: 1 / 0, name="broken")
    assert raised.value.__notes__ == ["raised by the arm 'broken' of a comparison"]


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("setting", ["budget_s", "margin"])
def test_a_budget_or_margin_must_be_positive_and_finite(setting: str, value: float) -> None:
    settings: dict[str, Any] = {setting: value}
    with pytest.raises(
        SettingsError, match=f"{setting} must be positive and finite .* not {value}"
    ):
        compare(multiplies(50), multiplies(50), **settings)


@pytest.mark.parametrize("value", [0, 1, 1.5, -0.1, math.nan])
def test_a_confidence_outside_its_range_is_refused(value: float) -> None:
    with pytest.raises(SettingsError, match="confidence must lie between 0 and 1"):
        compare(multiplies(50), multiplies(50), confidence=value)


def test_a_thread_count_below_one_is_refused() -> None:
    with pytest.raises(SettingsError, match="threads must be 1 or more, not 0"):
        compare(multiplies(50), multiplies(50), threads=0)


def test_a_callable_as_fast_as_calling_nothing_is_refused_with_its_time() -> None:
    with pytest.raises(TooFastError, match=r"'baseline' takes \d.* ns a call, .* put a loop"):
        compare(lambda: None, multiplies(50), budget_s=2)  # refused after the warm-up, a twentieth


def test_a_callable_too_slow_for_the_budget_is_refused_with_its_time() -> None:
    machine = FakeMachine()
    slow = machine.work(0.2)
    with pytest.raises(BudgetError, match=r"a call takes 'baseline' 0\.\d+ s and 'candidate' 0\."):
        compare_on(machine, Settings(budget_s=1.0), slow, slow)


def test_a_first_call_longer_than_the_budget_is_refused_with_its_time() -> None:
    machine = FakeMachine()
    compiles = machine.work(MS, "compiles", first_call_s=5)
    message = r"the first call of 'candidate' took 5 s, and the budget is 1 s; call it once before"
    with pytest.raises(BudgetError, match=message):
        compare_on(machine, Settings(budget_s=1.0), machine.work(MS), compiles)


@pytest.mark.parametrize("device", ["xpu:7", "nonsense"])
def test_a_device_that_is_not_there_is_named_with_those_that_are(device: str) -> None:
    with pytest.raises(DeviceError, match=rf"no device '{device}' here; available: cpu"):
        compare(multiplies(50), multiplies(50), device=device)


def test_every_refusal_is_a_measurement_error_and_a_value_error() -> None:
    for error in (SettingsError, DeviceError, TooFastError, BudgetError):
        assert issubclass(error, MeasurementError)
        assert issubclass(error, ValueError)


def test_rounds_keep_the_fastest_block_of_each_arm() -> None:
    samples = Samples((1.0, 2.0, 3.0, 4.0), (2.0, 9.0, 9.0, 3.0), (True, False) * 2, 1, 2)
    baseline, candidate = samples.fastest(2)
    assert (baseline.tolist(), candidate.tolist()) == ([1, 3], [2, 3])


def test_a_budget_that_is_too_small_is_raised_and_nothing_else_is() -> None:
    def slow() -> None:
        time.sleep(0.01)

    with pytest.raises(BudgetError):
        measure.compare(slow, slow, budget_s=0.04, seed=0)
    patient = compare_patiently(slow, slow, budget_s=0.04, seed=0)
    assert patient.pairs >= 6
    with pytest.raises(SettingsError, match="budget_s must be positive"):
        compare_patiently(slow, slow, budget_s=-1)


def test_a_budget_is_raised_as_often_as_it_is_too_small_up_to_a_limit() -> None:
    """What is made may take longer each time that it is made."""
    budgets: list[float] = []

    def never(budget_s: float) -> Comparison:
        budgets.append(budget_s)
        raise BudgetError("too slow", needed_s=1.5)

    with pytest.raises(BudgetError, match="too slow"):
        measure.patiently(never, 1.0)
    assert budgets == [1, 2, 4, 8, 16, measure.PATIENCE]
