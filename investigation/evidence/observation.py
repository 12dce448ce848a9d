"""What every record has: a sentence, what it is about, and what was seen.

A name carries no meaning. A record is found by its fields (`evidence.questions`); `name` is made
from them, in one function, for files, links and messages only.
"""

import math
import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from investigation.evidence.harmless import on_one_line
from investigation.subject.cases import Case

Form = Literal["expand_as", "broadcast", "materialized", "opaque"]
# Mixed: a gate of a narrower dtype than the input. Wider gate: the other way round.
Dtypes = Literal["same", "mixed", "wider_gate"]
Device = str
Part = str | int | bool | None
Identity = tuple[Part, ...]
# The name of the machine that a chapter runs on, for what it measured on its own GPU.
HERE = "this run"


def _runs_from_low_to_high(interval: tuple[float, float]) -> tuple[float, float]:
    if not interval[0] <= interval[1]:
        raise ValueError("an interval runs from low to high")
    return interval


def _with_its_ends(interval: Any) -> Any:
    """Read None as an end that is infinite: JSON has no infinity."""
    if not isinstance(interval, list | tuple) or len(interval) != 2:
        return interval
    low, high = interval
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("allowed is a finite number; JSON has no other")
    return value


Interval = Annotated[
    tuple[float, float], BeforeValidator(_with_its_ends), AfterValidator(_runs_from_low_to_high)
]
Number = Annotated[float, AfterValidator(_finite)]
Count = Annotated[int, Field(ge=0)]
Confidence = Annotated[float, Field(gt=0, lt=1)]


class Observation(BaseModel):
    """One thing that was observed; each kind of observation is a type of its own.

    `machine` is the folder under `results/` that it was recorded in, None for this run's own
    machine. `about` names the fields that distinguish the records of a type from each other, and
    `shows` the field that a table shows for the record, in `unit`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    statement: str
    case: Case | None = None
    machine: str | None = None

    about: ClassVar[tuple[str, ...]] = ()
    unit: ClassVar[str | None] = None
    shows: ClassVar[str]

    @property
    def kind(self) -> str:
        """The name of the record's type, as its file has it."""
        return str(getattr(self, "type"))  # noqa: B009  # every type of the union declares it

    @property
    def value(self) -> Part | float:
        """The number or word that a table shows for the record."""
        shown: Part | float = getattr(self, self.shows)
        return shown

    @property
    def identity(self) -> Identity:
        """What the record is about: two records of one identity contradict or repeat each other."""
        case = self.case
        of_case = (case.slug, case.memory_format, case.dtype, case.gate_dtype) if case else ()
        return (self.kind, self.machine, *(getattr(self, field) for field in self.about), *of_case)

    @property
    def name(self) -> str:
        """A name made from the identity, for files, links and messages; nothing reads it back."""
        parts = (str(part).lower() for part in self.identity if part not in (None, "", False))
        return ".".join(re.sub(r"\W+", "_", part, flags=re.ASCII).strip("_") for part in parts)

    def _repr_markdown_(self) -> str:
        """Show the record in a notebook as a sentence."""
        return on_one_line(f"{self.statement}: {self.value} {self.unit or ''}").rstrip()
