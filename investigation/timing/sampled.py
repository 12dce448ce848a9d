"""What a process that only times hands to the one that judges: samples, and how they were taken.

To judge takes scipy and statsmodels, which take about as long to load as torch does: a process
whose comparison is judged elsewhere loads neither.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from investigation.timing.samples import Samples
from investigation.timing.settings import Settings


@dataclass(frozen=True)
class Sampled:
    """A candidate timed against a baseline, not judged yet.

    `warnings` say what disturbed the machine meanwhile; `elapsed_s` is what the timing took.
    """

    samples: Samples
    settings: Settings
    warnings: tuple[str, ...]
    elapsed_s: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, before or after JSON."""
        return cls(
            Samples.from_dict(record["samples"]),
            Settings(**record["settings"]),
            tuple(record["warnings"]),
            record["elapsed_s"],
        )
