import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from investigation.evidence.sealed import contest as contest_record
from investigation.evidence.sealed import contest_causes, contest_targets
from investigation.evidence.sealed.contest import (
    CLOSURES,
    DOSES,
    IQR,
    MADE,
    METHODS,
    ONE_FUNCTION,
    PAIRS,
    PLANTS,
    TENSORS,
    ContestResult,
    Trial,
)
from investigation.timing import contest, contestants, duet, planted_work
from investigation.timing.errors import BudgetError
from investigation.timing.statistics import judge


def trial(
    method: str, dose: float, number: int, error: float, reach: float, plant: str = ONE_FUNCTION
) -> Trial:
    ratio = contest_record.planted_ratio(dose) * (1 + error)
    low, high = ratio * (1 - reach), ratio * (1 + reach)
    return Trial(
        method=method,
        plant=plant,
        dose=dose,
        number=number,
        ratio=ratio,
        low=low,
        high=high,
        found=not low <= 1 <= high,
        verdict=judge((low, high), 0.01),
        elapsed_s=0.6,
    )


def a_contest(error: float, reach: float, trials: int = 200) -> ContestResult:
    """Ours errs by `error` to either side in turn, the rival a hundred times as much."""
    result = ContestResult({"torch": "2.13"}, {"trials": trials})
    for number in range(trials):
        sign = 1 if number % 2 else -1
        for plant in PLANTS:
            for dose in DOSES[plant]:
                for ours in (PAIRS, MADE):
                    result.trials.append(trial(ours, dose, number, sign * error, reach, plant))
                rival = trial(IQR, dose, number, sign * 100 * error, 200 * error, plant)
                result.trials.append(rival)
    return result


class SlowError(Exception):
    """Raised to see with which budget something was compared."""


@pytest.mark.parametrize(
    ("trials", "compared"),
    [(contestants.paired_trials, "compare"), (contestants.made_trials, "compare_made")],
)
def test_a_machine_that_is_slow_again_and_again_gets_more_seconds(trials, compared, monkeypatch):
    budgets: list[float] = []

    def too_small(*_: object, budget_s: float, **__: object) -> None:
        budgets.append(budget_s)
        if len(budgets) == 3:
            raise SlowError
        raise BudgetError("too small", needed_s=2 * budget_s)

    monkeypatch.setattr(contestants, compared, too_small)
    planted = planted_work.plant(0.0, TENSORS)
    with pytest.raises(SlowError):
        trials(planted, number=0, budget_s=0.1, seed=0)
    assert budgets == sorted(budgets)
    assert budgets[0] == 0.1 < budgets[1] < budgets[2]


def met(result: ContestResult) -> dict[str, bool | None]:
    return {target.name: target.met for target in contest_targets.targets(result)}


def test_a_precise_instrument_meets_every_target() -> None:
    assert set(met(a_contest(error=0.0003, reach=0.001)).values()) == {True}


def test_an_interval_that_is_too_short_misses_false_alarms_and_coverage() -> None:
    outcome = met(a_contest(error=0.002, reach=0.001))
    assert outcome["compare, one function: false alarms"] is False
    assert outcome["compare_made, tensors of their own: coverage"] is False


def test_an_interval_that_is_too_long_misses_the_doses() -> None:
    outcome = met(a_contest(error=0.0003, reach=0.02))
    assert outcome["compare, one function: false alarms"] is True
    assert outcome["compare, one function: +0.25 % found"] is False
    assert outcome["compare_made, closures of their own: +1 % found"] is False


def test_a_method_no_better_than_its_rival_misses_the_error_targets() -> None:
    result = a_contest(error=0.0003, reach=0.001, trials=10)
    result.trials = [
        trial(earlier.method, earlier.dose, earlier.number, 0.0003, 0.001)
        for earlier in result.trials
    ]
    assert met(result)[f"compare, one function: RMS error over that of {IQR}"] is False


def test_a_target_whose_trials_did_not_run_is_neither_met_nor_missed() -> None:
    result = a_contest(0.0003, 0.001, trials=10)
    result.trials = [
        trial_kept
        for trial_kept in result.trials
        if trial_kept.dose == 0 and trial_kept.method == MADE
    ]
    outcome = met(result)
    assert outcome["compare_made, tensors of their own: +1 % found"] is None
    assert outcome[f"compare_made, one function: RMS error over that of {IQR}"] is None
    assert not any(name.startswith("compare, ") for name in outcome)


