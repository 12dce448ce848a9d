"""Processes that prepare side by side, are timed alone, and may die without harm."""

import pytest
import worker_jobs

from investigation.runtimes import workers
from investigation.runtimes.workers import Job


def run(*jobs, **settings):
    return workers.run([Job(function, arguments) for function, arguments in jobs], **settings)


def test_an_answer_comes_back_and_its_folder_is_gone():
    (outcome,) = run((worker_jobs.answers, {"value": [1, None, "a"]}))
    assert outcome.answer["value"] == [1, None, "a"]
    assert outcome.crash is None
    assert not workers.Path(outcome.answer["folder"]).exists()


def test_what_a_library_prints_reaches_neither_stream(capfd):
    run((worker_jobs.answers, {"value": 1}))
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == ""


def test_two_prepare_side_by_side_and_none_is_timed_beside_another():
    outcomes = run(*[(worker_jobs.timed, {"seconds": 0.3})] * 3, at_once=2)
    first, second, third = (outcome.answer for outcome in outcomes)
    assert max(first["prepared"][0], second["prepared"][0]) < min(
        first["prepared"][1], second["prepared"][1]
    )
    assert max(first["prepared"][1], second["prepared"][1]) <= first["ran"][0]
    assert first["ran"][1] <= second["ran"][0]
    assert second["ran"][1] <= third["prepared"][0]


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        (worker_jobs.raises, {"when": "preparing"}, "ValueError: no such layer"),
        (worker_jobs.raises, {"when": "running"}, "ValueError: no such result"),
        (worker_jobs.killed, {"when": "preparing"}, "ended by SIGSEGV"),
        (worker_jobs.killed, {"when": "running"}, "ended by SIGSEGV"),
        (worker_jobs.leaves, {}, "exit status 3, no message"),
    ],
)
def test_a_crash_is_one_line_and_the_job_beside_it_answers(function, arguments, says):
    crashed, well = run((function, arguments), (worker_jobs.answers, {"value": 7}))
    assert crashed.answer is None
    assert crashed.crash == says
    assert well.answer["value"] == 7


@pytest.mark.parametrize("when", ["preparing", "running"])
def test_a_job_that_hangs_is_ended(when):
    hung, well = run(
        (worker_jobs.hangs, {"when": when}), (worker_jobs.answers, {"value": 7}), limit_s=3
    )
    assert hung.crash == "no answer within 3 s"
    assert well.answer["value"] == 7


def test_a_crash_keeps_the_end_of_what_was_printed():
    (outcome,) = run((worker_jobs.raises, {"when": "running"}))
    assert "no such result" in outcome.log


def test_a_runtime_gets_one_thread_and_cannot_report_its_use():
    (outcome,) = run((worker_jobs.environment, {}))
    assert outcome.answer == {
        "reports": False,
        "OMP_NUM_THREADS": "1",
        "ORT_DISABLE_TELEMETRY": "1",
    }


def test_a_long_message_is_cut():
    assert workers.one_line(ValueError("x" * 500)).endswith("…")
    assert len(workers.one_line(ValueError("x" * 500))) == 200
