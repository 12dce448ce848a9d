"""Where a number becomes words: the only place, so that one number reads the same everywhere."""

from collections.abc import Sequence

from investigation.evidence.observation import Interval


def percent(ratio: float, interval: Interval) -> str:
    """Return a ratio and its interval as a change in percent, or as a factor where it is large."""
    low, high = interval
    if ratio >= 2:
        return f"{ratio:.3g} times ({low:.3g} to {high:.3g})"
    shown = (100 * (one - 1) for one in (ratio, low, high))
    return "{:+.2f} % ({:+.2f} to {:+.2f})".format(*shown)


def listed(words: Sequence[str]) -> str:
    """Return words as an enumeration: `a, b and c`."""
    marked = list(words)
    return ", ".join(marked[:-1]) + (" and " if marked[1:] else "") + "".join(marked[-1:])


def kib(count: float) -> str:
    """Return a number of bytes in a unit that suits its size."""
    return f"{count:.0f} B" if count < 2**14 else f"{count / 2**10:,.0f} KiB"


def capital(words: str) -> str:
    """Return words with a capital letter in front."""
    return words[:1].upper() + words[1:]
