"""A figure as SVG inside a page, in the page's own colours."""

import html
import io
import re
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Written wherever text or a line should take the page's own colour, light or dark.
INK = "#010203"
# And wherever a shape should hide what lies behind it.
PAPER = "#fdfeff"


def twice(wide: str, narrow: str) -> str:
    """Return both drawings of a figure; only the wide one is seen without the book's style."""
    return (
        f'<div class="on-wide">{wide}</div>'
        f'<div class="on-narrow" style="display: none">{narrow}</div>'
    )


def svg(figure: Figure, alt: str, salt: str, style: Mapping[str, Any]) -> str:
    """Return a figure as an SVG element, of which `alt` says in words what it shows.

    `salt` tells its ids from all others on a page.
    """
    buffer = io.StringIO()
    settings: Any = {**style, "svg.hashsalt": salt}
    with mpl.rc_context(settings):
        # `savefig` goes through a figure once before, and puts its resolution back, which nobody
        # asks for again; the drawings are the same.
        canvas: Any = FigureCanvasSVG(figure)  # the stub leaves this method's types open
        canvas.print_svg(buffer, metadata={"Date": None})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace(INK, "currentColor")
    drawn = drawn.replace(PAPER, "var(--pst-color-background, Canvas)")
    drawn = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", drawn, count=1)
    drawn = drawn.replace("<svg ", f'<svg role="img" aria-label="{html.escape(alt)}" ', 1)
    return _with_own_ids(drawn, salt)


def _with_own_ids(drawn: str, salt: str) -> str:
    """Prefix every id, so that two figures on a page do not refer to each other's parts.

    Matplotlib names an image after its pixels, so two panels of one look share a name, to which
    nothing refers.
    """
    drawn = re.sub(r'(<image [^>]*?)\bid="image\w+" ', r"\1", drawn)
    prefix = f"f{_hash_of(salt):x}-"
    drawn = re.sub(r'\bid="', f'id="{prefix}', drawn)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", drawn)


def _hash_of(text: str) -> int:
    """Return a small number that stays the same from run to run."""
    return int.from_bytes(text.encode(), "big") % 0xFFFFFFFB
