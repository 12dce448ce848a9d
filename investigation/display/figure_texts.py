"""The words of a figure: what it shows to those who cannot see it, and its caption."""

import re
from typing import NamedTuple


class FigureTexts(NamedTuple):
    """A figure's alternative text and its caption."""

    alternative: str
    caption: str


def texts(*, finding: str, drawn: str, reading: str = "", details: str = "") -> FigureTexts:
    """Return both texts: what is drawn and the finding; the finding and how to read the figure.

    `details` are words that the figure itself shows, for those who cannot see it.

    Raises `ValueError` if the finding is missing, or what is drawn.
    """
    for name, words in (("finding", finding), ("drawn", drawn)):
        if not words.strip():
            raise ValueError(f"a figure needs words for `{name}`, not {words!r}")
    alternative = " ".join(filter(None, (f"{drawn}.", details, finding)))
    return FigureTexts(alternative, f"{finding} {reading}".rstrip())


def file_name(drawn: str) -> str:
    """Return what is drawn as a name for the file of its numbers, without an ending."""
    return re.sub(r"\W+", "-", drawn.lower()).strip("-")
