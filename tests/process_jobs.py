"""Jobs for the tests of processes: each has to be importable in one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from investigation.interpreter import SLOTS


def answers(value):
    """Print what must not reach the book, and answer."""
    print("chatter on stdout")
    print("chatter on stderr", file=sys.stderr)
    yield
    return value


def keeps_a_file(folder):
    """Leave a file where temporary ones belong, and an errand for the end of the process."""
    import atexit
    import tempfile

    atexit.register(time.sleep, 600)
    kept = tempfile.NamedTemporaryFile(delete=False)  # noqa: SIM115  # it is to be left behind
    return [Path(kept.name).exists(), Path(kept.name).is_relative_to(folder)]


def leaves_another(note):
    """Answer, and leave a process behind that would go on."""
    other = subprocess.Popen(["sleep", "600"])
    Path(note).write_text(str(other.pid))
    return "answered"


def at_once(value):
    """Answer without a part that is timed."""
    return value


def timed(folder, beside):
    """Prepare until as many processes have begun to; answer when both parts ran.

    The clock is one that all processes share.
    """
    prepared = [time.monotonic()]
    Path(folder, str(os.getpid())).touch()
    while len(list(Path(folder).iterdir())) < beside:
        time.sleep(0.01)
    prepared.append(time.monotonic())
    yield
    ran = [time.monotonic()]
    time.sleep(0.2)
    ran.append(time.monotonic())
    return {"prepared": prepared, "ran": ran}


def raises(when):
    """Raise in the part that is named."""
    if when == "preparing":
        raise ValueError("no such\nlayer")
    yield
    raise ValueError("no such result")


def refuses(chips, **_):
    """Raise for any chip."""
    raise KeyError(f"{chips[0]}: no such chip")


def killed(when):
    """End as a runtime ends that reads memory which is not its own."""
    if when == "preparing":
        os.kill(os.getpid(), signal.SIGSEGV)
    yield
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves(last_words=""):
    """End with a status, and with no more than its last words."""
    print(last_words, file=sys.stderr)
    os._exit(3)


def stops_twice():
    """Yield once more than a job does."""
    yield
    yield


def hangs(when, note):
    """Start another process, write both numbers to `note`, and never come to an end."""
    other = subprocess.Popen(["sleep", "600"])
    Path(note).write_text(f"{os.getpid()} {other.pid}\n")
    if when == "preparing":
        time.sleep(600)
    yield
    time.sleep(600)


def reports(folder):
    """Return whether an adapter could report its use, and this process's environment."""
    import investigation.runtimes.adapters  # noqa: F401

    yield
    try:
        import openvino_telemetry  # noqa: F401
    except ImportError:
        reports_use = False
    else:
        reports_use = True
    variables = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "ORT_DISABLE_TELEMETRY")}
    return {
        "reports": reports_use,
        "folder": folder,
        "files": list(Path(folder).iterdir()),
        **variables,
    }


def has_room():
    """Whether a caller has room for the frames of all its calls."""
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_stacksize != SLOTS:
        frame = frame.f_back
    return frame is not None


def tells_its_room():
    """Answer whether there is room, while preparing and when timed."""
    prepared = has_room()
    yield
    return [prepared, has_room()]
