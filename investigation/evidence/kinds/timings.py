"""Records of time: paired comparisons, bandwidth, and what planted differences showed."""

from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from investigation.evidence.observation import (
    Confidence,
    Count,
    Device,
    Dtypes,
    Interval,
    Number,
    Observation,
)
from investigation.subject.memory_formats import MEMORY_FORMATS, MemoryFormat

Outcome = Literal["faster", "slower", "equivalent", "inconclusive"]
# Up to which difference two times count as equal, as a share; fixed before any measurement.
MARGIN = 0.01
# At 95 %, one of thirty comparisons comes out slower by chance in every second book. At 99.9 %,
# one of a hundred does in one book of ten.
FAMILY_CONFIDENCE = 0.999
# A control judged at 95 % would stop one build in twenty. At 99.99 %, a hundred controls stop one
# build in a hundred.
CONTROL_CONFIDENCE = 0.9999
# A rule about whether either of two steps lies outside the margin gives each half the error.
STEP_CONFIDENCE = 1 - 0.05 / len(MEMORY_FORMATS)

TimingLevel = Literal[
    "multiply",
    "scale_step",  # forward and backward
    "block",
    "network",  # a forward step of the host network
    "released_network",  # one inference of a network that a package releases
    "training_step",  # of the host network
    "compilation",
    "check",  # a way of keeping the shape check
]
Quantity = Literal[
    "end_to_end",
    "host",  # until the call has been handed over
    "device",  # the device's own time
    "cold",  # the same behind a pass over memory that fills the caches
]
# Two objects, as they lie in memory; two programs, made anew several times in one process; or two
# programs in several processes.
HoldsFor = Literal["objects", "programs", "processes"]


class Timed(BaseModel):
    """A candidate's time against a baseline's, in one process; times in seconds a call.

    `ratio` is candidate over baseline. `verdict_in_family` is the verdict at `FAMILY_CONFIDENCE`.
    `preparations` is how often both arms were made, `within_percent` the standard error of one
    preparation's ratio, and `between_percent` the standard deviation of the ratio from one to the
    next. All three are None if the arms were made once; the interval then holds for these two
    objects only. `cpu_ratio` is the ratio of the thread's processor times, None if more than
    one thread computed; `dropped_pairs` were disturbed, as the system's counters show.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ratio: Number
    ratio_interval: Interval
    margin: Number
    warnings: tuple[str, ...] = ()
    verdict_in_family: Outcome
    difference_s: Number
    difference_interval_s: Interval
    baseline_s: Number
    candidate_s: Number
    equivalence_p: Number
    pairs: Count
    calls_per_block: Count
    preparations: Count | None = None
    within_percent: Number | None = None
    between_percent: Number | None = None
    heterogeneity_p: Number | None = None
    cpu_ratio: Number | None = None
    dropped_pairs: Count = 0


class Timing(Observation):
    """A paired comparison of two ways of running the same thing.

    `processes` holds one entry a fresh process if the comparison was replicated, else `alone`
    holds the only one. `runtime` is what runs the program, None for eager mode as it stands;
    `network` names the released network whose program it is. `within_percent` and
    `between_percent` are those of its processes, as `Timed` has those of preparations. `role` is
    `control` if the outcome is known beforehand, and `demonstration` if a page shows the
    instrument at work; only a `measurement` is evidence about the line.
    """

    type: Literal["timing"] = "timing"
    level: TimingLevel
    baseline: str = "broadcast"
    candidate: str = "expand_as"
    quantity: Quantity = "end_to_end"
    series: Literal["workloads", "sizes", "threads"] = "workloads"
    mode: Literal["inference", "training"] = "inference"
    memory_format: MemoryFormat = "contiguous"
    runtime: str | None = None
    network: str | None = None  # a released one
    family: Literal["pytorch", "exported", "remedy", "varied"] | None = None
    role: Literal["measurement", "control", "demonstration"] = "measurement"
    device: Device = "cpu"
    threads: Count = 1

    ratio: Number
    interval: Interval
    confidence: Confidence
    margin: Number
    verdict: Outcome
    warnings: tuple[str, ...] = ()
    alone: Timed | None = None
    processes: tuple[Timed, ...] = ()
    within_percent: Number | None = None
    between_percent: Number | None = None
    heterogeneity_p: Number | None = None

    about: ClassVar[tuple[str, ...]] = (
        "level",
        "baseline",
        "candidate",
        "quantity",
        "series",
        "mode",
        "memory_format",
        "runtime",
        "network",
        "role",
        "replicated",
    )
    unit: ClassVar[str | None] = "ratio"

    @model_validator(mode="after")
    def _one_process_or_several(self) -> Self:
        if (self.alone is None) == (not self.processes):
            raise ValueError("a timing has either one process's numbers or several processes'")
        return self

    shows: ClassVar[str] = "ratio"

    @property
    def replicated(self) -> bool:
        """Whether several fresh processes were measured."""
        return bool(self.processes)

    @property
    def holds_for(self) -> HoldsFor:
        """The variation that the interval covers."""
        if self.processes:
            return "processes"
        return "objects" if self.single.preparations is None else "programs"

    @property
    def dtypes(self) -> Dtypes:
        """Whether input and gate share a dtype; no gate that was timed is wider than its input."""
        case = self.case
        return "mixed" if case and case.gate_dtype not in (None, case.dtype) else "same"

    @property
    def workload(self) -> str | None:
        """The name of the case, None for a whole network."""
        return self.case.slug if self.case else None

    @property
    def single(self) -> Timed:
        """The numbers of the only process. Raises `ValueError` if there were several."""
        if self.alone is None:
            raise ValueError(f"{self.name}: measured in several processes")
        return self.alone

    @property
    def family_verdict(self) -> Outcome:
        """The verdict as one of many comparisons.

        Several processes are not judged as a family: with ten or fewer, their signed-rank test
        has too few values to reach `FAMILY_CONFIDENCE`.
        """
        return self.alone.verdict_in_family if self.alone else "inconclusive"

    @property
    def outcome(self) -> Outcome:
        """The outcome on every page: a network's step by its own verdict, all else as one of many.

        Slower or faster at the confidence of a family. Equivalent by its own interval: that each
        of many is equal needs no correction for their number (an intersection-union test; Berger,
        Multiparameter hypothesis testing and acceptance sampling, 1982).
        """
        of_a_network = self.level in ("network", "training_step")
        if of_a_network or self.verdict == "equivalent":
            return self.verdict
        return self.family_verdict

    @property
    def undecided_among_many(self) -> bool:
        """Whether its own interval decides, and that of one of many comparisons does not."""
        return self.outcome == "inconclusive" != self.verdict


class Bandwidth(Observation):
    """Bytes moved a second by a way of reading the input once and writing the output once."""

    type: Literal["bandwidth"] = "bandwidth"
    of: Literal["copy", "multiply", "as_written"]
    gb_per_s: Number

    about: ClassVar[tuple[str, ...]] = ("of",)
    unit: ClassVar[str | None] = "GB/s"
    shows: ClassVar[str] = "gb_per_s"


class PlantedDifferences(Observation):
    """How many planted differences the instrument found in this run."""

    type: Literal["planted_differences"] = "planted_differences"
    planted: Count
    found: Count
    wrong_sign: Count
    doses_percent: tuple[Number, ...]

    unit: ClassVar[str | None] = "trials"
    shows: ClassVar[str] = "found"
