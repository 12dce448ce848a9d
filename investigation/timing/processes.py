"""Functions in fresh processes: side by side while they prepare, one at a time when timed.

A job is a function at the top of a module. A generator function prepares, yields once, and does
its timed part when no other job does anything; a plain function only prepares. What it returns
is its answer, which JSON can hold. What a library prints goes to a log; what it leaves in the
folder for temporary files is removed; what it does to its process ends with the process.

`multiprocessing` gives no process an environment of its own, and hash seeds, allocators and
thread pools can be set in no other way; nor does it say what ended a process.
"""

import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from pkgutil import resolve_name
from tempfile import TemporaryDirectory
from typing import IO, Any

from investigation.interpreter import look_for_garbage_seldom, with_room

QUESTION, ANSWER, CRASH, LOG, OWN = "question.json", "answer.json", "crash", "log", "tmp"
SIGNAL = b"\n"  # from the child: prepared; from the parent: go on
REASON_LENGTH, LOG_LENGTH = 200, 2000


@dataclass(frozen=True)
class Job:
    """A function, its arguments, JSON-able, and what its process's environment has besides."""

    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """A job's answer, or in one line why there is none, with the end of what it printed.

    `late` tells that it took longer than it was given, which says nothing about the job itself.
    """

    answer: Any
    crash: str | None = None
    log: str = ""
    late: bool = False

    def answer_or(self, failure: type[Exception], what: str) -> Any:
        """Return the answer; where there is none, raise `failure`: `what` failed, and why."""
        if self.crash is None:
            return self.answer
        raise failure(f"{what} failed: {self.crash}") from RuntimeError(self.log)


def in_fresh_processes(
    jobs: Iterable[Job], at_once: int = 1, limit_s: float | None = None
) -> Iterator[Reply]:
    """Yield each job's reply; `at_once` of them prepare, and then one after the other goes on.

    A job that raises, is killed or takes longer than `limit_s` for either part is a crash in
    its reply, and the others go on. No process outlives this one. Raises ValueError for a
    function that another process cannot import.
    """
    waiting = iter(jobs)
    while batch := list(islice(waiting, at_once)):
        with ExitStack() as stack:
            started = [stack.enter_context(_started(job, limit_s)) for job in batch]
            for process in started:
                process.prepare()
            replies = [process.finish() for process in started]
        yield from replies


def importable(function: Callable[..., Any]) -> str:
    """Return the name by which another process imports a function; ValueError if it cannot."""
    module, name = function.__module__, function.__qualname__
    if module == "__main__" or "<" in name or "." in name:
        raise ValueError(
            f"{module}.{name} cannot be imported by another process; "
            "put the function at the top of a module"
        )
    return f"{module}:{name}"


@contextmanager
def _started(job: Job, limit_s: float | None) -> Iterator["_Process"]:
    with TemporaryDirectory(prefix="process-") as folder, Path(folder, LOG).open("wb") as log:
        question = [sys.path, importable(job.function), dict(job.arguments)]
        Path(folder, QUESTION).write_text(json.dumps(question), encoding="utf-8")
        own = Path(folder, OWN)
        own.mkdir()
        with subprocess.Popen(
            [sys.executable, "-c", _START, folder],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | {"TMPDIR": str(own)} | dict(job.environment),
            start_new_session=True,
        ) as child:
            process = _Process(child, Path(folder), limit_s)
            try:
                yield process
            finally:
                process.end()


@dataclass
class _Process:
    """One child: it says when it is prepared, is told to go on, and leaves an answer."""

    child: subprocess.Popen[bytes]
    folder: Path
    limit_s: float | None
    late: bool = False
    ended: bool = False

    def prepare(self) -> None:
        """Wait until the child is prepared, or has ended."""
        assert self.child.stdout is not None
        if not select.select([self.child.stdout], [], [], self.limit_s)[0]:
            self.late = True
            self.end()

    def finish(self) -> Reply:
        """Let the child go on; return its answer or what became of it."""
        assert self.child.stdin is not None
        with suppress(BrokenPipeError):  # it has ended
            self.child.stdin.write(SIGNAL)
        try:
            self.child.wait(self.limit_s)
        except subprocess.TimeoutExpired:
            self.late = True
        self.end()  # what it has started may not work beside the next job
        return self._reply()

    def end(self) -> None:
        """End the child and all that it has started, whatever they are doing."""
        if not self.ended:
            self.ended = True
            # None of them may be left; macOS refuses where only the dead child is.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()

    def _reply(self) -> Reply:
        answer = self.folder / ANSWER
        if not self.late and self.child.returncode == 0 and answer.exists():
            return Reply(json.loads(answer.read_text(encoding="utf-8")))
        log = (self.folder / LOG).read_text(encoding="utf-8", errors="replace")
        return Reply(None, self._reason(log), log[-LOG_LENGTH:], self.late)

    def _reason(self, log: str) -> str:
        status, crash = self.child.returncode, self.folder / CRASH
        if self.late:
            return f"no answer within {self.limit_s:.0f} s"
        if crash.exists():
            return crash.read_text(encoding="utf-8")
        if status < 0:
            return f"ended by {signal.Signals(-status).name}"
        last = log.strip().rpartition("\n")[2]
        return f"exit status {status}" + (f": {last}" if last else ", no message")


# The path comes first: the module that does the rest may only be found on the caller's.
_START = (
    f"import json, sys; folder = sys.argv[1]; question = json.load(open(folder + '/{QUESTION}')); "
    f"sys.path[:] = question[0]; from {__name__} import work; work(folder, *question[1:])"
)


@with_room
def work(folder: str, function: str, arguments: Mapping[str, Any]) -> None:
    """Call a function in this process, leave in `folder` its answer or why there is none, and end.

    Where there is an answer the process ends at once: to take torch and its compilers apart would
    take longer than many a timing, while the next one waits.
    """
    look_for_garbage_seldom()
    parent, go_on = _keep_stdout(), threading.Event()
    threading.Thread(target=_heed_the_parent, args=(go_on,), daemon=True).start()
    try:
        result = resolve_name(function)(**arguments)
        answer = json.dumps(
            _timed(result, parent, go_on) if isinstance(result, Generator) else result
        )
    except (Exception, SystemExit) as error:
        Path(folder, CRASH).write_text(one_line(error), encoding="utf-8")
        raise
    Path(folder, ANSWER).write_text(answer, encoding="utf-8")
    os._exit(0)


def _keep_stdout() -> IO[bytes]:
    """Return the way to the parent, and send what anything prints to the log instead."""
    parent = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return parent


def _heed_the_parent(go_on: threading.Event) -> None:
    """Pass on that the job may go on; where the parent ends first, end all that is here."""
    while os.read(0, 1):
        go_on.set()
    os.killpg(0, signal.SIGKILL)


def _timed(job: Generator[None, None, Any], parent: IO[bytes], go_on: threading.Event) -> Any:
    """Prepare, say so, wait for the parent, and go on.

    What is prepared stays, so that whoever looks for garbage later need not go over it.
    """
    next(job)
    gc.collect()
    gc.freeze()
    parent.write(SIGNAL)
    go_on.wait()
    try:
        next(job)
    except StopIteration as ended:
        return ended.value
    raise RuntimeError("a job yields once")


def one_line(error: BaseException) -> str:
    """Return an exception's type and message, at most 200 characters of them, and its notes."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    short = reason if len(reason) <= REASON_LENGTH else reason[: REASON_LENGTH - 1] + "…"
    return short + "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
