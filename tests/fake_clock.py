"""A made-up machine with a clock of its own: what it does to a call is seeded and known."""

import math
from collections.abc import Callable

import numpy as np

from investigation.timing.clock import Counters

# Takes the time on the clock and a generator, returns how many times as long a call takes.
Disturbance = Callable[[float, np.random.Generator], float]


class FakeMachine:
    """A clock that only moves when a callable of this machine runs."""

    def __init__(self, disturbance: Disturbance | None = None, seed: int = 0) -> None:
        self.time_s = 0.0
        self.calls: dict[str, int] = {}
        self.waits = 0
        self.counted = Counters(0, 0, 0)
        self._disturbance = disturbance or steady
        self._draw = np.random.default_rng(seed)

    def now(self) -> float:
        return self.time_s

    def synchronize(self) -> None:
        self.waits += 1

    def processor_s(self) -> float:
        return self.time_s

    def counters(self) -> Counters:
        return self.counted

    def work(
        self, seconds: float, name: str = "work", first_call_s: float = 0.0
    ) -> Callable[[], None]:
        """A callable that takes `seconds` undisturbed, and `first_call_s` more at first."""

        def call() -> None:
            self.calls[name] = self.calls.get(name, 0) + 1
            factor = self._disturbance(self.time_s, self._draw)
            self.time_s += seconds * factor + first_call_s * (self.calls[name] == 1)

        return call


def steady(time_s: float, draw: np.random.Generator) -> float:
    del time_s
    return 1 + 0.002 * draw.standard_normal()


def drift(time_s: float, draw: np.random.Generator) -> float:
    """The machine gets slower by half within a second."""
    return (1 + 0.5 * time_s) * steady(time_s, draw)


def spikes(time_s: float, draw: np.random.Generator) -> float:
    """One call in ten takes up to thirty times as long."""
    spike = 30 * draw.random() if draw.random() < 0.1 else 0.0
    return steady(time_s, draw) + spike


def periodic_neighbour(time_s: float, draw: np.random.Generator) -> float:
    """Somebody takes half of the machine for 7 of every 13 milliseconds."""
    return steady(time_s, draw) * (2.0 if math.fmod(time_s, 0.013) < 0.007 else 1.0)


def wandering(time_s: float, draw: np.random.Generator) -> float:
    """Speed that wanders smoothly with jitter on top: strongly autocorrelated."""
    wave = 0.2 * math.sin(40 * time_s) + 0.1 * math.sin(311 * time_s)
    return 1.3 + wave + abs(0.02 * draw.standard_normal())


WORLDS: dict[str, Disturbance] = {
    "steady": steady,
    "drift": drift,
    "spikes": spikes,
    "periodic neighbour": periodic_neighbour,
    "wandering": wandering,
}
