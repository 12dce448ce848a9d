"""Sphinx extension: look for garbage seldom while pages are made, and not when that is done.

A book's pages are very many objects that stay until the end. Python would go over them again and
again, in vain.
"""

import atexit
import gc
from typing import Any

from sphinx.application import Sphinx

# New objects after which Python looks for garbage; its own number is some hundred.
SELDOM = 100_000


def setup(app: Sphinx) -> dict[str, Any]:
    """Set it for this process, which makes the pages and ends."""
    del app
    gc.set_threshold(SELDOM)
    atexit.register(gc.freeze)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
