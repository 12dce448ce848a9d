import json
from dataclasses import replace

import pytest

from investigation.display import contest_figures, figure_data, recorded
from investigation.display.recorded import RecordError
from investigation.evidence.sealed.contest import (
    MADE,
    MANN_WHITNEY,
    PAIRS,
    TENSORS,
    ContestResult,
    Trial,
)


def trial(dose, ratio, verdict, *, found):
    return Trial(method=MADE, plant=TENSORS, dose=dose, number=0, ratio=ratio, low=ratio - 0.001,
                 high=ratio + 0.001, found=found, verdict=verdict, elapsed_s=0.6)  # fmt: skip


TRIALS = [
    trial(0.0, 1.0, "equivalent", found=False),
    trial(0.0, 1.02, "slower", found=True),
    trial(1.0, 1.005, "equivalent", found=True),
    trial(1.0, 0.98, "faster", found=True),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "machine").mkdir()
    ContestResult({"cores": 2}, {}, TRIALS).write(tmp_path / "machine" / "contest.json")
    return tmp_path


def test_contests_are_found_by_machine(folder):
    assert list(recorded.contests(folder)) == ["machine"]


def test_a_contest_beside_a_neighbour_is_a_record_of_its_own(folder):
    beside = ContestResult({}, {"neighbour": True}, TRIALS)
    beside.write(folder / "machine" / "contest_neighbour.json")
    assert list(recorded.contests(folder)) == ["machine", "machine, beside a busy neighbour"]


def test_verdicts_have_the_words_of_every_page_also_where_a_small_dose_is_found(folder):
    (result,) = recorded.contests(folder).values()
    shares = recorded.verdict_shares(result, TENSORS)[MADE]
    assert list(shares["equivalent"]) == result.doses(TENSORS)
    assert list(shares["equivalent"].values()) == [0.5, 0.5]
    assert list(shares["slower"].values()) == [0.5, 0]
    assert list(shares["faster"].values()) == [0, 0.5]


def test_what_was_found_is_drawn_beside_the_verdicts_at_its_own_dose(folder):
    (result,) = recorded.contests(folder).values()
    doses, found = result.doses(TENSORS), recorded.found_shares(result, TENSORS)[MADE]
    assert list(found) == doses
    for dose, share in found.items():
        trials = result.of(MADE, TENSORS, dose)
        assert share == sum(trial.found for trial in trials) / len(trials)
    none_slower = {MADE: {"slower": dict.fromkeys(doses, 0.0)}}
    drawn = figure_data.as_csv(
        contest_figures.by_planted_difference(doses, none_slower, {MADE: found})
    )
    assert drawn.count("a difference found") == len(doses)


def test_what_a_contest_shows_follows_from_its_limits():
    def held(alarms, of):
        trials = [
            trial(0.0, *((1.02, "slower") if n < alarms else (1.0, "equivalent")), found=n < alarms)
            for n in range(of)
        ]
        return recorded.concluded(ContestResult({}, {}, trials))

    agrees = "does not contradict its confidence of 95 %: false alarms in 5.0 % of 100 trials"
    contradicts = "**contradicts its confidence of 95 %**: false alarms in 20.0 % of 100 trials"
    assert agrees in held(5, 100)
    assert contradicts in held(20, 100)


@pytest.mark.parametrize(
    ("alarms", "outcome"),
    [
        ((40, 5, 5), "The prediction held. Kinds"),
        ((40, 30, 5), "**The prediction held for the usual way only**."),
        ((5, 5, 5), "**The prediction held for alternating blocks only**."),
        ((5, 30, 30), "**The prediction was wrong**."),
    ],
)
def test_the_prediction_is_judged_by_the_false_alarms_of_each_method(alarms, outcome):
    def of_method(method, count):
        found = (replace(trial(0.0, 1.02, "slower", found=True), method=method),) * count
        return *found, *(replace(trial(0.0, 1.0, "equivalent", found=False), method=method),) * (
            100 - count
        )

    methods = (MANN_WHITNEY, PAIRS, MADE)
    trials = [one for pair in zip(methods, alarms, strict=True) for one in of_method(*pair)]
    told = recorded.prediction_told(ContestResult({}, {}, trials))
    assert told.startswith(outcome)
    assert ("(`compare_made`) none" in told) == (alarms[2] < 10)
    assert f"test, {'tensors of their own' if alarms[0] > 10 else 'none'};" in told


