"""Sphinx extension: look for garbage seldom while pages are made, and not when that is done.

A book's pages are very many objects that stay until the end. Python would go over them again and
again, in vain.
"""

from typing import Any

from sphinx.application import Sphinx

from investigation.interpreter import end_without_looking, look_for_garbage_seldom


def setup(app: Sphinx) -> dict[str, Any]:
    """Set it for this process, which makes the pages and ends."""
    del app
    look_for_garbage_seldom()
    end_without_looking()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
