"""Rules about strides and memory formats."""

from collections.abc import Sequence

from investigation.claims.claim import Verdict, refuted, supported
from investigation.evidence.kinds.layouts import BlockLayouts, Layouts

# The groups whose tensors have elements; `channels_last` counts some of them once more.
WITH_ELEMENTS = ("ordinary", "ambiguous", "volumes")
GROUPS = (*WITH_ELEMENTS, "empty", "channels_last")


def layout_trouble(layouts: Sequence[Layouts], blocks: Sequence[BlockLayouts]) -> Verdict:
    """T4: does any tensor that has elements come out otherwise?"""
    differing = _differing([*_with_elements(layouts), *blocks])
    if differing:
        return supported(f"Values, strides or gradients differ: {', '.join(differing)}.")
    return refuted(f"{_alike(layouts)}.")


def layouts_equal(layouts: Sequence[Layouts], blocks: Sequence[BlockLayouts]) -> Verdict:
    """V2: are the layouts of the outputs the same?"""
    trouble = layout_trouble(layouts, blocks)
    turned = {"supported": refuted, "refuted": supported}
    return turned[trouble.status](trouble.sentence)


def channels_last_verified(layouts: Sequence[Layouts], blocks: Sequence[BlockLayouts]) -> Verdict:
    """D4: do broadcasting semantics stay identical under channels_last?"""
    pairings = _group(layouts, "channels_last")
    of_blocks = [one for one in blocks if one.memory_format == "channels_last"]
    differing = _differing([pairings, *of_blocks])
    if differing:
        return refuted(f"They do not stay identical: {', '.join(differing)}.")
    return supported(
        f"Verified: {pairings.tried} pairings with a channels_last input, and the block's forward "
        "and backward, have the same values, strides and memory format in both forms."
    )


def _differing(found: Sequence[Layouts | BlockLayouts]) -> list[str]:
    return [one.says for one in found if one.differing]


def _with_elements(layouts: Sequence[Layouts]) -> list[Layouts]:
    return [one for one in layouts if one.group in WITH_ELEMENTS]


def _group(layouts: Sequence[Layouts], group: str) -> Layouts:
    return next(one for one in layouts if one.group == group)


def _alike(layouts: Sequence[Layouts]) -> str:
    tried, empty = sum(one.tried for one in _with_elements(layouts)), _group(layouts, "empty")
    return (
        f"{tried} pairings of input and gate layouts give the same values and strides, and so "
        "does every tensor of the block's forward and backward. Only empty tensors differ, in "
        f"strides that address nothing ({empty.differing} of {empty.tried} pairings)"
    )
