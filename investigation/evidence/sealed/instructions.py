"""How many instructions a call takes, as it is recorded: counts by statement and function group."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

SCHEMA = 1


@dataclass(frozen=True)
class InstructionCounts:
    """Instructions a call of each statement by function group, without the loop around it."""

    by_group: Mapping[str, Mapping[str, float]]  # variant → group → instructions a call
    statements: Mapping[str, str]
    setup: str
    number: int  # calls counted of each
    elapsed_s: float
    environment: Mapping[str, str]

    def per_call(self, variant: str) -> float:
        """Return the instructions a call of `variant`; KeyError names an unknown one."""
        return sum(self.by_group[variant].values())

    def difference(self, candidate: str, baseline: str) -> float:
        """Return how many instructions more a call of `candidate` takes than of `baseline`."""
        return self.per_call(candidate) - self.per_call(baseline)

    def difference_by_group(self, candidate: str, baseline: str) -> dict[str, float]:
        """Say where the difference is spent; the values add up to `difference`."""
        more, less = self.by_group[candidate], self.by_group[baseline]
        return {group: more[group] - less[group] for group in more}

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {self.per_call(name):,.0f}" for name in self.by_group)
        return f"instructions a call: {counts} ({self.number} calls each, {self.elapsed_s:.0f} s)"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, before or after JSON; ValueError on another schema.

        The first records did not name their schema; it was this one.
        """
        if record.get("schema", SCHEMA) != SCHEMA:
            raise ValueError(f"instructions schema {record['schema']!r}, expected {SCHEMA}")
        return cls(**{key: value for key, value in record.items() if key != "schema"})
