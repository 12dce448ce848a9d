"""Where a number becomes words: the only place, so that one number reads the same everywhere."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from investigation.evidence.kinds.in_place import Measured
from investigation.evidence.kinds.timings import FAMILY_CONFIDENCE, MARGIN, Outcome, Timing
from investigation.evidence.observation import Interval

# The word for each outcome of a timing, on every page.
OUTCOMES: Mapping[str, str] = {
    "slower": "slower",
    "faster": "faster",
    "equivalent": "equal",
    "inconclusive": "undecided",
}
# What these words mean. A page includes these definitions and no others.
DEFINITIONS: Mapping[str, str] = {
    "slower": "The whole interval of the time with `expand_as` over the time without it lies "
    f"above the margin: more than {100 * MARGIN:g} % slower, unless a page names another margin.",
    "faster": "The whole interval lies below the margin on the other side.",
    "equal": "The whole interval lies inside the margin: the two times are shown to be equal "
    "within it.",
    "undecided": "The interval crosses an edge of the margin, so it decides nothing. That no "
    "difference was found does not mean that the times are equal.",
    "one of many": "With many comparisons, *slower* and *faster* mean at "
    f"{100 * FAMILY_CONFIDENCE:g} % confidence. The interval that is shown is the shorter one of "
    "95 %, so it can lie beyond the margin and the outcome still be *undecided*. *Equal* needs no "
    "such correction, because each comparison has to be shown equal by itself.",
}


def outcome_of(timing: Timing) -> str:
    """Return the word for a timing's outcome, and what its own interval says if that is more."""
    word = OUTCOMES[timing.outcome]
    if timing.undecided_among_many:
        return f"{word} ({OUTCOMES[timing.verdict]} at {100 * timing.confidence:g} %)"
    return word


def confidences(measured: Iterable[Measured]) -> str:
    """Return the confidence of some timings' intervals: `95 %`, `95 % and 97.5 %`."""
    return listed([f"{100 * level:g} %" for level in sorted({one.confidence for one in measured})])


def percent(ratio: float, interval: Interval) -> str:
    """Return a ratio and its interval as a change in percent, or as a factor if it is large.

    An interval of too few values has no ends, and is none.
    """
    low, high = interval
    large, ends = ratio >= 2, low > 0 and math.isfinite(high)
    shown = f"{ratio:.3g} times" if large else change(ratio)
    if not ends:
        return f"{shown} (no interval)"
    if large:
        return f"{shown} ({low:.3g} to {high:.3g})"
    return f"{shown} ({_more(low)} to {_more(high)})"


def rounded_up(value: float) -> str:
    """Round a number up to two digits, so that `at most` before it is true."""
    if value == 0:
        return "0"
    digit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    up = math.ceil(round(value / digit, 6)) * digit
    return f"{up:,.0f}" if up >= 100 else f"{up:.2g}"


def change(ratio: float) -> str:
    """Write a ratio as a signed change: 1.0052 is +0.52 %."""
    return f"{_more(ratio)} %"


def _more(ratio: float) -> str:
    more = 100 * (ratio - 1)
    return f"{'−' if more < 0 else '+'}{_places(abs(more))}"


def share(value: float) -> str:
    """Write a share in percent: 0.052 is 5.2 %."""
    return f"{100 * value:.1f} %"


def _places(percent: float) -> str:
    """Two decimals below ten per cent, one above: more would be noise."""
    two = f"{percent:.2f}"
    return two if len(two) == len("9.99") else f"{percent:.1f}"


def listed(words: Sequence[str]) -> str:
    """Return words as an enumeration: `a, b and c`."""
    marked = list(words)
    return ", ".join(marked[:-1]) + (" and " if marked[1:] else "") + "".join(marked[-1:])


def kib(count: float) -> str:
    """Return a number of bytes in a unit that suits its size."""
    return f"{count:,.0f} B" if count < 2**14 else f"{count / 2**10:,.0f} KiB"


