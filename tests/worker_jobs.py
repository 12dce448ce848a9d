"""Jobs for the tests of `investigation.runtimes.workers`: each has to be importable there."""

import os
import signal
import sys
import time


def answers(value, folder):
    """Print what must not reach the book, and answer."""
    print("chatter on stdout")
    print("chatter on stderr", file=sys.stderr)
    started = time.monotonic()
    yield
    return {"value": value, "folder": folder, "prepared": started}


def timed(seconds, **_):
    """Answer when both parts ran, on a clock that all processes share."""
    prepared = [time.monotonic()]
    time.sleep(seconds)
    prepared.append(time.monotonic())
    yield
    ran = [time.monotonic()]
    time.sleep(seconds)
    ran.append(time.monotonic())
    return {"prepared": prepared, "ran": ran}


def raises(when, **_):
    """Raise in the part that is named."""
    if when == "preparing":
        raise ValueError("no such\nlayer")
    yield
    raise ValueError("no such result")


def killed(when, **_):
    """End as a runtime ends that reads memory which is not its own."""
    if when == "preparing":
        os.kill(os.getpid(), signal.SIGSEGV)
    yield
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves(**_):
    """End without a word."""
    os._exit(3)
    yield


def hangs(when, **_):
    """Never come to an end."""
    if when == "preparing":
        time.sleep(600)
    yield
    time.sleep(600)


def environment(**_):
    """Tell what the process was told about threads, and what it may not import."""
    yield
    try:
        import openvino_telemetry  # noqa: F401
    except ImportError:
        reports = False
    else:
        reports = True
    names = ("OMP_NUM_THREADS", "ORT_DISABLE_TELEMETRY")
    return {"reports": reports, **{name: os.environ[name] for name in names}}
