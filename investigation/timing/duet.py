"""Duet measurement: both arms at the same moment on two cores, so that both meet the same noise.

Bulej and others, Duet benchmarking: improving measurement accuracy in the cloud, ICPE 2020. Two
processes, one a core, meet before every block and run it together; after half of the time they
change cores. A rival in the contest, and no part of the instrument.
"""

import mmap
import os
import signal
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import numpy as np

from investigation.timing import statistics
from investigation.timing.arms import Function

MOST_BLOCKS = 4000
COUNT = struct.Struct("q")
START = 0.8  # of a half's seconds are for blocks; the rest starts the processes and ends them


def duet_log_ratios(
    baseline: Function, candidate: Function, cores: tuple[int, int], budget_s: float
) -> statistics.Floats:
    """log(candidate / baseline) of blocks of one call that ran together, shape `(n,)`."""
    halves = [_half((baseline, candidate), placed, budget_s / 2) for placed in (cores, cores[::-1])]
    ratios: statistics.Floats = np.log(np.concatenate([two[1] / two[0] for two in halves]))
    return ratios


def two_cores() -> tuple[int, int] | None:
    """Return two cores that this process may use, or None where it has fewer."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (allowed[0], allowed[1]) if len(allowed) > 1 else None


def _half(
    arms: tuple[Function, Function], cores: tuple[int, int], seconds: float
) -> statistics.Floats:
    """Seconds a block of both arms, shape `(2, n)`: in processes of their own, side by side."""
    deadline = time.perf_counter() + START * seconds
    with mmap.mmap(-1, 2 * (64 + 8 * MOST_BLOCKS)) as shared:
        children = [
            _forked(partial(_play, shared, side, arms[side], cores[side], deadline))
            for side in (0, 1)
        ]
        _await(children, deadline + seconds)
        done = max(0, min(_count(shared, side) for side in (0, 1)) - 1)
        return np.array([_times(shared, side, done) for side in (0, 1)])


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    with suppress(BaseException):  # nothing of the parent's may run here
        work()
    os._exit(0)


def _await(children: list[int], deadline: float) -> None:
    """Wait for the children; one that is late is ended, and the other with it."""
    waiting = list(children)
    while waiting:
        for child in list(waiting):
            if os.waitpid(child, os.WNOHANG)[0]:
                waiting.remove(child)
        if time.perf_counter() > deadline:
            for child in waiting:
                os.kill(child, signal.SIGKILL)
        time.sleep(0.001)


def _play(shared: mmap.mmap, side: int, function: Function, core: int, deadline: float) -> None:
    """Run blocks together with the other side until the deadline; the count is the meeting."""
    os.sched_setaffinity(0, {core})
    clock, start = time.perf_counter, _offset(side)
    function()
    for block in range(1, MOST_BLOCKS):
        COUNT.pack_into(shared, start, block)
        while _count(shared, 1 - side) < block:
            if clock() > deadline:
                return
        if clock() > deadline:
            return
        began = clock()
        function()
        struct.pack_into("d", shared, start + 64 + 8 * (block - 1), clock() - began)


def _offset(side: int) -> int:
    return side * (64 + 8 * MOST_BLOCKS)


def _count(shared: mmap.mmap, side: int) -> int:
    count: int = COUNT.unpack_from(shared, _offset(side))[0]
    return count


def _times(shared: mmap.mmap, side: int, blocks: int) -> statistics.Floats:
    return np.frombuffer(shared, float, blocks, _offset(side) + 64).copy()