def causes(result: ContestResult) -> dict[str, str]:
    return {target.name: target.cause for target in contest_targets.targets(result)}


def test_a_target_that_was_met_or_not_tried_has_no_cause() -> None:
    assert set(causes(a_contest(error=0.0003, reach=0.001)).values()) == {""}
    few = a_contest(0.0003, 0.001, trials=10)
    few.trials = [kept for kept in few.trials if kept.dose == 0 and kept.method == MADE]
    assert causes(few)["compare_made, tensors of their own: +1 % found"] == ""


def test_a_dose_that_was_missed_says_how_many_intervals_were_too_wide() -> None:
    cause = causes(a_contest(error=0.0003, reach=0.02))
    # An estimate is 2.33 standard errors too small in one trial of a hundred: 1.19 half-widths.
    assert cause["compare, one function: +0.25 % found"] == (
        "To find it in 99.0 % of trials, intervals must reach ±0.11 % or less. They reached "
        "further in 200 of 200 trials, at most ±2 %."
    )
    few = a_contest(error=0.0003, reach=0.001)
    first = few.of(PAIRS, ONE_FUNCTION, 0.25)[:3]
    few.trials = [kept for kept in few.trials if kept not in first]
    few.trials += [trial(PAIRS, 0.25, kept.number, 0.0, 0.01) for kept in first]
    assert (
        "further in 3 of 200 trials, at most ±1 %."
        in causes(few)["compare, one function: +0.25 % found"]
    )


def test_a_dose_that_was_missed_with_narrow_intervals_is_missed_by_the_estimates() -> None:
    biased = a_contest(error=0.0003, reach=0.001)
    planted = biased.of(PAIRS, ONE_FUNCTION, 0.25)
    biased.trials = [kept for kept in biased.trials if kept not in planted]
    biased.trials += [trial(PAIRS, 0.25, kept.number, -0.0025, 0.0005) for kept in planted]
    assert causes(biased)["compare, one function: +0.25 % found"] == (
        "All intervals reach ±0.11 % or less, so it is the estimates that are off."
    )


def test_a_trial_without_an_interval_counts_as_too_wide() -> None:
    without = replace(trial(PAIRS, 0.25, 0, 0.0, 0.001), low=None, high=None, found=False)
    cause = contest_causes.of_finding([without], 0.25, 0.99)
    assert cause.endswith("They reached further in 1 of 1 trials.")


def with_alarms(count: int, trials: int = 200) -> ContestResult:
    """A precise contest in which `compare` raised so many false alarms on one function."""
    result = a_contest(error=0.0003, reach=0.001, trials=trials)
    raised = result.of(PAIRS, ONE_FUNCTION, 0.0)[:count]
    result.trials = [kept for kept in result.trials if kept not in raised]
    result.trials += [trial(PAIRS, 0.0, kept.number, 0.003, 0.001) for kept in raised]
    return result


@pytest.mark.parametrize(
    ("alarms", "cause"),
    [
        (14, "With a true rate of 5.0 %, 14 or more of 200 come up by chance in 13.0 % of "
             "contests."),
        (40, "With a true rate of 5.0 %, 40 or more of 200 come up in less than 0.1 % of "
             "contests: chance alone does not explain it."),
    ],
)  # fmt: skip
def test_false_alarms_are_held_against_chance(alarms: int, cause: str) -> None:
    told = causes(with_alarms(alarms))
    assert told["compare, one function: false alarms"] == cause
    assert told["compare, one function: false alarms, upper 95 % limit"].endswith(cause)


def test_a_limit_that_too_few_trials_cannot_meet_is_told_by_their_number() -> None:
    none = causes(with_alarms(0, trials=10))
    assert none["compare, one function: false alarms"] == ""
    assert none["compare, one function: false alarms, upper 95 % limit"] == (
        "With 10 trials, a true rate of 5.0 % meets this in 0.0 % of contests."
    )
    # Of 200 trials at most 8 alarms have an upper limit below 8 %.
    some = causes(with_alarms(9))["compare, one function: false alarms, upper 95 % limit"]
    assert some == "With 200 trials, a true rate of 5.0 % meets this in 32.7 % of contests."


