"""How often the intervals of every level exclude the truth, as a table."""

from collections.abc import Iterator, Sequence

from investigation.evidence.words import share
from investigation.timing.calibration import Calibrated


def rows(levels: Sequence[Calibrated]) -> Iterator[dict[str, object]]:
    """Return one row for each level and world, a column for each confidence."""
    for key in dict.fromkeys((calibrated.level, calibrated.world) for calibrated in levels):
        group = [calibrated for calibrated in levels if (calibrated.level, calibrated.world) == key]
        yield {
            "interval over": key[0],
            "world": key[1],
            **{
                f"excluded at {100 * calibrated.confidence:g} %": _share(calibrated)
                for calibrated in group
            },
            "of": group[0].trials,
        }


def _share(calibrated: Calibrated) -> str:
    if not calibrated.tried:
        return "no ends"
    by_t = (
        ""
        if calibrated.students_t is None
        else f" (t: {share(calibrated.students_t / calibrated.trials)})"
    )
    return f"{share(calibrated.excluded / calibrated.trials)}{by_t}"
