"""How a comparison is made: its budget, margin, confidence, seed and surroundings."""

import math
from dataclasses import dataclass
from typing import Any

from investigation.timing.errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """How to compare; SettingsError where a value makes no sense.

    `budget_s` is for all of it, warm-up and analysis included. `margin` is what counts as equal,
    as a share of the baseline. `seed` draws the order of the arms.
    """

    budget_s: float = 1.0
    margin: float = 0.01
    confidence: float = 0.95
    seed: int = 0
    device: str = "cpu"
    threads: int = 1
    grad: bool = False
    name: str = "candidate"
    baseline_name: str = "baseline"

    def __post_init__(self) -> None:
        _require_positive("budget_s", self.budget_s, "seconds")
        _require_positive("margin", self.margin, "a share, such as 0.01 for one per cent")
        if not 0 < self.confidence < 1:
            raise SettingsError(f"confidence must lie between 0 and 1, not {self.confidence}")
        if self.threads < 1:
            raise SettingsError(f"threads must be 1 or more, not {self.threads}")

    @property
    def kept(self) -> dict[str, Any]:
        """All but the budget, by name: what a comparison keeps of how it was made."""
        return {name: value for name, value in vars(self).items() if name != "budget_s"}


def _require_positive(name: str, value: float, meaning: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise SettingsError(f"{name} must be positive and finite ({meaning}), not {value}")
