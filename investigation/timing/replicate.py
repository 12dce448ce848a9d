"""The same comparison in several fresh processes, combined: one process is one sample.

Where tensors lie in memory and how dictionaries hash stays the same for the life of a process
and differs between processes, so one process can be sure of a difference that the next one does
not show (Mytkowicz and others, Producing wrong data without doing anything obviously wrong,
2009). The processes are timed one after the other, and their log ratios are combined as those of
preparations are in one process (`investigation.timing.statistics`).
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from pkgutil import resolve_name
from typing import Any

from investigation.subject.workloads import Makers
from investigation.timing.arms import Function
from investigation.timing.comparison import Comparison
from investigation.timing.errors import MeasurementError
from investigation.timing.measure import sample_patiently
from investigation.timing.preparations import sample_made_patiently
from investigation.timing.processes import Job, importable, in_fresh_processes
from investigation.timing.replication import Replication

# For a process that keeps the memory that it has freed. Left alone, glibc gives it back and takes
# it again page by page, in some steps and not in others, which is most of the noise of a step
# that allocates much; the GNU C library's manual, "Memory Allocation Tunables". Other systems
# know none of these names, and do as they do.
KEEPING_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**28),
}

AT_ONCE = 2  # processes that start side by side; they are timed one after the other

MakeArms = Callable[..., tuple[Function, Function] | Makers]
MadeBy = tuple[MakeArms, Mapping[str, Any]]


class ReplicationError(MeasurementError):
    """A process that ended without an answer; the message says why."""


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
    """Compare in `processes` fresh interpreters, timed one after the other, and combine.

    `arms` names what is compared: each time a function at the top of an importable module and
    its arguments as JSON, whose call returns (baseline, candidate), or `Makers` of them.
    Every process makes and compares them all, each process beginning with the next one.
    `budget_s` is for each comparison, on top of what a process takes to start and to build the
    arms. Process `i` has hash seed and order seed `seed + i`, and `environment` beside this
    process's own.
    `compare_kwargs` are those of `investigation.timing.measure.compare_patiently`.

    Raises ReplicationError where a process fails, ValueError where `arms` or `processes`
    cannot be used.
    """
    if processes < 2:
        raise ValueError(f"processes must be 2 or more, not {processes}")
    asked = [(name, importable(make), dict(given)) for name, (make, given) in arms.items()]
    settings = {"budget_s": budget_s, **compare_kwargs}
    jobs = [_job(asked, i, settings | {"seed": seed + i}, environment) for i in range(processes)]
    answers = [
        reply.answer_or(ReplicationError, f"process {number} of the replication")
        for number, reply in enumerate(in_fresh_processes(jobs, AT_ONCE), start=1)
    ]
    return {
        name: Replication.of([Comparison.from_samples(answer[name]) for answer in answers])
        for name in arms
    }


def _job(
    asked: list[tuple[str, str, dict[str, Any]]],
    index: int,
    settings: dict[str, Any],
    environment: Mapping[str, str] | None,
) -> Job:
    first = index % len(asked)
    arguments = {"arms": asked[first:] + asked[:first], "settings": settings}
    hashing = {"PYTHONHASHSEED": str(settings["seed"] % 2**32)}
    return Job(sample_all, arguments, {**(environment or {}), **hashing})


def sample_all(
    arms: Sequence[tuple[str, str, Mapping[str, Any]]], settings: Mapping[str, Any]
) -> Generator[None, None, dict[str, Any]]:
    """Make each pair of arms in this process, and return their samples as JSON, by name.

    Where makers are returned, the arms are made several times in each process.
    Yields once when all is imported that makes them, which takes as long as some comparisons.
    """
    makers = [(name, resolve_name(make), given) for name, make, given in arms]
    yield
    sampled = {}
    for name, make, given in makers:
        made = make(**given)
        sample = sample_made_patiently if isinstance(made, Makers) else sample_patiently
        sampled[name] = sample(*made, **settings).to_dict()
    return sampled
