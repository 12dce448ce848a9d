"""Processes that prepare side by side, are timed alone, and may die without harm."""

import os
import signal
import subprocess
import sys
import time

import process_jobs
import pytest
from test_guard import gone

from investigation.timing.processes import Job, in_fresh_processes, one_line

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

# A caller that its test can end; in a job of a shell's background it would ignore SIGINT.
CALLER = """
import signal, sys, process_jobs
from investigation.timing.processes import Job, in_fresh_processes

signal.signal(signal.SIGINT, signal.default_int_handler)
when, note = sys.argv[1:]
list(in_fresh_processes([Job(process_jobs.hangs, {"when": when, "note": note})]))
"""


def run(*jobs, **settings):
    return list(in_fresh_processes([Job(*job) for job in jobs], **settings))


@pytest.mark.parametrize("function", [process_jobs.answers, process_jobs.at_once])
def test_an_answer_comes_back_and_what_is_printed_reaches_neither_stream(function, capfd):
    (outcome,) = run((function, {"value": [1, None, "a"]}))
    assert outcome.answer == [1, None, "a"]
    assert outcome.crash is None
    assert capfd.readouterr() == ("", "")


def test_a_job_has_room_for_its_calls_while_it_prepares_and_when_it_is_timed():
    (outcome,) = run((process_jobs.tells_its_room, {}))
    assert outcome.answer == [True, True]


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run((process_jobs.answers, {"value": 1}), (process_jobs.raises, {"when": "running"}))
    assert list(tmp_path.iterdir()) == []


def test_a_process_with_an_answer_ends_at_once_and_what_it_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (outcome,) = run((process_jobs.keeps_a_file, {"folder": str(tmp_path)}), limit_s=100)
    assert outcome.answer == [True, True]
    assert list(tmp_path.iterdir()) == []


def test_what_a_job_has_started_ends_with_it_before_another_goes_on(tmp_path):
    note = tmp_path / "note"
    jobs = (
        Job(process_jobs.leaves_another, {"note": str(note)}),
        Job(process_jobs.at_once, {"value": 1}),
    )
    outcomes = in_fresh_processes(jobs)
    assert next(outcomes).answer == "answered"
    assert gone(int(note.read_text()))
    assert next(outcomes).answer == 1


def test_two_prepare_side_by_side_and_none_is_timed_beside_another(tmp_path):
    jobs = [(process_jobs.timed, {"folder": str(tmp_path), "beside": n}) for n in (2, 2, 3)]
    outcomes = run(*jobs, at_once=2, limit_s=100)
    first, second, third = (outcome.answer for outcome in outcomes)
    assert max(first["prepared"][1], second["prepared"][1]) <= first["ran"][0]
    assert first["ran"][1] <= second["ran"][0]
    assert second["ran"][1] <= third["prepared"][0]


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (process_jobs.raises, {"when": "preparing"}, "ValueError: no such layer"),
        (process_jobs.raises, {"when": "running"}, "ValueError: no such result"),
        (process_jobs.killed, {"when": "preparing"}, "ended by SIGSEGV"),
        (process_jobs.killed, {"when": "running"}, "ended by SIGSEGV"),
        (process_jobs.leaves, {}, "exit status 3, no message"),
        (process_jobs.leaves, {"last_words": "once,\nno licence"}, "exit status 3: no licence"),
        (process_jobs.stops_twice, {}, "RuntimeError: a job yields once"),
        (process_jobs.at_once, {}, "TypeError: at_once() missing 1 required positional "
                                   "argument: 'value'"),
        (sys.exit, {}, "SystemExit:"),
        (complex, {}, "TypeError: Object of type complex is not JSON serializable"),
    ],
)  # fmt: skip
def test_a_crash_is_one_line_and_the_job_beside_it_answers(function, arguments, message):
    crashed, well = run((function, arguments), (process_jobs.answers, {"value": 7}), at_once=2)
    assert crashed.answer is None
    assert crashed.crash == message
    assert well.answer == 7


@pytest.mark.parametrize("when", ["preparing", "running"])
def test_a_job_that_hangs_is_ended_with_what_it_started(when, tmp_path):
    hanging = process_jobs.hangs, {"when": when, "note": str(tmp_path / "note")}
    hung, well = run(hanging, (process_jobs.answers, {"value": 7}), at_once=2, limit_s=5)
    assert hung.crash == "no answer within 5 s"
    assert well.answer == 7
    assert all(gone(int(pid)) for pid in (tmp_path / "note").read_text().split())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("when", ["preparing", "running"])
def test_a_process_ends_with_its_caller_however_that_ends(when, how, tmp_path):
    note = tmp_path / "note"
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, when, str(note)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    while not (note.exists() and note.read_text().endswith("\n")):
        time.sleep(0.01)
    caller.send_signal(how)
    assert caller.wait(timeout=30) != 0
    assert all(gone(int(pid)) for pid in note.read_text().split())


def test_a_crash_keeps_the_end_of_what_was_printed():
    (outcome,) = run((process_jobs.raises, {"when": "running"}))
    assert "no such result" in outcome.log
    with pytest.raises(KeyError, match="the job failed: ValueError: no such result") as raised:
        outcome.answer_or(KeyError, "the job")
    assert "Traceback" in str(raised.value.__cause__)


def test_a_function_that_another_process_cannot_import_is_refused():
    def local():
        return 1

    with pytest.raises(ValueError, match=r"local cannot be imported .* at the top of a module"):
        run((local, {}))


def test_a_long_message_is_cut_and_its_notes_are_not():
    error = ValueError("x" * 500)
    assert one_line(error).endswith("…")
    assert len(one_line(error)) == 200
    error.add_note("in the arm 'candidate'")
    assert one_line(error).endswith("x… (in the arm 'candidate')")