def more_bytes(count: float) -> str:
    """Return by how many bytes something is more or less: `32 KiB more`, `8 B less`, `0 B more`."""
    return f"{kib(abs(count))} {'less' if count < 0 else 'more'}"


def number_of(count: int, noun: str) -> str:
    """Return a count with its noun: `1 tensor`, `2 tensors`, `0 tensors`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# Units whose singular is not the plural without its last letter.
SINGULARS = {
    "launches": "launch",
    "libraries": "library",
    "multiplies": "multiply",
    "ratio": "ratio",
    "series": "series",
}


def of_unit(count: int, unit: str) -> str:
    """Return a count with a unit that is given in the plural: `1 launch`, `2,000 launches`."""
    return f"{count:,} {SINGULARS.get(unit, unit[:-1]) if count == 1 else unit}".rstrip()


def capital(words: str) -> str:
    """Return words with a capital letter in front."""
    return words[:1].upper() + words[1:]


def signed_seconds(value_s: float) -> str:
    """Write a signed time in the unit that suits its size: 4.1e-9 is +4.1 ns."""
    sign, size = "−" if value_s < 0 else "+", abs(value_s)
    for unit, scale in (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3)):
        if size < 999.5 * scale:
            return f"{sign}{size / scale:.3g} {unit}"
    return f"{sign}{size:.3g} s"


def microseconds(value_s: float, decimals: int = 2) -> str:
    """Return a time in microseconds: 1.5e-6 is 1.50 µs."""
    return f"{1e6 * value_s:,.{decimals}f} µs"


def added(difference_s: float, interval_s: Interval) -> str:
    """Return a difference of two times and its interval, in microseconds with their signs."""
    low, high = (1e6 * end for end in interval_s)
    shown = f"{1e6 * difference_s:+,.2f} µs ({low:+,.2f} to {high:+,.2f})"
    return shown.replace("-", "−")


def nanoseconds(value_s: float) -> str:
    """Return a time in whole nanoseconds: 1.5e-6 is 1,500 ns."""
    return f"{1e9 * value_s:,.0f} ns".replace("-", "−")


def readable(value: float) -> str:
    """Return a number with four digits or more, all of those before its point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


class Judged(Protocol):
    """What a sentence about a ratio needs; a comparison has it, and so has a replication."""

    @property
    def ratio(self) -> float:
        """Candidate over baseline."""

    @property
    def ratio_interval(self) -> tuple[float, float]:
        """Low and high."""

    @property
    def verdict(self) -> Outcome:
        """Of the candidate."""

    @property
    def margin(self) -> float:
        """What counts as equal, as a share."""

    @property
    def confidence(self) -> float:
        """Of the interval."""

    @property
    def name(self) -> str:
        """Of the candidate."""

    @property
    def baseline_name(self) -> str:
        """Of the baseline."""


def outcome(judged: Judged) -> str:
    """Return the outcome and its interval, in a parenthesis that is left open."""
    return f"{_estimate(judged)} ({100 * judged.confidence:.6g} % interval {_interval(judged)}"


def _estimate(judged: Judged) -> str:
    ratio, name, other = judged.ratio, judged.name, judged.baseline_name
    match judged.verdict:
        case "equivalent":
            margin = f"{100 * judged.margin:.3g} %"
            return f"{name} and {other} are equal within {margin}: {change(ratio)}"
        case "inconclusive":
            return f"{name} against {other} is undecided: {change(ratio)}"
        case verdict if 0.5 < ratio < 2:
            return f"{name} is {_places(100 * abs(ratio - 1))} % {verdict} than {other}"
    return f"{name} takes {ratio:.3g} times as long as {other}"


def _interval(judged: Judged) -> str:
    low, high = judged.ratio_interval
    if not math.isfinite(high):
        return "without an end"
    if judged.verdict in ("equivalent", "inconclusive"):
        return f"{change(low)} to {change(high)}"
    if not 0.5 < judged.ratio < 2:
        return f"{low:.3g} to {high:.3g} times"
    ends = sorted(100 * abs(end - 1) for end in (low, high))
    return f"{_places(ends[0])} % to {_places(ends[1])} %"
