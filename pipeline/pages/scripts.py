"""Sphinx extension: the book's own scripts, each on the pages that use it and on no other."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# What a page holds → the script that works on it.
USES = {'class="stride-explorer"': "strides.js", 'class="picker"': "picker.js"}


def setup(app: Sphinx) -> dict[str, Any]:
    """Publish the scripts, and load each on the pages that use it.

    Jupyter Book would load a script from `_static` on every page; hence a folder of their own.
    """
    app.connect("builder-inited", publish)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def publish(app: Sphinx) -> None:
    """Let Sphinx copy the scripts beside the style sheets."""
    app.config.html_static_path.append("_scripts")


def load(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Load each script that the page's text uses."""
    del page, template, tree
    for mark, script in USES.items():
        if mark in context.get("body", ""):
            app.add_js_file(script, loading_method="defer")
