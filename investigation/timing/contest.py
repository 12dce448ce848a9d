"""The contest of timers: which one tells a planted difference from none, and how well.

Every trial gives a timer the same wall budget and two callables whose work differs by a known
share, 400 calls of a small multiply against 404 for +1 %, so that the truth is known exactly. They
share their function and tensors, or have closures or tensors of their own.
"""

import math
import os
import platform
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import psutil
import torch
from torch.utils.benchmark import Timer

from investigation.evidence.environment import processor_name
from investigation.evidence.sealed.contest import (
    BASE_CALLS,
    CONFIDENCE,
    DOSES,
    MARGIN,
    ContestResult,
)
from investigation.interpreter import with_room
from investigation.timing.contestants import GROUPS, LEADS, OURS, Method
from investigation.timing.neighbours import busy_neighbours
from investigation.timing.planted_work import plant, shared


@dataclass(frozen=True)
class Turn:
    """One measurement to be made: a group of methods that share it, a plant, dose and number."""

    method: Method
    plant: str
    dose: float
    number: int
    seed: int

    @property
    def key(self) -> tuple[str, str, float, int]:
        """What tells it from every other."""
        return LEADS[self.method], self.plant, self.dose, self.number


def turns(
    trials: int,
    rival_trials: int,
    doses: Mapping[str, Sequence[float]],
    seed: int,
) -> list[Turn]:
    """Every measurement of a contest: plants, doses and methods in random order in each trial.

    Rivals that get fewer trials get them spread evenly over the contest.
    """
    draw = random.Random(seed)
    planned = []
    for number in range(trials):
        rivals = (number * rival_trials) // trials < ((number + 1) * rival_trials) // trials
        groups = GROUPS if rivals else OURS
        turn = [
            Turn(method, plant, dose, number, draw.getrandbits(32))
            for plant in doses
            for dose in doses[plant]
            for method in groups
        ]
        draw.shuffle(turn)
        planned += turn
    return planned


@with_room
def run(
    trials: int = 10,
    *,
    rival_trials: int | None = None,
    doses: Mapping[str, Sequence[float]] = DOSES,
    budget_s: float = 0.6,
    seed: int = 0,
    neighbour: bool = False,
    limit_s: float = math.inf,
    resume: ContestResult | None = None,
    progress: Callable[[ContestResult, int, int], None] | None = None,
) -> ContestResult:
    """Hold the contest, one thread, one comparison at a time.

    `rival_trials` defaults to `trials`; `doses` are in per cent, by kind of plant. `neighbour`
    starts one process per core that burns at random while the contest runs. `resume` keeps its
    trials and runs only what is missing; after `limit_s` seconds the contest ends with the trials
    that it has, whole numbers of them only. `progress(result, done, total)` is called after each
    measurement. Takes about `budget_s * (2 * trials + 3 * rival_trials)` seconds for each dose of
    each kind of plant.
    """
    rivals = trials if rival_trials is None else rival_trials
    result = resume or ContestResult(environment(), {})
    given = {"trials": trials, "rival_trials": rivals, "budget_s": budget_s, "seed": seed}
    result.settings = given | _fixed(doses) | {"neighbour": neighbour}
    finished = {(trial.method, trial.plant, trial.dose, trial.number) for trial in result.trials}
    planned, start = turns(trials, rivals, doses, seed), time.monotonic()
    with busy_neighbours(seed) if neighbour else nullcontext():
        for done, turn in enumerate(planned, start=1):
            new_number = done == 1 or planned[done - 2].number != turn.number
            if new_number and time.monotonic() - start > limit_s:
                break
            if turn.key in finished:
                continue
            planted = plant(turn.dose, turn.plant)
            result.trials += turn.method(planted, turn.number, budget_s, turn.seed)
            if progress:
                progress(result, done, len(planned))
    return result


def _fixed(doses: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return the settings that the record's reader needs besides those of the command line."""
    by_plant = {plant: list(doses[plant]) for plant in doses}
    return {
        "doses": by_plant,
        "margin": MARGIN,
        "confidence": CONFIDENCE,
        "base_calls": BASE_CALLS,
    }


def environment() -> dict[str, Any]:
    """Describe what the contest runs on, and how long its baseline takes there."""
    work = shared(BASE_CALLS)
    with torch.no_grad():
        times = Timer("work()", globals={"work": work}).timeit(50)
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": 1,
        "load": os.getloadavg()[0],
        "memory_bytes": psutil.virtual_memory().total,
        "callable_s": times.mean,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
