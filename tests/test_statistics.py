import itertools
import math

import numpy as np
import pytest
from scipy import stats

from investigation.timing import statistics


def contaminated(draw: np.random.Generator, size: int) -> np.ndarray:
    """Symmetric, with one value in five ten times as wide."""
    return draw.standard_normal(size) * np.where(draw.random(size) < 0.2, 10, 1)


DISTRIBUTIONS = {
    "normal": lambda draw, n: draw.standard_normal(n),
    "cauchy": lambda draw, n: draw.standard_cauchy(n),
    "uniform": lambda draw, n: draw.uniform(-1, 1, n),
    "contaminated": contaminated,
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("size", [8, 80])
def test_signed_rank_interval_covers_a_known_centre_at_its_level(name: str, size: int) -> None:
    draw, trials = np.random.default_rng(1), 700
    estimates = (
        statistics.signed_rank(3 + DISTRIBUTIONS[name](draw, size), 0.9) for _ in range(trials)
    )
    covered = sum(estimate.low <= 3 <= estimate.high for estimate in estimates)
    assert stats.binomtest(covered, trials, 0.9, alternative="less").pvalue > 1e-4


def test_signed_rank_interval_agrees_with_the_test_it_inverts() -> None:
    sample = np.random.default_rng(2).standard_normal(12) + 0.4
    estimate = statistics.signed_rank(sample, 0.95)
    inside = (estimate.low + 1e-9, estimate.high - 1e-9)
    outside = (estimate.low - 1e-9, estimate.high + 1e-9)
    assert all(stats.wilcoxon(sample - edge).pvalue > 0.05 for edge in inside)
    assert all(stats.wilcoxon(sample - edge).pvalue <= 0.05 for edge in outside)


def test_exact_and_normal_intervals_meet_where_one_takes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = np.random.default_rng(3).standard_normal(50)
    exact = statistics.signed_rank(sample, 0.95)
    monkeypatch.setattr(statistics, "EXACT_RANKS_UP_TO", 0)
    approximate = statistics.signed_rank(sample, 0.95)
    assert (approximate.low, approximate.high) == pytest.approx((exact.low, exact.high), abs=0.02)


def test_too_few_values_for_a_confidence_give_an_endless_interval() -> None:
    five = statistics.signed_rank([1.0, 2.0, 3.0, 4.0, 5.0], 0.95)
    six = statistics.signed_rank([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.95)
    assert (five.low, five.high) == (-math.inf, math.inf)
    assert (six.low, six.high) == (1.0, 6.0)
    assert five.location == 3


def test_one_wild_value_hardly_moves_the_location() -> None:
    sample = np.random.default_rng(4).standard_normal(100) * 0.01
    wild = np.append(sample, 1e9)
    assert statistics.signed_rank(wild, 0.95).location == pytest.approx(0, abs=0.005)


def test_inflation_widens_about_the_same_centre() -> None:
    sample = np.random.default_rng(5).standard_normal(200)
    plain, wide = (statistics.signed_rank(sample, 0.95, inflation) for inflation in (1, 2))
    assert wide.width == pytest.approx(2 * plain.width, rel=0.1)
    assert wide.location == plain.location


def test_unpaired_interval_covers_the_shift_of_independent_samples() -> None:
    draw, trials = np.random.default_rng(6), 600
    covered = 0
    for _ in range(trials):
        a, b = draw.standard_normal(40), draw.standard_normal(50) + 1
        interval = statistics.unpaired(a, b, 0.95)
        covered += interval.low <= 1 <= interval.high
    assert stats.binomtest(covered, trials, 0.95).pvalue > 1e-4


def test_a_coin_for_the_order_keeps_the_level_under_any_autocorrelation() -> None:
    draw, trials = np.random.default_rng(7), 500
    alarms = {"coin": 0, "fixed order": 0}
    for _ in range(trials):
        drift = np.cumsum(draw.standard_normal(80)) * 0.1  # the disturbance of each round
        coin = np.where(draw.random(80) < 0.5, 1, -1)
        for name, sample in (("coin", coin * drift), ("fixed order", drift)):
            interval = statistics.signed_rank(sample, 0.95)
            alarms[name] += not interval.low <= 0 <= interval.high
    assert stats.binomtest(alarms["coin"], trials, 0.05, alternative="greater").pvalue > 1e-4
    assert alarms["fixed order"] > 0.4 * trials


def test_choosing_the_round_by_its_width_keeps_the_level() -> None:
    draw, trials, alarms = np.random.default_rng(8), 400, 0
    for _ in range(trials):
        blocks = 1 + draw.exponential(0.05, (2, 240)) * np.where(draw.random(240) < 0.5, 1, 4)
        baseline, candidate = blocks
        size = statistics.best_round(baseline, candidate, 2)
        sample = statistics.log_ratios(baseline, candidate, size)
        interval = statistics.signed_rank(sample, 0.95)
        alarms += not interval.low <= 0 <= interval.high
    assert stats.binomtest(alarms, trials, 0.05, alternative="greater").pvalue > 1e-4


def test_a_calm_machine_gets_small_rounds_and_a_busy_one_large() -> None:
    draw = np.random.default_rng(9)
    calm = 1 + 0.001 * draw.standard_normal((2, 800))
    busy = calm + np.where(draw.random((2, 800)) < 0.8, draw.uniform(0, 3, (2, 800)), 0)
    assert statistics.best_round(calm[0], calm[1], 2) == 2
    assert statistics.best_round(busy[0], busy[1], 2) >= 8


def test_rounds_are_never_smaller_than_a_coin_nor_too_few() -> None:
    times = 1 + 0.01 * np.random.default_rng(10).random((2, 49))
    assert statistics.best_round(times[0], times[1], 1) == 1
    assert statistics.best_round(times[0], times[1], 2) == 2


def test_the_fastest_block_of_each_round_drops_an_unfinished_round() -> None:
    assert statistics.fastest_of_each([3, 1, 2, 5, 4, 0], 4).tolist() == [1]


def test_walsh_averages_are_every_two_values_and_each_with_itself() -> None:
    assert sorted(statistics.walsh_averages([0.0, 2.0, 4.0])) == [0, 1, 2, 2, 3, 4]


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.995, 1.004), "equivalent"),
        ((1.001, 1.009), "equivalent"),  # a difference, and smaller than what matters
        ((1.0005, 1.0105), "inconclusive"),  # a difference, and perhaps one that matters
        ((0.989, 0.9995), "inconclusive"),
        ((1.0101, 1.02), "slower"),
        ((0.98, 0.99), "faster"),
        ((0.98, 1.004), "inconclusive"),
        ((0.0, math.inf), "inconclusive"),
    ],
)
def test_verdict_follows_from_interval_and_margin(
    interval: tuple[float, float], verdict: str
) -> None:
    assert statistics.judge(interval, 0.01) == verdict


