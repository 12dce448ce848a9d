"""Sphinx extension: references as a plain list.

docutils gives each reference the role `doc-biblioentry`, which ARIA has withdrawn.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def setup(app: Sphinx) -> dict[str, Any]:
    """Take the place of the writer's own markup for a reference."""
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def visit_citation(translator: HTML5Translator, node: nodes.citation) -> None:
    """Begin an item, and before the first one its list."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        translator.body.append('<ul class="citation-list">\n')
    translator.body.append(translator.starttag(node, "li", CLASS="citation"))
    # The text cites authors and years, which the reference begins and ends with.
    node.children = [child for child in node.children if not isinstance(child, nodes.label)]


def depart_citation(translator: HTML5Translator, node: nodes.citation) -> None:
    """End an item, and after the last one its list."""
    translator.body.append("</li>\n")
    following = node.next_node(descend=False, siblings=True)
    if not isinstance(following, nodes.citation):
        translator.body.append("</ul>\n")
