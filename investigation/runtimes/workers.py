"""The processes that runtimes run in: few threads, no noise, a time limit."""

from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from investigation.timing.processes import Job, Reply, in_fresh_processes

Answer = dict[str, Any]
# Several times what the slowest preparation or timing here takes on two cores.
LIMIT_S = 400.0
# Warnings are for the log, and no runtime is to report its use to its makers, as ONNX Runtime does
# by default.
WITHOUT_NOISE = {
    "PYTHONWARNINGS": "ignore",
    "KINETO_LOG_LEVEL": "99",
    "TQDM_DISABLE": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TVM_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run(
    function: Callable[..., Generator[None, None, Answer]],
    questions: Sequence[Mapping[str, Any]],
    threads: int = 1,
    limit_s: float = LIMIT_S,
) -> list[Reply]:
    """Put each question to `function` in its own process, with an empty `folder` besides."""
    environment = WITHOUT_NOISE | dict.fromkeys(THREADS, str(threads))
    with TemporaryDirectory(prefix="runtimes-") as place:
        jobs = []
        for number, question in enumerate(questions):
            folder = Path(place, str(number))
            folder.mkdir()
            jobs.append(Job(function, {**question, "folder": str(folder)}, environment))
        return list(in_fresh_processes(jobs, at_once=2, limit_s=limit_s))
