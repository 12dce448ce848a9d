"""Words of a figure in lines that fit: names, titles, labels and legends."""

import re
import textwrap
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path


def inches(artist: Artist, pixels: float) -> float:
    """Return a length of the screen in inches of the figure."""
    figure = artist.get_figure(root=True)
    assert figure is not None
    return pixels / float(figure.dpi)


@cache
def width_of(words: str, size: float) -> float:
    """Return how wide words in one line are, in inches, at a size in points."""
    font = FontProperties(size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(words, font, ismath=False)
    return float(width) / 72


def in_lines(words: str, most: int, room: float, size: float) -> str | None:
    """Return words in at most so many lines, as even as can be; `None` if they do not fit.

    Of two lines the second begins with a bracket or after a comma, if they fit so.
    """
    if not words:
        return ""

    def fits(lines: Sequence[str]) -> bool:
        return all(width_of(line, size) <= room for line in lines)

    ways: list[list[str]] = [[words]]
    if most > 1:
        ways += sorted(_at_marks(words), key=lambda lines: max(map(len, lines)))
    for many in range(2, most + 1):
        columns = range(max(1, len(words) // many), len(words) + 1)
        every = (_wrapped(words, across) for across in columns)
        ways += [next(lines for lines in every if len(lines) <= many)]
    found = next(filter(fits, ways), None)
    return None if found is None else "\n".join(found)


def _at_marks(words: str) -> list[list[str]]:
    """Return the two lines that words fall into at each bracket, or else at each comma."""
    for mark in (r" (?=\()", r"(?<=,) "):
        places = [found.span() for found in re.finditer(mark, words)]
        if places:
            return [[words[:start], words[end:]] for start, end in places]
    return []


def _wrapped(words: str, columns: int) -> list[str]:
    return textwrap.wrap(words, columns, break_long_words=False, break_on_hyphens=False) or [words]


def wrap_all(figure: Figure, width: float) -> None:
    """Wrap every title and every label of an axis that is longer than its place."""
    for axes in figure.axes:
        if not axes.title.get_rotation():
            _wrap(axes.title, _room(axes, width))
        _wrap(axes.xaxis.label, _room(axes, width))
        _wrap(axes.yaxis.label, inches(axes, axes.get_window_extent().height) * 1.15)
    for words in (figure._supxlabel, figure._suptitle):  # type: ignore[attr-defined]
        if words is not None:
            _wrap(words, 0.97 * figure.get_figwidth())


def _room(axes: Axes, width: float) -> float:
    """Return how wide words can be whose middle is that of a panel: up to the nearer edge."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_position()
    middle, all_of_it = (box.x0 + box.x1) / 2, figure.get_figwidth()
    return min(0.97 * width, float(2 * 0.98 * all_of_it * min(middle, 1 - middle)))


def _wrap(text: Text, room: float) -> None:
    size = float(text.get_fontsize())
    words = text.get_text()
    if all(width_of(line, size) <= room for line in words.split("\n")):
        return
    whole = words.replace("\n", " ")
    shown = next(filter(None, (in_lines(whole, most, room, size) for most in (2, 3, 4))), None)
    text.set_text(shown or "\n".join(_wrapped(whole, 12)))


def reflow_legends(figure: Figure) -> None:
    """Lay the legends of a figure out in as many columns as fit."""
    for legend in list(figure.legends):
        handles = [handle for handle in legend.legend_handles if handle is not None]
        labels = [text.get_text() for text in legend.get_texts()]
        upper = legend._outside_loc == "upper"  # type: ignore[attr-defined]
        size = legend.get_texts()[0].get_fontsize() if labels else 10
        figure.legends.remove(legend)  # of a copied figure, whose legend knows the other list
        place: Any = "outside upper center" if upper else "outside lower center"
        columns = _columns(labels, float(size), 0.95 * figure.get_figwidth())
        figure.legend(handles, labels, loc=place, ncols=columns, fontsize=size, columnspacing=1.2)


def _columns(labels: list[str], size: float, room: float) -> int:
    """Return in how many columns a legend fits; each entry has a handle before its words."""
    for columns in range(len(labels), 1, -1):
        # Matplotlib fills a legend column by column.
        parts = np.array_split(labels, columns)
        widest = [max(width_of(str(label), size) for label in part) for part in parts]
        if sum(widest) + columns * 4.2 * size / 72 <= room:
            return columns
    return 1
