"""Every level that a verdict uses holds, in worlds whose truth is known."""

import numpy as np
import pytest

from investigation.display import levels_table
from investigation.evidence.kinds.timings import CONTROL_CONFIDENCE
from investigation.timing import calibration, statistics
from investigation.timing.calibration import Calibrated
from investigation.timing.preparations import WANTED


def named(levels: list[Calibrated]) -> list[str]:
    return [
        f"{calibrated.level}, {calibrated.world}, {calibrated.confidence}: {calibrated.excluded}"
        for calibrated in levels
    ]


@pytest.mark.parametrize("parts", [WANTED, calibration.PROCESSES, 48])
def test_the_interval_over_parts_keeps_every_level_in_every_world(parts: int) -> None:
    levels = list(calibration.of_parts("parts", parts, trials=2000 if parts < 40 else 400, seed=1))
    assert named([level for level in levels if not level.holds]) == []


def test_the_interval_over_pairs_keeps_every_level_on_every_machine() -> None:
    levels = list(calibration.of_pairs(trials=500, seed=2))
    assert named([level for level in levels if not level.holds]) == []


def test_students_t_fails_where_the_first_made_gets_the_better_place() -> None:
    levels = calibration.of_parts("processes", calibration.PROCESSES, trials=4000, seed=3)
    (strict,) = (
        level
        for level in levels
        if level.world == "the better place for the first"
        and level.confidence == CONTROL_CONFIDENCE
    )
    assert strict.students_t is not None
    assert not strict.tried
    assert not Calibrated("t", strict.world, strict.confidence, 4000, strict.students_t, 0).holds
    assert strict.excluded == 0


def test_choosing_the_size_of_a_round_costs_some_of_the_level_which_is_kept_back() -> None:
    draw, trials = np.random.default_rng(4), 1500
    alarms = {"chosen": 0, "fixed": 0, "insured": 0}
    for _ in range(trials):
        baseline, other = calibration.quiet(draw, 480).reshape(2, 240)
        size = statistics.best_round(baseline, other, 2)
        for name, pairs, at in (
            ("chosen", size, 0.95),
            ("fixed", 2, 0.95),
            ("insured", size, statistics.insured(0.95)),
        ):
            interval = statistics.signed_rank(statistics.log_ratios(baseline, other, pairs), at)
            alarms[name] += not interval.low <= 0 <= interval.high
    assert alarms["insured"] < alarms["chosen"]
    assert 1 < alarms["chosen"] / alarms["fixed"] < 1.4
    assert Calibrated("pairs", "quiet", 0.95, trials, alarms["insured"], 0).holds


def test_the_table_has_a_row_for_each_level_and_world_and_a_column_for_each_confidence() -> None:
    levels = [
        Calibrated("pairs", "quiet", 0.95, 200, 10, 0),
        Calibrated("16 preparations", "normal", 0.95, 400, 16, 0, students_t=32),
        Calibrated("16 preparations", "normal", 0.999, 400, 0, 400, students_t=2),
    ]
    first, second = levels_table.rows(levels)
    assert first == {
        "interval over": "pairs",
        "world": "quiet",
        "excluded at 95 %": "5.0 %",
        "of": 200,
    }
    assert second["excluded at 95 %"] == "4.0 % (t: 8.0 %)"
    assert second["excluded at 99.9 %"] == "no ends"


def test_an_interval_that_is_too_short_does_not_hold() -> None:
    assert Calibrated("any", "any", 0.95, 1000, 60, 0).holds
    assert not Calibrated("any", "any", 0.95, 1000, 90, 0).holds
    assert not Calibrated("any", "any", 0.9999, 1000, 4, 0).holds
