"""Sphinx extension: the code behind a result stands below the result, folded.

A reader wants the result; MyST-NB folds the code above it. A chapter opens with what was found and
one picture, so the code of both stands below the picture.
"""

from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from pipeline.pages import opening


def setup(app: Sphinx) -> dict[str, Any]:
    """Move each fold once it has been made."""
    app.add_post_transform(FoldsBelow)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


# The class of a cell with this tag.
OPENING = f"tag_{opening.TAG}"


class FoldsBelow(SphinxPostTransform):
    """Put a cell's folded code after what the cell shows."""

    default_priority = 200  # right after MyST-NB has folded the code
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Move the folds of one page."""
        folded = [cell for cell in self.document.findall(nodes.container) if _is_folded(cell)]
        first = [cell for cell in folded if OPENING in cell["classes"]]
        for cell in folded:
            fold = cell.children[0]
            cell.remove(fold)
            (first[-1] if cell in first else cell).append(fold)


def _is_folded(cell: nodes.container) -> bool:
    """Return whether a cell shows something below its folded code."""
    return (
        cell.get("nb_element") == "cell_code"
        and len(cell.children) > 1
        and isinstance(cell.children[0], HideCodeCellNode)
    )
