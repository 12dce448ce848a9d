"""Sentences of the chapter on memory formats, computed from what was compared."""

from collections.abc import Sequence

from investigation.evidence.kinds.layouts import Layouts
from investigation.observe.layout import LayoutPairing


def narrow_gate_told(counted: Layouts, unlike: Sequence[LayoutPairing]) -> str:
    """Say how many products differ with a gate of lower precision, and in what.

    Raises `ValueError` if nobody looked at the ticket's block, or behind a convolution.
    """
    if counted.in_the_block is None or counted.convolved is None:
        raise ValueError(f"{counted.name}: not counted in the block, or behind a convolution")
    if not unlike:
        return (
            f"With a gate of lower precision the products have the same strides and bits in all "
            f"{counted.tried:,} pairings."
        )
    kinds = {
        "strides": sum(not pairing.same_layout for pairing in unlike),
        "bits": sum(not pairing.same_values for pairing in unlike),
    }
    differ = " and ".join(
        f"the {kind} in {count:,} of {counted.tried:,}" for kind, count in kinds.items() if count
    )
    ordinary = sum(1 not in pairing.sizes for pairing in unlike)
    where = f"{ordinary:,} of them without" if ordinary else "all of them with"
    return (
        f"**With a gate of lower precision, products differ: {differ} pairings**, {where} a "
        f"dimension of size 1. {_in_the_block(counted.in_the_block)} "
        f"{_after_convolution(counted.convolved)}"
    )


def _in_the_block(count: int) -> str:
    have = f"{count:,} of them {'has' if count == 1 else 'have'}" if count else "None of them has"
    return (
        f"{have} input and gate laid out as in the ticket's block (the input whole, contiguous or "
        "channels_last; the gate reshaped from `(B, C)`)."
    )


def _after_convolution(count: int) -> str:
    if not count:
        return "A convolution after the product returns the same layout in both forms."
    return (
        f"In {count:,} of them a convolution after the product returns another layout: "
        "the form of the line decides the memory format of what follows."
    )


def copy_told(unexplained: int, tried: int) -> str:
    """Say whether a copy of the gate at full size accounts for the strides of both forms."""
    if unexplained:
        return f"The copy does not account for {unexplained:,} of {tried:,} pairings."
    return f"The copy accounts for the strides of both forms in all {tried:,} pairings."
