import json

import pytest

from investigation.display import recorded
from investigation.display.recorded import RecordError
from investigation.evidence.sealed.contest import OURS, ContestResult, Trial


def trial(dose, ratio, *, found, equivalent=False):
    return Trial(method=OURS, dose=dose, number=0, ratio=ratio, low=ratio - 0.001,
                 high=ratio + 0.001, found=found, equivalent=equivalent, elapsed_s=0.6)  # fmt: skip


TRIALS = [
    trial(0.0, 1.0, found=False, equivalent=True),
    trial(0.0, 1.02, found=True),
    trial(1.0, 1.01, found=True),
    trial(1.0, 0.99, found=True),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "machine").mkdir()
    ContestResult({"cores": 2}, {}, TRIALS).write(tmp_path / "machine" / "contest.json")
    return tmp_path


def test_contests_are_found_by_machine_and_kind(folder):
    (name,) = recorded.contests(folder=folder)
    assert name == "machine, shared machine"


def test_the_shares_of_verdicts_add_up_and_tell_slower_from_faster(folder):
    (kept,) = recorded.contests(folder=folder).values()
    shares = recorded.verdict_shares(kept)[OURS]
    assert shares["equivalent"] == [0.5, 0]
    assert shares["slower"] == [0.5, 0.5]
    assert shares["faster"] == [0, 0.5]


def test_endpoints_and_targets_are_rows_that_say_where_they_were_missed(folder):
    (kept,) = recorded.contests(folder=folder).values()
    (row,) = recorded.endpoints(kept)
    assert row["false alarms"] == "50.0% of 2"
    assert row["wrong signs"] == 1
    missed = {row["target"] for row in recorded.targets(kept) if row[""] == "missed"}
    assert {"false alarms", "wrong signs"} <= missed


def test_a_record_that_cannot_be_read_is_refused_with_its_path(folder):
    path = folder / "machine" / "contest.json"
    path.write_text(json.dumps({"schema": 9}))
    with pytest.raises(RecordError, match="not a usable record") as refused:
        recorded.contests(folder=folder)
    assert str(refused.value).startswith(str(path))


def test_a_missing_instruction_count_is_said(tmp_path):
    with pytest.raises(RecordError, match="no instruction count is recorded"):
        recorded.instruction_counts(tmp_path)


def test_the_committed_records_can_be_read():
    assert recorded.instruction_counts().difference("expand_as", "broadcast") > 0
    for titles in (recorded.CONTESTS, recorded.FIRST_RULE):
        for kept in recorded.contests(titles).values():
            assert kept.of(OURS)