def test_coverage_is_held_against_chance() -> None:
    told = causes(a_contest(error=0.002, reach=0.001))
    cause = told["compare_made, tensors of their own: coverage"]
    assert cause.startswith("With a true coverage of 95.0 %, 0 or fewer of 400 come up in less")
    assert cause.endswith("chance alone does not explain it.")


def test_a_wrong_sign_is_told_with_its_estimate_and_excused_only_where_the_interval_is_wide():
    result = a_contest(error=0.0003, reach=0.001)
    name = "compare, one function: wrong signs"
    wide, narrow = trial(PAIRS, 0.1, 200, -0.004, 0.0015), trial(PAIRS, 1.0, 200, -0.03, 0.001)
    result.trials.append(wide)
    assert causes(result)[name] == (
        "1 of 201 at +0.1 % (estimated: −0.30 %). Each of these intervals reaches further than "
        "the planted difference. By chance alone such an interval lies on the wrong side in up to "
        "2.5 % of trials."
    )
    result.trials.append(narrow)
    assert causes(result)[name] == (
        "1 of 201 at +0.1 % (estimated: −0.30 %) and 1 of 201 at +1 % (estimated: −2.03 %)."
    )


def test_an_error_is_told_with_and_without_the_worst_trials() -> None:
    steady = [trial(PAIRS, 0.0, number, 0.001, 0.002) for number in range(100)]
    assert contest_causes.of_error(steady, rival_percent=1.0, wanted=1 / 50) == (
        "The rival's error is 1 %, so ours had to be at most 0.02 %. It is 0.1 %; without the "
        "worst 1 of 100 trials it is 0.1 %."
    )
    outlier = [trial(PAIRS, 0.0, 100, 0.05, 0.1), *steady[1:]]
    assert contest_causes.of_error(outlier, rival_percent=1.0, wanted=1 / 50).endswith(
        "It is 0.498 %; without the worst 1 of 100 trials it is 0.1 %."
    )


def test_two_objects_are_held_to_what_they_share_and_programs_to_every_kind_of_plant():
    names = met(a_contest(0.0003, 0.001, trials=10))
    assert {name.split(":")[0] for name in names} == {
        f"{PAIRS}, {ONE_FUNCTION}",
        *(f"{MADE}, {plant}" for plant in PLANTS),
    }


def test_a_difference_found_on_the_wrong_side_is_a_wrong_sign() -> None:
    assert trial(PAIRS, 0.5, 0, error=-0.02, reach=0.001).wrong_sign
    assert not trial(PAIRS, 0.5, 0, error=0.0, reach=0.001).wrong_sign
    assert not trial(PAIRS, -0.5, 0, error=0.0, reach=0.001).wrong_sign


@pytest.mark.parametrize(
    ("dose", "ratio"), [(0, 1), (1, 1.01), (-1, 1 / 1.01), (0.25, 1.0025), (0.1, 1.001)]
)
def test_a_dose_is_exactly_so_much_more_work(dose: float, ratio: float) -> None:
    assert contest_record.planted_ratio(dose) == pytest.approx(ratio, rel=1e-12)


def test_a_dose_that_is_no_whole_number_of_calls_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"a dose of 0\.33 % is not a whole number of calls in 400 or 1000"
    ):
        planted_work.plant(0.33)


def test_only_the_number_of_calls_tells_planted_sides_apart() -> None:
    baseline, candidate = planted_work.plant(1.0).once()
    assert baseline.func is candidate.func  # type: ignore[attr-defined]
    x, y, calls = baseline.args  # type: ignore[attr-defined]
    assert candidate.args == (x, y, 1.01 * calls)  # type: ignore[attr-defined]


def test_the_smallest_dose_is_one_call_in_a_longer_work() -> None:
    baseline, candidate = planted_work.plant(0.1).once()
    assert (baseline.args[2], candidate.args[2]) == (1000, 1001)  # type: ignore[attr-defined]


def test_closures_of_their_own_have_the_same_code_over_the_same_tensors() -> None:
    baseline, candidate = planted_work.plant(0.0, CLOSURES).once()
    assert baseline is not candidate
    assert baseline.__code__ is candidate.__code__


def test_tensors_of_their_own_are_made_anew_each_time() -> None:
    planted = planted_work.plant(0.0, TENSORS)
    arms = [*planted.once(), *planted.once()]
    assert len({arm.args[0].data_ptr() for arm in arms}) == 4  # type: ignore[attr-defined]
    assert len({arm.func for arm in arms}) == 1  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.skipif(duet.two_cores() is None, reason="a duet takes two cores")
