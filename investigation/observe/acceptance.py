"""Which gate shapes each way of scaling accepts, and what comes out."""

from dataclasses import dataclass

import torch

from investigation.subject.variants import Scale

# Input shape, gate shape, and how such a gate comes about.
GATES: tuple[tuple[tuple[int, ...], tuple[int, ...], str], ...] = (
    ((2, 3, 4, 5), (2, 3, 1, 1), "the gate of an SE block"),
    ((2, 3, 4, 5), (1, 3, 1, 1), "one gate for the whole batch"),
    ((2, 3, 4, 5), (3, 1, 1), "the same, without its batch dimension"),
    ((2, 3, 4, 5), (2, 1, 1, 1), "one number per image"),
    ((2, 3, 4, 5), (2, 1, 4, 5), "a spatial gate, as in CBAM"),
    ((2, 3, 4, 5), (2, 3, 4, 5), "one number per element"),
    ((2, 3, 4, 5), (), "a scalar"),
    ((2, 3, 4, 5), (5,), "a vector that happens to fit the width"),
    ((2, 3, 4, 5), (2, 3), "the reshape to (B, C, 1, 1) forgotten"),
    ((2, 5, 2, 5), (2, 5), "the same, and the sizes happen to fit"),
    ((2, 3, 4, 5), (2, 4, 1, 1), "the gate of another width of network"),
    ((1, 3, 4, 5), (2, 3, 1, 1), "the gate of a larger batch"),
    ((2, 1, 4, 5), (2, 3, 1, 1), "a gate of three channels for an input of one"),
    ((2, 3, 1, 1), (2, 3, 4, 5), "input and gate swapped"),
    ((2, 3, 4, 5), (2, 2, 3, 1, 1), "a gate with one dimension too many"),
    ((3, 4, 5), (2, 3, 1, 1), "an input without its batch dimension"),
)


@dataclass(frozen=True)
class ScaleResult:
    """What one way of scaling does with one gate: an output shape, or an error's text."""

    shape: tuple[int, ...] | None
    error: str | None

    @property
    def accepted(self) -> bool:
        """Whether the shapes were accepted."""
        return self.shape is not None

    def __str__(self) -> str:
        return "raises" if self.shape is None else str(self.shape)


def outcome(scale: Scale, input_shape: tuple[int, ...], gate_shape: tuple[int, ...]) -> ScaleResult:
    """Return what `scale` makes of an input and a gate of these shapes."""
    try:
        return ScaleResult(
            tuple(scale(torch.ones(input_shape), torch.ones(gate_shape)).shape), None
        )
    except RuntimeError as error:
        return ScaleResult(None, str(error).splitlines()[0])


@dataclass(frozen=True)
class ShapeTrial:
    """One gate shape and what both ways of scaling do with it."""

    input_shape: tuple[int, ...]
    gate_shape: tuple[int, ...]
    story: str
    baseline: ScaleResult
    candidate: ScaleResult

    @property
    def silently_grown(self) -> bool:
        """Whether only the candidate accepts, with an output larger than its input."""
        grown = self.candidate.accepted and self.candidate.shape != self.input_shape
        return grown and not self.baseline.accepted


def compare_acceptance(baseline: Scale, candidate: Scale) -> list[ShapeTrial]:
    """Return what two ways of scaling do with every gate shape in `GATES`."""
    return [
        ShapeTrial(x, gate, story, outcome(baseline, x, gate), outcome(candidate, x, gate))
        for x, gate, story in GATES
    ]
