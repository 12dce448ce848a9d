"""How often the intervals of every level exclude the truth, as a table."""

from collections.abc import Iterator, Sequence

from investigation.timing.calibration import Calibrated


def rows(levels: Sequence[Calibrated]) -> Iterator[dict[str, object]]:
    """Return one row for each level and world, a column for each confidence."""
    for key in dict.fromkeys((one.level, one.world) for one in levels):
        found = [one for one in levels if (one.level, one.world) == key]
        yield {
            "interval over": key[0],
            "world": key[1],
            **{f"excluded at {100 * one.confidence:g} %": _share(one) for one in found},
            "of": found[0].trials,
        }


def _share(one: Calibrated) -> str:
    by_t = "" if one.students_t is None else f" (t: {one.students_t / one.trials:.2%})"
    return f"{one.excluded / one.trials:.2%}{by_t}"
