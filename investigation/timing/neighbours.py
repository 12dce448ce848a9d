"""Busy neighbours: processes that burn at random beside what is timed."""

import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

BURST_S = 0.05  # a neighbour's bursts and pauses, on average


@contextmanager
def busy_neighbours(seed: int) -> Iterator[None]:
    """One process per core that alternates between burning and sleeping, exponential times."""
    spawn = multiprocessing.get_context("spawn")
    cores = range(os.cpu_count() or 1)
    processes = [spawn.Process(target=_burn, args=(seed + c,), daemon=True) for c in cores]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _burn(seed: int) -> None:
    draw, parent = random.Random(seed), os.getppid()
    while os.getppid() == parent:
        time.sleep(draw.expovariate(1 / BURST_S))
        stop = time.monotonic() + draw.expovariate(1 / BURST_S)
        while time.monotonic() < stop:
            sum(range(1000))
