"""What to expect of a GPU before anything is measured: arithmetic, and labelled as such.

The device's time is the bytes that cannot be avoided over the memory's stated speed; the host's
is what the eager chapter measured for a call whose tensor is too small to matter. Neither includes
launches or clocks, so a device may need longer; nor caches, so a device whose cache holds the
tensors may need less.
"""

from dataclasses import dataclass
from typing import Literal

from investigation.evidence.kinds.timings import Timing
from investigation.evidence.questions import Findings, ask
from investigation.evidence.records import Evidence
from investigation.subject.cases import Case
from investigation.subject.dtypes import DTYPES
from investigation.subject.gpu_catalog import CARDS, Card

DEVICE_FORMULA = "t_device = (2·B·C·H·W + B·C) · bytes per element / bandwidth"
HIDDEN_FORMULA = "n = t_host · bandwidth / (2 · bytes per element)"
SIZES = ask(
    Timing, series="sizes", level="multiply", quantity="end_to_end", baseline="broadcast"
)  # fmt: skip

Bound = Literal["launch", "bandwidth"]


@dataclass(frozen=True)
class HostCost:
    """Seconds of one call on the host: the plain multiply, and what `expand_as` adds to it."""

    call_s: float
    extra_s: float

    @property
    def with_expand_s(self) -> float:
        """Seconds of a call of the line as it stands."""
        return self.call_s + self.extra_s

    @classmethod
    def measured_in(cls, chapter: Evidence) -> "HostCost":
        """Take both from the smallest multiply of the eager chapter, in seconds.

        Raises `LookupError` if that run measured none over sizes.
        """
        measured = Findings((chapter,)).answers(SIZES)
        by_elements = {timing.case.elements: timing for timing in measured if timing.case}
        if not by_elements:
            raise LookupError(f"{chapter.notebook} has no {SIZES}")
        smallest = by_elements[min(by_elements)].single
        return cls(smallest.baseline_s, smallest.difference_s)


def scale_bytes(case: Case) -> int:
    """Return what the scale step has to move: input and output once each, and the gate."""
    batch, channels = case.shape[:2]
    return case.bytes_moved + batch * channels * case.gate_itemsize


def device_s(case: Case, card: Card) -> float:
    """Return the seconds that the scale step needs on a card at its stated bandwidth."""
    return scale_bytes(case) / card.bandwidth


def hidden_from(card: Card, host_s: float, dtype: str = "float32") -> float:
    """Return the elements from which on the device is the slower side, and hides the host.

    Below, a queue of multiplies waits for the host, and each call's extra cost shows in full;
    above, the host is ahead and the device never waits for it.
    """
    return host_s * card.bandwidth / (2 * DTYPES[dtype].itemsize)


@dataclass(frozen=True)
class Prediction:
    """One workload on one card; times in seconds."""

    case: Case
    card: Card
    device_s: float
    host_s: float | None

    @property
    def bound(self) -> Bound | None:
        """Which side is expected to be the slower; None if the host's cost is not known."""
        if self.host_s is None:
            return None
        return "launch" if self.device_s < self.host_s else "bandwidth"


def predictions(
    cases: tuple[Case, ...], host: HostCost | None, cards: tuple[Card, ...] = CARDS
) -> list[Prediction]:
    """Return a prediction for every workload on every card."""
    host_s = host.with_expand_s if host else None
    return [
        Prediction(case, card, device_s(case, card), host_s) for case in cases for card in cards
    ]
