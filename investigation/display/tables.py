"""What a cell shows beside figures: sentences, listings and tables, as text, never markup."""

import html
import re
from collections.abc import Iterable, Mapping

import pandas as pd
from IPython.display import HTML, Markdown

from investigation.evidence.harmless import harmless

# A name that is longer than a narrow column. A parameter with its value is there to be copied.
LONG = re.compile(r"(?<!\S)(?!\S*=)[^\s<>]{15,}")
# A joint of a name, with a word on either side.
JOINT = re.compile(r"(?<=\w{3})([_.:/]+)(?=\w{3})")
# A comma in a list without spaces, such as a parameter's.
COMMA = re.compile(r"(?<=[^\s<>]{10},)(?=[^\s<>]{5})")


def say(text: str) -> Markdown:
    """Return a sentence that was built from the run's numbers, for display; never markup."""
    return Markdown(harmless(text))


def listing(text: str, language: str) -> Markdown:
    """Return a text as a code block, for display: all of it as it is, and none of it markup."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return Markdown(f"{fence}{language}\n{text}\n{fence}")


def table(rows: Iterable[Mapping[str, object]]) -> HTML:
    """Return rows as a table, for display; every cell is text, never markup.

    A whole number is a count and gets separators; what a reader looks up or copies comes as text.
    """
    frame = pd.DataFrame([{key: _cell(value) for key, value in row.items()} for row in rows])
    # A corner without a name heads nothing, and a screen reader would announce it all the same.
    markup = frame.to_html(index=False, border=0).replace("<th></th>", "<td></td>")
    # pandas has escaped the text, so what stands between two tags is text.
    markup = re.sub(r"(?<=>)[^<>]+(?=<)", lambda text: _breakable(text[0]), markup)
    return HTML(f'<div class="table-scroll">{markup}</div>')


def _breakable(text: str) -> str:
    """Return a cell's text with places where a long name may go on in the next line."""
    return COMMA.sub("<wbr>", LONG.sub(lambda name: JOINT.sub(r"\1<wbr>", name[0]), text))


def folded(summary: str, *tables: HTML) -> HTML:
    """Return tables that few will read, for display, under a line that unfolds them."""
    inside = "".join(str(shown.data) for shown in tables)
    return HTML(f"<details><summary>{html.escape(summary)}</summary>{inside}</details>")


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else value
