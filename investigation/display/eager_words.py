"""Sentences of the chapter on eager cost, computed from what was timed."""

from collections.abc import Mapping

from investigation.evidence.kinds.timings import Outcome, Timing
from investigation.evidence.words import OUTCOMES, Judged, listed, nanoseconds, percent

# What it means how the multiply of an expanded gate compares, and whether the call costs more
# behind a pass over memory.
MEANINGS: Mapping[tuple[Outcome, bool], str] = {
    ("equivalent", True): "Both point to cold caches as the reason, not to the multiply.",
    ("equivalent", False): "Neither explanation is shown: an expanded gate costs no time here, and "
    "cold caches show no cost.",
    ("slower", True): "Both explanations hold: an expanded gate and cold caches each cost time.",
    ("slower", False): "The expanded gate slows the multiply; for cold caches no cost is shown.",
    ("faster", True): "Cold caches cost time. The expanded gate does not: with it the multiply is "
    "faster.",
    ("faster", False): "Neither explanation is shown: with an expanded gate the multiply is "
    "faster, and cold caches show no cost.",
    ("inconclusive", True): "Cold caches cost time. Whether an expanded gate does is undecided.",
    ("inconclusive", False): "This does not decide between the two explanations.",
}


def reasons_told(expanded: Timing, alone: Timing, behind: Timing) -> str:
    """Say whether an expanded gate or cold caches make a call cost more next to a large tensor.

    `expanded` times the multiply of an expanded gate against that of the plain one, `alone` and
    `behind` the line against its rewrite at the smallest size, as it stands and behind a pass over
    memory. Cold caches cost time if the second interval lies wholly above the first.
    """
    outcome = expanded.outcome
    dearer = behind.single.difference_interval_s[0] > alone.single.difference_interval_s[1]
    return (
        f"After the pass over memory, `expand_as` adds {_added(behind)} to the smallest multiply; "
        f"without it, {_added(alone)}. The multiply of an expanded gate against that of the plain "
        f"gate: {OUTCOMES[outcome]}. {MEANINGS[outcome, dearer]}"
    )


def against_a_copy(compared: Mapping[str, Judged]) -> str:
    """Say how long each way of multiplying takes against a copy of its input."""
    levels = listed(
        [f"{100 * level:g} %" for level in {one.confidence for one in compared.values()}]
    )
    told = "; ".join(
        f"{name} {percent(one.ratio, one.ratio_interval)}" for name, one in compared.items()
    )
    return f"Time against a copy, with its interval at {levels}: {told}."


def _added(timing: Timing) -> str:
    low, high = timing.single.difference_interval_s
    ends = f"{nanoseconds(low)} to {nanoseconds(high)}"
    return f"{nanoseconds(timing.single.difference_s)} ({ends})"
