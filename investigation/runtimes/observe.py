"""What is measured in every runtime, inside that runtime's own process."""

import gc
import importlib
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from investigation.runtimes import heap
from investigation.runtimes.modules import block
from investigation.runtimes.program import Load, Program, Run, Trace, loads_of
from investigation.runtimes.workers import Answer
from investigation.subject.cases import Case
from investigation.subject.runtimes import BY_SLUG, Runtime
from investigation.timing.arms import Arm
from investigation.timing.clock import DeviceClock
from investigation.timing.preparations import (
    FEWEST,
    MAKING_SHARE,
    WANTED,
    sample_made_patiently,
)

# A runtime may sum in another order: relative to a value, and absolutely near zero. Half
# precision, or a gate on the wrong channel, is off by a hundred times as much.
RELATIVE, ABSOLUTE = 1e-4, 1e-5
# A comparison of a slow runtime gets the time for as many pairs in each preparation, whatever the
# budget.
PAIRS_AFFORDED = 4
# A machine is not always as fast as in the faster of two tries.
SPARE = 1.2
Programs = dict[str, Program | str]
ALL = ("broadcast", "expand_as", "materialized", "kept")
COMPARED = ("broadcast", "expand_as")
Observing = Generator[None, None, Answer]


def close(tensor: Tensor, other: Tensor) -> bool:
    """Return whether two results are equal within the tolerance of this chapter."""
    return tensor.shape == other.shape and torch.allclose(tensor, other, RELATIVE, ABSOLUTE)


def observe(
    slug: str,
    cases: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    folder: str,
) -> Observing:
    """Prepare a runtime's programs, yield once, then time them and return the answer.

    The first case gets every measurement, the others the comparison alone. `settings` are
    `budget_s`, `threads`, `seed` and `margin`. Nothing is timed before the yield, so that
    several runtimes can prepare side by side and then be timed one after the other.
    """
    torch.set_grad_enabled(mode=False)
    runtime = BY_SLUG[slug]
    tried = [Case.model_validate(case) for case in cases]
    answer: Answer = {"cases": {}, "comparisons": {}, "copies": {}, "controls": {}}
    loads: dict[str, Mapping[str, Load]] = {}
    for case in tried:
        programs = partial(_programs, runtime, case, Path(folder, case.slug), settings["threads"])
        answer["cases"][case.slug], loads[case.slug] = _seen(
            case, programs(ALL if case is tried[0] else COMPARED)
        )
    yield
    for case in tried:
        timed = partial(timed_loads, loads[case.slug], settings)
        answer["comparisons"][case.slug] = timed("broadcast", "expand_as")
        answer["copies"][case.slug] = timed("broadcast", "broadcast")
    answer["controls"] = _controls(loads[tried[0].slug], settings)
    return answer


def _programs(
    runtime: Runtime,
    case: Case,
    folder: Path,
    threads: int,
    variants: Sequence[str],
) -> Programs:
    """Return a program for each variant; a control that the runtime refuses is its refusal."""
    x, _ = case.tensors()
    programs: Programs = {}
    for variant in variants if runtime.family != "remedy" else COMPARED:
        prepare = _preparer(runtime, folder / variant, threads, remedied=variant == "expand_as")
        module = block(case, variant)
        try:
            programs[variant] = prepare(module, x)
        except Exception as error:
            if variant in COMPARED:
                raise
            programs[variant] = f"{type(error).__name__}: {error}"
    return programs


def _preparer(
    runtime: Runtime, folder: Path, threads: int, *, remedied: bool
) -> Callable[[torch.nn.Module, Tensor], Program]:
    """Return the adapter's function; what is compared with a remedy goes without it."""
    adapter = importlib.import_module(f"investigation.runtimes.adapters.{runtime.adapter}")
    options = {key: value for key, value in runtime.options.items() if remedied or key != "remedy"}
    folder.mkdir(parents=True)
    function = getattr(adapter, runtime.function)
    return lambda module, x: function(module, x, folder, threads, **options)


def _seen(case: Case, programs: Programs) -> tuple[Answer, Mapping[str, Load]]:
    """Return what was observed of the programs, and how to load them; nothing stays loaded."""
    return _observed(case, programs), loads_of(programs)


def _observed(case: Case, programs: Programs) -> Answer:
    """Return what each program does when it runs, and how far its result is from eager's."""
    x, _ = case.tensors()
    expected = block(case, "broadcast")(x)
    observed: Answer = {}
    for variant, program in programs.items():
        if isinstance(program, str):
            observed[variant] = {"refused": program}
        else:
            result = program.result()
            observed[variant] = Trace.of(program).to_dict() | _equality(result, expected)
            observed[variant]["images"] = len(result)
    return observed


def _equality(result: Tensor, expected: Tensor) -> Answer:
    """Compare as many images as the runtime took; None if the shapes differ."""
    same = expected[: len(result)]
    if result.shape != same.shape:
        return {"equal": False, "furthest": None}
    return {"equal": close(result, same), "furthest": float((result - same).abs().max())}


def _controls(loads: Mapping[str, Load], settings: Mapping[str, Any]) -> Answer:
    if "materialized" not in loads:
        return {}
    return {"materialized": timed_loads(loads, settings, "broadcast", "materialized")}


def _once_warm(first: Load, second: Load) -> tuple[float, float]:
    """Return what loading both takes, and a call of each, in seconds.

    The lesser of two tries: in the first one some runtimes do what they do once in a process, which
    says nothing about what each preparation will take.
    """
    clock, tries = DeviceClock.of("cpu"), []
    for _ in range(2):
        start = clock.now()
        calls = [load() for load in (first, second)]
        loading_s = clock.now() - start
        tries.append((loading_s, sum(Arm("warm", call).seconds(1, clock) for call in calls)))
    loading, pairs = zip(*tries, strict=True)
    return min(loading), min(pairs)


def timed_loads(
    loads: Mapping[str, Load], settings: Mapping[str, Any], baseline: str, candidate: str
) -> Answer:
    """Compare two programs, loaded anew each time.

    The budget grows with what it takes to load them and with a call, whichever is slower.
    """
    gc.collect()  # what an earlier comparison has loaded may lie in cycles, and is large
    first, second = (_roomy(loads[name]) for name in (baseline, candidate))
    copies = baseline == candidate
    loading_s, pair_s = _once_warm(first, second)
    # Copies are judged as a control: with fewer preparations that interval has no ends.
    preparations = WANTED if copies else None
    number = preparations or FEWEST
    least_s = SPARE * (2 + number) * (loading_s + PAIRS_AFFORDED * pair_s)
    budget_s = max(settings["budget_s"], loading_s * number / MAKING_SHARE, least_s)
    names = {
        "baseline_name": baseline,
        "name": f"{candidate} again" if copies else candidate,
    }
    shared = {key: settings[key] for key in ("threads", "seed", "margin")}
    sampled = sample_made_patiently(
        first,
        second,
        budget_s=budget_s,
        preparations=preparations,
        **names,
        **shared,
    )
    return sampled.to_dict()


def _roomy(load: Load) -> Load:
    """Return what gives back freed memory if there is much, and then loads a program."""

    def loaded() -> Run:
        heap.give_back()
        return load()

    return loaded
