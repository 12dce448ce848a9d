"""Jobs in processes of their own: side by side while they prepare, alone while they are timed.

A job is a generator function at the top of a module. It prepares, yields once, does its timed
part when the others are idle, and returns its answer, which JSON can hold. What a library
prints goes to a log and not into the book; what it does to its process ends with the process.
"""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Self

Answer = dict[str, Any]
Function = Callable[..., Generator[None, None, Answer]]

# Several times what the slowest preparation or timing here takes on two cores.
LIMIT_S = 400.0
# Warnings are for the log, and no runtime is to report its use to its makers: ONNX Runtime does so
# unless it is told not to, and OpenVINO's converter where it can import the package for it.
WITHOUT_NOISE = {
    "PYTHONWARNINGS": "ignore",
    "KINETO_LOG_LEVEL": "99",
    "TQDM_DISABLE": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}
REPORTING = ("openvino_telemetry",)
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TVM_NUM_THREADS", "OPENBLAS_NUM_THREADS")
READY = b"ready\n"


@dataclass(frozen=True)
class Job:
    """A generator function and its arguments, JSON-able; a `folder` is added to them."""

    function: Function
    arguments: Mapping[str, Any]
    threads: int = 1


@dataclass(frozen=True)
class Outcome:
    """A job's answer, or in one line why there is none, with the end of what it printed."""

    answer: Answer | None
    crash: str | None = None
    log: str = ""


def run(jobs: Sequence[Job], at_once: int = 2, limit_s: float = LIMIT_S) -> list[Outcome]:
    """Run every job; `at_once` of them prepare side by side, and then one after the other goes on.

    A job that raises, is killed or takes longer than `limit_s` for either part is a crash in
    its outcome, and the others go on.
    """
    outcomes: list[Outcome] = []
    waiting = iter(jobs)
    with tempfile.TemporaryDirectory(prefix="runtimes-") as folder:
        while batch := list(islice(waiting, at_once)):
            places = [Path(folder, str(len(outcomes) + i)) for i in range(len(batch))]
            outcomes += _run_batch(batch, places, limit_s)
    return outcomes


def _run_batch(batch: Sequence[Job], places: Sequence[Path], limit_s: float) -> list[Outcome]:
    workers: list[_Worker] = []
    try:
        workers = [_Worker.start(job, place) for job, place in zip(batch, places, strict=True)]
        for worker in workers:
            worker.await_ready(limit_s)
        return [worker.finish(limit_s) for worker in workers]
    finally:
        for worker in workers:
            worker.end()


@dataclass
class _Worker:
    """One process: it says when it is ready, is told to go on, and leaves an answer."""

    process: subprocess.Popen[bytes]
    place: Path
    late: bool = False

    @classmethod
    def start(cls, job: Job, place: Path) -> Self:
        place.mkdir()
        question = {
            "path": sys.path,
            "module": job.function.__module__,
            "function": job.function.__name__,
            "arguments": dict(job.arguments) | {"folder": str(place / "work")},
        }
        (place / "work").mkdir()
        (place / "question.json").write_text(json.dumps(question), encoding="utf-8")
        threads = dict.fromkeys(THREADS, str(job.threads))
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", _START, str(place)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=os.environ | WITHOUT_NOISE | threads,
                start_new_session=True,
            )
        return cls(process, place)

    def await_ready(self, limit_s: float) -> None:
        """Wait for the word, or for the process to end without it."""
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], limit_s)
        if not readable:
            self.late = True
            self.end()
        elif self.process.stdout.readline() != READY:
            self.process.wait()

    def finish(self, limit_s: float) -> Outcome:
        """Let the process go on; return its answer or what became of it."""
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            try:
                self.process.wait(limit_s)
            except subprocess.TimeoutExpired:
                self.late = True
                self.end()
        return self._outcome(limit_s)

    def _outcome(self, limit_s: float) -> Outcome:
        log = _end_of(self.place / "log")
        answer = self.place / "answer.json"
        if self.late:
            return Outcome(None, f"no answer within {limit_s:.0f} s", log)
        if self.process.returncode == 0 and answer.exists():
            return Outcome(json.loads(answer.read_text(encoding="utf-8")))
        return Outcome(None, _reason(self.process.returncode, self.place), log)

    def end(self) -> None:
        """End the process and all that it has started, whatever they are doing."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def _reason(status: int, place: Path) -> str:
    raised = place / "raised"
    if raised.exists():
        return raised.read_text(encoding="utf-8")
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    return f"exit status {status}, no message"


LOG_KEPT = 2000


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-LOG_KEPT:]


# The path comes first: the module that does the rest may only be found on the caller's.
_START = (
    "import json, sys; place = sys.argv[1]; "
    "sys.path[:] = json.load(open(place + '/question.json'))['path']; "
    "from investigation.runtimes.workers import work; work(place)"
)


def work(place: str) -> None:
    """Do in this process what the folder `place` asks for."""
    folder = Path(place)
    voice = _keep_stdout()
    sys.modules.update(dict.fromkeys(REPORTING))  # type: ignore[arg-type]  # None: not importable
    question = json.loads((folder / "question.json").read_text(encoding="utf-8"))
    try:
        function = getattr(importlib.import_module(question["module"]), question["function"])
        answer = _answer(function(**question["arguments"]), voice)
    except Exception as error:
        (folder / "raised").write_text(one_line(error), encoding="utf-8")
        raise
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _keep_stdout() -> IO[bytes]:
    """Return the way to the parent, and send what anything prints to the log instead."""
    voice = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return voice


def _answer(job: Iterator[None], voice: IO[bytes]) -> Answer:
    """Prepare, say so, wait for the parent to close this process's input, and go on."""
    next(job)
    voice.write(READY)
    sys.stdin.buffer.read()
    try:
        next(job)
    except StopIteration as ended:
        answer: Answer = ended.value
        return answer
    raise RuntimeError("a job yields once")


def one_line(error: BaseException) -> str:
    """Return an exception's type and message as one line of at most 200 characters."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return said if len(said) <= 200 else said[:199] + "…"