def test_a_contest_that_ended_early_says_how_far_it_came():
    trials = [trial(0.0, 1.0, "equivalent", found=False) for _ in range(3)]
    early, whole = (ContestResult({}, {"trials": planned}, trials) for planned in (5, 3))
    assert recorded.ended_early(early) == (
        "It was ended after 3 of 5 planned trials of each difference."
    )
    assert recorded.ended_early(whole) == ""


def test_every_method_is_explained_in_a_line():
    lines = list(recorded.explained())
    assert {line["method"] for line in lines} >= {MADE, "duet"}
    assert all(line["what it does"] for line in lines)


def test_endpoints_and_targets_are_rows_that_say_where_they_were_missed(folder):
    (result,) = recorded.contests(folder).values()
    (row,) = recorded.endpoints(result, TENSORS)
    assert row[TENSORS] == MADE
    assert row["false alarms"] == "50.0 % of 2"
    assert row["wrong signs"] == 1
    missed = {row["target"] for row in recorded.targets(result) if row[""] == "missed"}
    about = f"{MADE}, {TENSORS}"
    assert {f"{about}: false alarms", f"{about}: wrong signs"} <= missed


def test_a_record_that_cannot_be_read_is_refused_with_its_path(folder):
    path = folder / "machine" / "contest.json"
    path.write_text(json.dumps({"schema": 9}))
    with pytest.raises(RecordError, match="not a usable record") as refused:
        recorded.contests(folder)
    assert str(refused.value).startswith(str(path))


def test_a_missing_instruction_count_is_said(tmp_path):
    with pytest.raises(RecordError, match="no instruction count is recorded"):
        recorded.instruction_counts(tmp_path)


def test_the_committed_records_can_be_read():
    assert recorded.instruction_counts().difference("expand_as", "broadcast") > 0
    for result in recorded.contests().values():
        assert result.of(MADE)


def test_a_recorded_contest_is_shown_with_a_captioned_figure_for_each_kind_of_plant(folder):
    (result,) = recorded.contests(folder).values()
    (picture,) = contest_figures.pictures("machine", result)
    assert f"recorded: machine, {TENSORS}." in picture.data
    told = "With compare_made: false alarms in 1 of 2 and +1 % found in 2 of 2 trials."
    assert picture.data.count(told) == 3, "in the caption and in two alternative texts"


def test_the_figures_of_a_contest_beside_a_neighbour_are_folded():
    alone, beside = (ContestResult({}, {"neighbour": busy}, TRIALS) for busy in (False, True))
    first, second = contest_figures.of_all({"here": alone, "here, busy": beside})
    assert "<details>" not in first.data
    assert "<details><summary>The figures of here, busy</summary>" in second.data


def test_the_numbers_of_a_contest_end_with_its_machine():
    result = ContestResult({"cores": 2}, {"trials": 2}, TRIALS)
    *tables, made_on = contest_figures.numbers(result)
    assert len(tables) == 3
    assert "not run" not in tables[1].data
    missed = [row["target"] for row in recorded.targets(result) if row[""] == "missed"]
    assert f"Why targets were missed: {len(missed)}" in tables[2].data
    assert [row["missed"] for row in recorded.causes(result)] == missed
    assert all(row["why"] for row in recorded.causes(result))
    assert made_on.data.startswith("Made on 2 cores.")


def test_where_no_target_was_missed_no_cause_is_shown():
    result = ContestResult({"cores": 2}, {"trials": 1}, TRIALS[:1])
    result.trials += [trial(0.0, 1.0, "equivalent", found=False) for _ in range(200)]
    assert list(recorded.causes(result)) == []
    assert len(list(contest_figures.numbers(result))) == 3


def test_a_machine_is_told_with_rounded_numbers_and_their_units():
    words = recorded.machine(
        {"processor": "AMD", "load": 7.66552, "memory_bytes": 25276502016, "callable_s": 1.9e-3,
         "torch": "2.13"}
    )  # fmt: skip
    assert words == (
        "AMD, load 7.7, 23.5 GiB of memory, 1,900 µs for the baseline's work, torch 2.13"
    )