def test_a_duet_times_both_arms_together_and_finds_a_large_difference() -> None:
    cores = duet.two_cores()
    assert cores is not None
    slow, fast = (planted_work.shared(calls) for calls in (800, 200))
    ratios = duet.duet_log_ratios(fast, slow, cores, 1.0)
    assert len(ratios) > 3
    assert math.exp(sorted(ratios)[len(ratios) // 2]) > 1.5


def test_what_is_recorded_of_a_contest_counts_our_planted_differences_alone() -> None:
    result = ContestResult({}, {})
    result.trials += [
        trial(MADE, 0.0, 0, error=0.05, reach=0.01),  # a false alarm: nothing is planted
        trial(MADE, 0.5, 0, error=0.0, reach=0.02),  # missed
        trial(MADE, 1.0, 0, error=0.0, reach=0.001),
        trial(MADE, -1.0, 0, error=0.05, reach=0.001),  # found on the wrong side
        trial(IQR, 1.0, 0, error=0.0, reach=0.001),
    ]
    summary = result.planted_differences()
    assert (summary.planted, summary.found, summary.wrong_sign) == (3, 1, 1)
    assert summary.doses_percent == (-1.0, 0.0, 0.5, 1.0)


def test_shares_come_with_limits_and_none_where_nothing_ran() -> None:
    assert contest_record.share([])["share"] is None
    half = contest_record.share([True, False] * 50)
    assert half["low"] < half["share"] < half["high"]  # type: ignore[operator]


def test_rms_error_is_of_the_ratio_and_in_per_cent() -> None:
    trials = [trial(PAIRS, 1, 0, error, 0.1) for error in (0.01, -0.01)]
    assert contest_record.rms_error_percent(trials) == pytest.approx(1, rel=0.01)


def test_rivals_with_fewer_trials_are_spread_over_the_contest() -> None:
    planned = contest.turns(
        trials=8, rival_trials=2, doses={plant: [0.0, 1.0] for plant in PLANTS}, seed=1
    )
    ours = [turn for turn in planned if turn.method is contestants.paired_trials]
    rivals = {turn.number for turn in planned if turn.method is contestants.sequential_trials}
    assert len(ours) == 16 * len(PLANTS)
    assert rivals == {3, 7}


def test_the_order_is_drawn_and_a_seed_repeats_it() -> None:
    order, same, other = (contest.turns(5, 5, DOSES, seed) for seed in (1, 1, 2))
    assert order == same != other


@pytest.mark.slow
def test_an_interrupted_contest_goes_on_where_it_stopped(tmp_path: Path) -> None:
    settings = {"doses": {TENSORS: [0.0]}, "budget_s": 0.4, "seed": 3}
    first = contest.run(1, **settings)  # type: ignore[arg-type]
    file = tmp_path / "contest.json"
    first.write(file)
    saved = ContestResult.from_dict(json.loads(file.read_text()))
    measured: list[int] = []
    resumed = contest.run(
        2,
        resume=saved,
        progress=lambda _, done, __: measured.append(done),
        **settings,  # type: ignore[arg-type]
    )
    assert resumed.trials[: len(first.trials)] == first.trials
    assert sorted({trial_run.number for trial_run in resumed.trials}) == [0, 1]
    assert len(resumed.trials) == 2 * len(first.trials)
    assert measured
    assert min(measured) > len(contest.turns(1, 1, settings["doses"], 3))  # type: ignore[arg-type]
    assert not list(tmp_path.glob("*.partial"))


def test_a_contest_ends_at_its_limit_with_whole_trials() -> None:
    ended = contest.run(50, doses={ONE_FUNCTION: [0.0]}, budget_s=0.1, limit_s=0.0)
    assert ended.trials == []


@pytest.mark.slow
def test_a_live_contest_runs_every_method_and_prints_its_table() -> None:
    result = contest.run(1, doses={CLOSURES: [2.0]}, budget_s=0.4)
    expected = set(METHODS) - (set() if duet.two_cores() else {contest_record.DUET})
    assert {trial_run.method for trial_run in result.trials} == expected
    text = contest_targets.table(result)
    assert all(method in text for method in expected)
    assert all(math.isfinite(trial_run.ratio) for trial_run in result.trials)


def test_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="contest schema 0, expected 2"):
        ContestResult.from_dict({"schema": 0})
