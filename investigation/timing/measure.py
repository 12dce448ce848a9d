"""Which of two callables is slower, and by how much: the paired timing of the book.

A comparison is a series of pairs, a pair one block of each arm in an order drawn by coin, a block
a handful of calls timed together. Blocks are short, so that both arms meet the same machine.
A few pairs in a row make a round, which keeps each arm's fastest block, so that a neighbour's
burst is left out by rule and not by hand. The coin makes the interval hold whatever the noise
(see `investigation.timing.statistics`).

Stopping rule: the clock alone. The number of pairs depends on the budget and never on the
ratio seen so far, because looking and stopping when it pleases turns a 5 % error rate into
30 % and more (Armitage, McPherson and Rowe, Repeated significance tests on accumulating data,
1969). A sequential rule that keeps the rate would pay for it in precision at a fixed budget,
which is what a notebook cell has.
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch

from investigation.interpreter import with_room
from investigation.timing import noise
from investigation.timing.arms import Arm, Function
from investigation.timing.clock import Clock, DeviceClock
from investigation.timing.comparison import Comparison
from investigation.timing.errors import BudgetError
from investigation.timing.pairs import plan_pairs, time_pairs
from investigation.timing.sampled import Sampled
from investigation.timing.settings import Settings

# How much longer a comparison may take where the first budget did not hold six pairs.
PATIENCE = 20
Measured = TypeVar("Measured", Comparison, Sampled)


def compare(baseline: Function, candidate: Function, **settings: Any) -> Comparison:
    """Time `candidate` against `baseline`, both without arguments.

    The interval holds for these two objects: where their code and operands lie in memory belongs
    to what is timed. Two programs are compared by `preparations.compare_made`.

    `settings` are those of `Settings`. Without a `seed`, or where it is None, a fresh one is drawn,
    which the result names. `device` is waited for around each block; `threads` and `grad` are set
    for the duration and restored, as is the garbage collector, which is off meanwhile.

    Raises SettingsError, DeviceError, TooFastError or BudgetError, all of them
    MeasurementError; what a callable itself raises passes through with a note naming the arm.
    """
    chosen = settled(settings)
    return compare_on(DeviceClock.of(chosen.device), chosen, baseline, candidate)


def settled(settings: Mapping[str, Any]) -> Settings:
    """Return the settings with a seed, drawn where there is none; SettingsError as `Settings`."""
    drawn = int(np.random.SeedSequence().generate_state(1)[0])
    return Settings(**dict(settings) | ({"seed": drawn} if settings.get("seed") is None else {}))


def compare_patiently(
    baseline: Function, candidate: Function, *, budget_s: float = 1.0, **settings: Any
) -> Comparison:
    """Do as `compare`, and again with up to `PATIENCE` times the budget if it is too small."""
    return patiently(partial(compare, baseline, candidate, **settings), budget_s)


def sample(baseline: Function, candidate: Function, **settings: Any) -> Sampled:
    """Do as `compare`, and leave it to another process to judge."""
    chosen = settled(settings)
    return sample_on(DeviceClock.of(chosen.device), chosen, baseline, candidate)


def sample_patiently(
    baseline: Function, candidate: Function, *, budget_s: float = 1.0, **settings: Any
) -> Sampled:
    """Do as `compare_patiently`, and leave it to another process to judge."""
    return patiently(partial(sample, baseline, candidate, **settings), budget_s)


def patiently(compare_within: Callable[..., Measured], budget_s: float) -> Measured:
    """Return `compare_within(budget_s=...)`, with more while the budget is too small.

    At most `PATIENCE` times the first. For a book that must not fail because a machine was slow
    for a second. Nothing has been compared when the budget turns out too small, so trying again
    favours no outcome.
    """
    most_s = PATIENCE * budget_s
    while True:
        try:
            return compare_within(budget_s=budget_s)
        except BudgetError as error:
            if budget_s >= most_s:
                raise
            budget_s = min(most_s, max(2 * budget_s, error.needed_s or most_s))


def compare_on(
    clock: Clock, settings: Settings, baseline: Function, candidate: Function
) -> Comparison:
    """`compare` with the clock and the settings given."""
    start = clock.now()
    judged = Comparison.judging(sample_on(clock, settings, baseline, candidate))
    return replace(judged, elapsed_s=clock.now() - start)


@with_room
def sample_on(clock: Clock, settings: Settings, baseline: Function, candidate: Function) -> Sampled:
    """Time two callables, and judge nothing."""
    start, before = clock.now(), noise.read()
    arms = Arm(settings.baseline_name, baseline), Arm(settings.name, candidate)
    with with_threads(settings.threads), undisturbed(grad=settings.grad):
        draw = np.random.default_rng(settings.seed)
        plan = plan_pairs(arms, clock, start, settings.budget_s, draw)
        samples = time_pairs(arms, clock, plan, draw)
    warnings = noise.warnings(before, noise.read())
    return Sampled(samples, settings, warnings, clock.now() - start)


@contextmanager
def with_threads(number: int) -> Iterator[None]:
    """Compute with so many threads, and put back how many there were."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def undisturbed(*, grad: bool) -> Iterator[None]:
    """Set the grad mode, keep the garbage collector out, and put both back.

    Only the young are collected first: a full collection takes 0.2 s with torch loaded, and
    with the collector off what is old cannot be collected during the timing anyway.
    """
    collecting = gc.isenabled()
    gc.collect(1)
    gc.disable()
    try:
        with torch.set_grad_enabled(grad):
            yield
    finally:
        if collecting:
            gc.enable()
