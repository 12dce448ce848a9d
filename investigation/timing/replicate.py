"""The same comparison in several fresh processes, combined: one process is one sample.

Where tensors lie in memory and how dictionaries hash stays the same for the life of a process
and differs between processes, so one process can be sure of a difference that the next one does
not show (Mytkowicz and others, Producing wrong data without doing anything obviously wrong,
2009). The processes run one after the other, and their log ratios are combined by random effects.
"""

import importlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from scipy import stats

from investigation.evidence import words
from investigation.evidence.timings import Outcome
from investigation.timing import statistics
from investigation.timing.comparison import Comparison
from investigation.timing.errors import MeasurementError
from investigation.timing.measure import compare_patiently

# For a process that keeps the memory that it has freed. Left alone, glibc gives it back and takes
# it again page by page, in some steps and not in others, which is most of the noise of a step
# that allocates much; the GNU C library's manual, "Memory Allocation Tunables". Other systems
# know none of these names, and do as they do.
KEEPING_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**28),
}

Function = Callable[[], object]
MakeArms = Callable[..., tuple[Function, Function]]
MadeBy = tuple[MakeArms, Mapping[str, Any]]


class ReplicationError(MeasurementError):
    """A process that ended without a comparison; the message has its last line."""


@dataclass(frozen=True)
class Replication:
    """Comparisons of the same two callables in fresh processes, and their random-effects mean."""

    ratio: float
    ratio_interval: tuple[float, float]
    verdict: Outcome
    margin: float
    confidence: float
    between_percent: float  # standard deviation of the ratio from process to process
    heterogeneity_p: float  # small: processes differ by more than their own noise
    name: str
    baseline_name: str
    comparisons: tuple[Comparison, ...]

    @classmethod
    def of(cls, comparisons: Sequence[Comparison]) -> Self:
        """Combine two or more comparisons that share margin and confidence; ValueError if fewer."""
        if len(comparisons) < 2:
            raise ValueError(f"combining takes 2 comparisons or more, not {len(comparisons)}")
        first = comparisons[0]
        combined = statistics.combine(
            [math.log(comparison.ratio) for comparison in comparisons],
            [_standard_error(comparison) for comparison in comparisons],
            first.confidence,
        )
        interval = math.exp(combined.low), math.exp(combined.high)
        return cls(
            ratio=math.exp(combined.effect),
            ratio_interval=interval,
            verdict=statistics.judge(interval, first.margin),
            margin=first.margin,
            confidence=first.confidence,
            between_percent=100 * combined.between_sd,
            heterogeneity_p=combined.heterogeneity_p,
            name=first.name,
            baseline_name=first.baseline_name,
            comparisons=tuple(comparisons),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What each process warned of, with its number."""
        return tuple(
            f"process {number}: {warning}"
            for number, comparison in enumerate(self.comparisons, start=1)
            for warning in comparison.warnings
        )

    def __repr__(self) -> str:
        return (
            f"{words.outcome(self)}; {len(self.comparisons)} processes, which differ by "
            f"{self.between_percent:.2g} % (p = {self.heterogeneity_p:.2g}))"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        record = asdict(self)
        record["ratio_interval"] = list(self.ratio_interval)
        record["comparisons"] = [comparison.to_dict() for comparison in self.comparisons]
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, before or after JSON."""
        return cls.of([Comparison.from_dict(one) for one in record["comparisons"]])


def _standard_error(comparison: Comparison) -> float:
    """Of log(ratio), from its interval; ValueError where a process had too few pairs for one."""
    low, high = comparison.ratio_interval
    if not (low > 0 and math.isfinite(high)):
        raise ValueError(f"too few pairs to combine: {comparison!r}")
    reach = float(stats.norm.ppf((1 + statistics.insured(comparison.confidence)) / 2))
    return (math.log(high) - math.log(low)) / (2 * reach)


def replicate(arms: MadeBy, **settings: Any) -> Replication:
    """Do as `replicate_together` with one pair of arms."""
    (only,) = replicate_together({"": arms}, **settings).values()
    return only


def replicate_together(
    arms: Mapping[str, MadeBy],
    *,
    processes: int = 5,
    budget_s: float = 1.0,
    seed: int = 0,
    environment: Mapping[str, str] | None = None,
    **compare_kwargs: Any,
) -> dict[str, Replication]:
    """Compare in `processes` fresh interpreters, one after the other, and combine.

    `arms` names what is compared: each time a function at the top of an importable module and
    its arguments as JSON, whose call returns (baseline, candidate). Every process makes and
    compares them all, each process beginning with the next one. `budget_s` is for each
    comparison, on top of what a process takes to start and to build the arms. Process `i` has
    hash seed and order seed `seed + i`, and `environment` beside this process's own.
    `compare_kwargs` are those of `investigation.timing.measure.compare_patiently`.

    Raises ReplicationError where a process fails, ValueError where `arms` or `processes`
    cannot be used.
    """
    if processes < 2:
        raise ValueError(f"processes must be 2 or more, not {processes}")
    request = {
        "path": sys.path,
        "arms": [[name, *_importable(make), dict(given)] for name, (make, given) in arms.items()],
        "compare": {"budget_s": budget_s, **compare_kwargs},
        "environment": dict(environment or {}),
    }
    answers = [_in_fresh_process(request, i, seed + i) for i in range(processes)]
    return {name: Replication.of([answer[name] for answer in answers]) for name in arms}


def _importable(function: MakeArms) -> tuple[str, str]:
    module, name = function.__module__, function.__qualname__
    if module == "__main__" or "<" in name or "." in name:
        raise ValueError(
            f"{module}.{name} cannot be imported by another process; "
            "put the function at the top of a module"
        )
    return module, name


def _in_fresh_process(request: Mapping[str, Any], index: int, seed: int) -> dict[str, Comparison]:
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder, "question.json"), Path(folder, "answer.json")
        settings, arms = {**request["compare"], "seed": seed}, request["arms"]
        first = index % len(arms)
        turned = arms[first:] + arms[:first]
        question.write_text(json.dumps({**request, "arms": turned, "compare": settings}))
        ended = subprocess.run(
            [sys.executable, "-c", _START, str(question), str(answer)],
            env=os.environ | request["environment"] | {"PYTHONHASHSEED": str(seed % 2**32)},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode or not answer.exists():
            raise ReplicationError(_failure(index, ended))
        compared = json.loads(answer.read_text())
        return {name: Comparison.from_dict(one) for name, one in compared.items()}


# The path comes first: the module that does the rest may only be found on the caller's.
_START = (
    "import json, sys; question, answer = sys.argv[1:]; "
    "sys.path[:] = json.load(open(question))['path']; "
    "from investigation.timing.replicate import answer_to; answer_to(question, answer)"
)


def _failure(index: int, ended: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in ended.stderr.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else f"exit status {ended.returncode}, no message"
    return f"process {index + 1} of the replication failed: {last}"


def answer_to(question: str, answer: str) -> None:
    """Do in this process what the file `question` asks, and write each comparison to `answer`."""
    request = json.loads(Path(question).read_text())
    compared = {}
    for name, module, function, arguments in request["arms"]:
        make_arms = getattr(importlib.import_module(module), function)
        try:
            baseline, candidate = make_arms(**arguments)
            comparison = compare_patiently(baseline, candidate, **request["compare"])
        except Exception as error:
            raise SystemExit(_one_line(error)) from error
        compared[name] = comparison.to_dict()
    Path(answer).write_text(json.dumps(compared))


def _one_line(error: BaseException) -> str:
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error}{notes}".replace("\n", " ")
