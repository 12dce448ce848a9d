"""How a chapter continues if the machine lacks what it needs: with one line, and to its end."""

import re
from collections.abc import Callable
from functools import partial

from IPython.core.getipython import get_ipython
from IPython.display import Markdown

# The cell that every chapter ends with, which runs in any case.
CLOSING = re.compile(r"\bchapter\.close\(\)")


class MissingToolError(RuntimeError):
    """A tool that this machine lacks; the message names it and how to get it, in one line."""


def needs(require: Callable[[], object]) -> Markdown:
    """Return which tool was found, or leave out every later cell of the notebook but the closing.

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


def needs_for(name: str, require: Callable[[], object]) -> Markdown:
    """Do as `needs` for a part of a chapter: left out are the later cells that use `name`."""
    try:
        return Markdown(f"Found here: `{require()}`.")
    except MissingToolError as missing:
        _transform(partial(without, name))
        return Markdown(
            f"**Not run on this machine: {missing}.** The text of this part stands without its "
            "results; the other parts of the chapter go on."
        )


def _leave_out_the_rest() -> None:
    _transform(closing_only)


def _transform(transformer: Callable[[list[str]], list[str]]) -> None:
    shell = get_ipython()
    if shell is not None:
        shell.input_transformers_cleanup.append(transformer)


def closing_only(lines: list[str]) -> list[str]:
    """Return a cell's lines if it closes the chapter, else none."""
    return lines if CLOSING.search("".join(lines)) else []


def without(name: str, lines: list[str]) -> list[str]:
    """Return a cell's lines if they do not use `name`, else none."""
    return [] if re.search(rf"\b{name}\b", "".join(lines)) else lines
