"""No process outlives its build: each is marked when it starts, and a watcher ends those left over.

A build that is killed outright cannot end its kernels, nor what those have started: they run in
sessions of their own. So every process of a build carries a mark in its environment, which its own
children inherit, and a watcher in a session of its own waits for the build's end, however it comes.
Run as a script, this module is that watcher.
"""

import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

MARK, MAKER = "INVESTIGATION_BUILD", "STARTED_BY"
LOOK_EVERY_S = 0.2
SETTLE_S = 0.05  # a process between its fork and the end of its exec shows no environment yet
PATIENCE_S = 10  # until killed processes are gone


@contextmanager
def watched(owner: str) -> Iterator[str]:
    """Mark what is started inside for `owner`, such as a build folder; leave none of it running.

    First ends what an earlier holder of the same `owner` left, so hold a lock of yours. Yields
    the mark. Raises `KeyboardInterrupt` in the main thread if this process is asked to end,
    or make is gone that had started it, which the Makefile names in `STARTED_BY`.
    """
    maker = int(os.environ.get(MAKER) or 0)
    if maker and os.getppid() != maker:
        raise KeyboardInterrupt
    sweep(owner + os.pathsep)
    mark = f"{owner}{os.pathsep}{uuid.uuid4().hex}"
    watcher = _start_watcher(mark, maker)
    before = os.environ.get(MARK)
    os.environ[MARK] = mark
    try:
        with _ended_by(signal.SIGTERM, signal.SIGHUP):
            yield mark
    finally:
        _restore(before)
        sweep(mark)
        _dismiss(watcher)


def sweep(mark: str) -> None:
    """End every process whose mark starts with `mark`, and those they start meanwhile."""
    deadline = time.monotonic() + PATIENCE_S
    while (running := _settled(mark)) and time.monotonic() < deadline:
        for process in running:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(running, timeout=1)


def _settled(mark: str) -> list[psutil.Process]:
    """Return the marked processes; if there are none, look once more after a moment."""
    running = marked(mark)
    if not running:
        time.sleep(SETTLE_S)
        running = marked(mark)
    return running


def marked(mark: str) -> list[psutil.Process]:
    """Return the running processes whose mark starts with `mark`, this one apart."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _has(process, mark)
    ]


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        return str(process.environ().get(MARK, "")).startswith(mark)
    except (psutil.Error, OSError):  # another user's, or gone
        return False


@contextmanager
def _ended_by(*signals: signal.Signals) -> Iterator[None]:
    """Take these signals as a person's interruption, so that everything is closed in order."""
    try:
        before = {number: signal.signal(number, _interrupt) for number in signals}
    except ValueError:  # not in the main thread, which handles signals itself
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _restore(before: str | None) -> None:
    if before is None:
        del os.environ[MARK]
    else:
        os.environ[MARK] = before


def _start_watcher(mark: str, maker: int) -> "subprocess.Popen[bytes]":
    """Start this module as a script; it holds the other end of a pipe that ends with us."""
    command = [sys.executable, "-P", str(Path(__file__).resolve())]
    unmarked = {key: value for key, value in os.environ.items() if key != MARK}
    return subprocess.Popen(
        [*command, mark, str(os.getpid()), str(maker)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=unmarked,
        start_new_session=True,
    )


def _dismiss(watcher: "subprocess.Popen[bytes]") -> None:
    assert watcher.stdin is not None
    watcher.stdin.close()
    watcher.wait()


def watch(mark: str, builder: int, maker: int) -> None:
    """Wait until the builder is gone, then end what it left; ask it to end if make is gone."""
    while not select.select([sys.stdin], [], [], LOOK_EVERY_S)[0]:
        if maker and _parent(builder) != maker:
            with suppress(ProcessLookupError):
                os.kill(builder, signal.SIGTERM)
            maker = 0
    sweep(mark)


def _parent(pid: int) -> int | None:
    """Return the parent of a process, None if there is no such process."""
    try:
        return int(psutil.Process(pid).ppid())
    except psutil.Error:
        return None


if __name__ == "__main__":
    watch(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
