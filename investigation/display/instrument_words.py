"""Sentences of the chapter on the instrument, computed from the blocks and the counts it kept."""

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np

from investigation.evidence import words
from investigation.evidence.words import number_of
from investigation.timing.comparison import Comparison
from investigation.timing.crossings import Calls


def blocks_told(comparison: Comparison) -> str:
    """Say how often a pair's blocks are slow or fast together, and what their times come to.

    A block counts as slow if it takes longer than the median of its side, as fast if it takes
    less. Pairs with a block at a median count as neither.
    """
    sides = (comparison.samples.baseline_s, comparison.samples.candidate_s)
    slower, other = (np.sign(np.asarray(side) - np.median(side)) for side in sides)
    either = (slower != 0) & (other != 0)
    together = int((either & (slower == other)).sum())
    return (
        f"Both sides are slow or fast together, each against its own median, in {together} of "
        f"{number_of(int(either.sum()), 'pair')}; blocks that are disturbed one by one would be in "
        f"about half. {words.capital(words.outcome(comparison))})."
    )


def instructions_told(added: float, by_group: Mapping[str, float]) -> str:
    """Say how many instructions `expand_as` takes more or fewer, and the part with most of them."""
    part = max(by_group, key=lambda group: abs(by_group[group]), default=None)
    largest = f"; the largest part is {part}, {_more(by_group[part])}" if part is not None else ""
    return f"With expand_as a call takes {_more(added)} instructions{largest}."


def _more(count: float) -> str:
    return f"{abs(count):,.0f} {'fewer' if count < 0 else 'more'}"


def crossings_told(without: Sequence[Calls], within: Sequence[Calls]) -> str:
    """Say at how many positions calls cross the end of a piece without room, and with it."""
    crossing = [calls for calls in without if calls.cross]
    usual_s = median(calls.seconds for calls in without)
    kept = sum(calls.cross for calls in within)
    told = (
        ": there each call causes a page fault and takes "
        f"{median(calls.seconds for calls in crossing) / usual_s:,.0f} times as long as a call at "
        "the median position"
        if crossing
        else ", so this Python seems to keep its pieces"
    )
    return (
        f"Without room, calls cross the end of a piece at **{len(crossing)} of "
        f"{number_of(len(without), 'position')}**{told}. With room: at **{kept or 'none'}**."
    )
