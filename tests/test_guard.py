"""No process outlives its build, however that ends."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from pipeline import guard, places

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

SLEEPER = ["sleep", "600"]
OWNER = """
import subprocess, sys, time
from pipeline import guard
with guard.watched(sys.argv[1]):
    started = subprocess.Popen(["sleep", "600"], start_new_session=True)
    print(started.pid, flush=True)
    time.sleep(600)
"""


def gone(pid, within_s=60):
    """Whether a process ends; the wait is for a machine that stands still, not for the process."""
    deadline = time.monotonic() + within_s
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def pids(mark, within_s=60):
    """Return the marked processes once there are any: a new one shows its environment late."""
    deadline = time.monotonic() + within_s
    while not (processes := guard.marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return [process.pid for process in processes]


def owner(tmp_path, **environment):
    """Start a process that holds `tmp_path` and has started another; return both."""
    started = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], cwd=places.HERE, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | environment,
    )  # fmt: skip
    return started, started.stdout.readline()


def test_what_was_started_inside_ends_with_it(tmp_path):
    with guard.watched(str(tmp_path)) as mark:
        started = subprocess.Popen(SLEEPER, start_new_session=True)
        assert pids(mark) == [started.pid]
        assert os.environ[guard.MARK] == mark
    assert gone(started.pid)
    assert guard.MARK not in os.environ


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_what_was_started_ends_when_its_owner_is_ended(tmp_path, how):
    started, sleeper = owner(tmp_path)
    started.send_signal(how)
    started.wait(timeout=30)
    assert gone(int(sleeper))


def test_the_next_holder_ends_what_an_earlier_one_left(tmp_path):
    started, sleeper = owner(tmp_path)
    (watcher,) = [child for child in psutil.Process(started.pid).children()
                  if any(part.endswith("guard.py") for part in child.cmdline())]  # fmt: skip
    for process in (watcher, started):
        process.kill()
    started.wait(timeout=30)
    assert not gone(int(sleeper), within_s=0.3), "with its watcher gone too, it is left"
    with guard.watched(str(tmp_path)):
        assert gone(int(sleeper))


def test_of_two_owners_each_ends_its_own(tmp_path):
    with guard.watched(str(tmp_path / "one")):
        mine = subprocess.Popen(SLEEPER)
        with guard.watched(str(tmp_path / "other")):
            pass
        assert mine.poll() is None


def test_a_build_whose_make_is_gone_does_not_start(tmp_path):
    started, sleeper = owner(tmp_path, STARTED_BY=str(os.getpid() + 1_000_000))
    _, output = started.communicate(timeout=30)
    assert sleeper == ""
    assert "KeyboardInterrupt" in output
