"""Sphinx extension: the code behind a result stands below the result, folded.

A reader wants the result; MyST-NB folds the code above it.
"""

from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


def setup(app: Sphinx) -> dict[str, Any]:
    """Move each fold once it has been made."""
    app.add_post_transform(FoldsBelow)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class FoldsBelow(SphinxPostTransform):
    """Put a cell's folded code after what the cell shows."""

    default_priority = 200  # right after MyST-NB has folded the code
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Move the folds of one page."""
        for cell in self.document.findall(nodes.container):
            if cell.get("nb_element") == "cell_code" and len(cell.children) > 1:
                fold, *shown = cell.children
                if isinstance(fold, HideCodeCellNode):
                    cell.children = [*shown, fold]
