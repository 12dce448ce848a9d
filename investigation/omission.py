"""How a chapter goes on where the machine lacks what it needs: in one line, and to its end."""

import re
from collections.abc import Callable

from IPython.core.getipython import get_ipython
from IPython.display import Markdown

# The cells that every chapter ends with, which run all the same: nothing was found, and where.
CLOSING = re.compile(r"\bchapter\.(found|close)\(\)")


class MissingToolError(RuntimeError):
    """A tool that this machine lacks; the message says which, and how to get it, in one line."""


def needs(require: Callable[[], object]) -> Markdown:
    """Say which tool was found, or leave out every later cell of the notebook but the closing.

    `require` returns the tool's name, or raises `MissingToolError`.
    """
    try:
        return Markdown(f"Found here: `{require()}`.")
    except MissingToolError as missing:
        _leave_out_the_rest()
        return Markdown(
            f"**Not run on this machine: {missing}.** The text below stands without its results, "
            "and the claims that this chapter decides are untested."
        )


def _leave_out_the_rest() -> None:
    shell = get_ipython()
    if shell is not None:
        shell.input_transformers_cleanup.append(closing_only)


def closing_only(lines: list[str]) -> list[str]:
    """Return a cell's lines if it closes the chapter, else none."""
    return lines if CLOSING.search("".join(lines)) else []
