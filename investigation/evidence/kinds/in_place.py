"""Records of the line timed in place: its own time at each SE block while a network runs."""

from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from investigation.evidence.kinds.timings import Outcome, Timing
from investigation.evidence.observation import (
    Confidence,
    Count,
    Device,
    Interval,
    Number,
    Observation,
)
from investigation.subject.cases import Case
from investigation.subject.memory_formats import MemoryFormat

# This thread's time on the core, which stops while something else runs there; or wall time.
Clock = Literal["processor", "wall"]


class Added(BaseModel):
    """What the candidate adds, in seconds, with its interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    difference_s: Number
    interval_s: Interval


class Slot(Added):
    """One SE block: its input, how long the baseline's line takes, and what is added to it."""

    case: Case
    line_s: Number
    forward: Added
    backward: Added | None = None


class OnClock(Added):
    """The sum over the slots by one clock, in seconds and as a share of the step."""

    clock: Clock
    share: Number
    share_interval: Interval
    step_s: Number


class OfProcess(BaseModel):
    """One fresh process: how many pairs of steps, and what the candidate adds to a step there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: Count
    difference_s: Number
    step_s: Number


class LineInPlace(Observation):
    """What a form of the line adds to a step of a network that has it in its SE blocks.

    `sums` has an entry a clock; `clock` names the one that decides, which the `slots` and the
    `verdict` are by. `over` says what the intervals are made of: one estimate a process, or, for
    a control, the pairs of all processes. `series` is `threads` if it ran on more threads than the
    rest of its run. `planted_s` is what was planted in the candidate.
    """

    type: Literal["line_in_place"] = "line_in_place"
    level: Literal["network", "training_step"]
    baseline: str = "broadcast"
    candidate: str = "expand_as"
    role: Literal["measurement", "control"] = "measurement"
    series: Literal["workloads", "threads"] = "workloads"
    memory_format: MemoryFormat
    batch: Count
    device: Device = "cpu"
    threads: Count = 1

    clock: Clock
    over: Literal["processes", "pairs"]
    confidence: Confidence
    margin: Number
    verdict: Outcome
    slots: tuple[Slot, ...]
    sums: tuple[OnClock, ...]
    processes: tuple[OfProcess, ...]
    planted_s: Number = 0.0

    about: ClassVar[tuple[str, ...]] = (
        "level",
        "baseline",
        "candidate",
        "role",
        "series",
        "memory_format",
    )
    unit: ClassVar[str | None] = "ratio"
    shows: ClassVar[str] = "ratio"

    @model_validator(mode="after")
    def _decided_by_a_clock_that_was_read(self) -> Self:
        if [sum_.clock for sum_ in self.sums].count(self.clock) != 1:
            raise ValueError(f"decided by the {self.clock}'s clock, and it has no sum of its own")
        return self

    @property
    def decisive(self) -> OnClock:
        """The sum by the clock that decides."""
        (only,) = (sum_ for sum_ in self.sums if sum_.clock == self.clock)
        return only

    @property
    def other(self) -> OnClock | None:
        """The sum by the other clock, if it was read."""
        return next((sum_ for sum_ in self.sums if sum_.clock != self.clock), None)

    @property
    def share(self) -> float:
        """What the candidate adds, as a share of the step."""
        return self.decisive.share

    @property
    def ratio(self) -> float:
        """Of a step with the candidate over one with the baseline."""
        return 1 + self.share

    @property
    def interval(self) -> Interval:
        """Of that ratio."""
        low, high = self.decisive.share_interval
        return 1 + low, 1 + high

    @property
    def outcome(self) -> Outcome:
        """The outcome that every page shows: for a network's step, its own verdict."""
        return self.verdict

    @property
    def pairs(self) -> int:
        """How many pairs of steps were run, in all processes."""
        return sum(process.pairs for process in self.processes)


# Every kind of record whose ratio has an interval.
Measured = Timing | LineInPlace