def test_swapping_the_arms_swaps_slower_and_faster_only() -> None:
    swapped = {"slower": "faster", "faster": "slower"}
    ends = np.exp(np.linspace(-0.03, 0.03, 13))
    for low, high in itertools.combinations(ends, 2):
        verdict = statistics.judge((low, high), 0.01)
        assert statistics.judge((1 / high, 1 / low), 0.01) == swapped.get(verdict, verdict)


def test_a_dose_at_the_margin_is_rarely_called_equivalent() -> None:
    draw, trials = np.random.default_rng(11), 400
    called = tests_say = 0
    for _ in range(trials):
        sample = math.log(1.01) + 0.01 * draw.standard_normal(120)
        interval = statistics.signed_rank(sample, 0.95)
        called += (
            statistics.judge((math.exp(interval.low), math.exp(interval.high)), 0.01)
            == "equivalent"
        )
        tests_say += statistics.equivalence_p(sample, 0.01) < 0.05
    assert called <= 0.05 * trials
    assert stats.binomtest(tests_say, trials, 0.05, alternative="greater").pvalue > 1e-4


def test_two_one_sided_tests_accept_a_tight_sample_at_zero_and_reject_a_loose_one() -> None:
    draw = np.random.default_rng(12).standard_normal(100)
    assert statistics.equivalence_p(0.001 * draw, 0.01) < 1e-6
    assert statistics.equivalence_p(0.5 * draw, 0.01) > 0.05


def test_rounds_that_depend_on_one_another_widen_the_interval() -> None:
    draw = np.random.default_rng(13)
    wave = np.repeat(draw.standard_normal(20), 10) + 0.1 * draw.standard_normal(200)
    assert statistics.autocorrelation_inflation(draw.standard_normal(200)) == 1
    assert statistics.autocorrelation_inflation(wave) > 1.5
    assert statistics.autocorrelation_p(np.zeros(100)) == 1


def test_parts_that_agree_vary_by_no_more_than_what_varies_inside_them() -> None:
    spread = statistics.spread([0.010, 0.011, 0.009, 0.010], [0.004] * 4)
    assert spread.within_percent == pytest.approx(0.4)
    assert spread.between_percent == 0
    assert spread.heterogeneity_p > 0.9


def test_parts_that_disagree_vary_between_one_another() -> None:
    spread = statistics.spread([0.05, -0.05, 0.04, -0.04], [0.001] * 4)
    assert spread.within_percent == pytest.approx(0.1)
    assert spread.between_percent == pytest.approx(5.2, abs=0.1)
    assert spread.heterogeneity_p < 1e-6


def test_a_standard_error_is_that_of_the_location() -> None:
    draw = np.random.default_rng(14)
    located = [statistics.location(draw.standard_normal(40)) for _ in range(300)]
    errors = [statistics.standard_error(draw.standard_normal(40)) for _ in range(300)]
    assert np.mean(errors) == pytest.approx(np.std(located), rel=0.15)


def test_the_choice_of_a_round_is_blind_to_the_sides() -> None:
    generator = np.random.default_rng(5)
    noise = generator.gamma(1.5, 0.05, size=(2, 480))
    baseline, other = 1 + noise
    assert statistics.best_round(baseline, other, 2) == statistics.best_round(other, baseline, 2)


def test_the_level_holds_although_the_round_was_chosen_from_the_data() -> None:
    generator = np.random.default_rng(11)
    alarms, trials = 0, 400
    for _ in range(trials):
        baseline, other = 1 + generator.gamma(2, 0.004, size=(2, 240))
        ratios = statistics.log_ratios(baseline, other, statistics.best_round(baseline, other, 2))
        interval = statistics.signed_rank(ratios, statistics.insured(0.95))
        alarms += not interval.low <= 0 <= interval.high
    assert alarms <= 0.05 * trials + 2.33 * math.sqrt(0.05 * 0.95 * trials)
