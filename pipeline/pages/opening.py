"""How a chapter's page opens: its title, what was found in this run, and one picture.

A notebook measures before it shows results. Its page shows results first: cells with the tag
`opening` come right after the title, words before pictures, below what the ledger decided in the
chapter.
"""

from typing import Any

import nbformat
from nbformat import NotebookNode

from investigation.evidence.harmless import harmless

TAG = "opening"
# More would push the picture out of the first screen.
MOST_CLAIMS = 3


def told_first(cells: list[NotebookNode], finding: str) -> list[NotebookNode]:
    """Return a page's cells with its title, what was found and the opening cells in front."""
    first, *rest = cells
    title, _, introduction = first.source.partition("\n\n")
    opening = [cell for cell in rest if TAG in cell.metadata.get("tags", [])]
    opening.sort(key=_shows_a_figure)
    others = [cell for cell in rest if cell not in opening]
    above = nbformat.v4.new_markdown_cell("\n\n".join(filter(None, (title, finding))), id="finding")
    below = nbformat.v4.new_markdown_cell(introduction, id="introduction")
    return [above, *map(_folded, opening), below, *others]


def _shows_a_figure(cell: NotebookNode) -> bool:
    shown = (output.get("data", {}).get("text/html", "") for output in cell.get("outputs", []))
    return any("<figure" in markup for markup in shown)


def _folded(cell: NotebookNode) -> NotebookNode:
    """Fold the code of an opening cell: the reader meets it later in the chapter."""
    cell.metadata["tags"] = sorted({*cell.metadata["tags"], "hide-input"})
    return cell


def found_in(chapter: str, claims: list[dict[str, Any]]) -> str:
    """Return the first few verdicts on sentences that this chapter decides; nothing if none."""
    own = [claim for claim in claims if chapter in claim["chapters"]]
    decided = [claim for claim in own if claim["chapters"][0] == chapter]
    lines = [
        f"- “{claim['quote']}” — **{claim['verdict']}**. {claim['because']}"
        for claim in decided[:MOST_CLAIMS]
    ]
    more = len(own) - len(lines)
    if lines and more:
        lines.append(f"- {more} more below, under *What was found*.")
    return harmless("\n".join(["**In short**", "", *lines])) if lines else ""
