"""How notebooks are stored, so that a diff shows what a person changed, and nothing else.

Without outputs and execution counts, without the metadata that an editor leaves, each cell as a
list of lines, keys sorted. `make tidy` stores them so; `make lint` calls this with the word
`check`, which changes nothing and prints a line for each fault.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode, ValidationError

from investigation.evidence import imports
from investigation.evidence.files import write_atomically
from pipeline import places

CHECK = "check"
# Every notebook runs in this kernel; an editor adds the version that it has.
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
OF_A_NOTEBOOK = ("investigation",)
OF_A_CELL = ("tags",)
# What a cell may have too much of, in words.
LEFT = {
    "outputs": "outputs",
    "execution_count": "an execution count",
    "metadata": "metadata other than tags",
}
STRIPS = "make tidy strips it"


class NotANotebookError(ValueError):
    """A file that is no notebook; the message gives the reason."""


def parsed(text: str) -> NotebookNode:
    """Return a notebook that was read. Raises `NotANotebookError` with the reason."""
    try:
        nbformat.validate(json.loads(text), version=4)
    except (ValueError, ValidationError, AttributeError) as error:  # the last for a list
        reason = str(error).splitlines()[0]
        raise NotANotebookError(f"not a notebook of format 4: {reason}") from None
    document: NotebookNode = nbformat.reads(text, as_version=4)
    return document


def tidied(document: NotebookNode) -> NotebookNode:
    """Return a notebook with nothing in it but what a person writes."""
    tidy = deepcopy(document)
    tidy.metadata = nbformat.from_dict(KERNEL | _only(OF_A_NOTEBOOK, tidy.metadata))
    for cell in tidy.cells:
        cell.metadata = _only(OF_A_CELL, cell.metadata)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return tidy


def _only(keys: tuple[str, ...], metadata: NotebookNode) -> NotebookNode:
    return NotebookNode({key: metadata[key] for key in keys if key in metadata})


def stored(document: NotebookNode) -> str:
    """Return the text of a tidy notebook's file."""
    return f"{nbformat.writes(document)}\n"


def faults(path: Path) -> Iterator[str]:
    """Iterate over what is wrong with a notebook's file."""
    text = path.read_text(encoding="utf-8")
    try:
        document = parsed(text)
        yield from _untidy(document, text)
        yield from _judging(path)
    except (NotANotebookError, imports.UnreadableCodeError) as error:
        yield str(error)


def _untidy(document: NotebookNode, text: str) -> Iterator[str]:
    tidy = tidied(document)
    for number, (cell, tidied_cell) in enumerate(
        zip(document.cells, tidy.cells, strict=True), start=1
    ):
        for key in (key for key in cell if cell[key] != tidied_cell[key]):
            yield f"cell {number} has {LEFT[key]}; {STRIPS}"
    if document.metadata != tidy.metadata:
        allowed = ", ".join((*KERNEL, *OF_A_NOTEBOOK))
        yield f"its metadata is not only {allowed}, as in every notebook; {STRIPS}"
    if document == tidy and text != stored(tidy):
        yield "not stored as lines, keys sorted, indented by 1; make tidy stores it so"


def _judging(path: Path) -> Iterator[str]:
    """Yield the one fault of a notebook that imports what judges the claims."""
    chain = imports.chain(path, places.PACKAGE, f"{places.PACKAGE.name}.claims")
    if chain:
        way = "".join(f", which imports {module}" for module in chain[1:])
        yield f"imports {chain[0]}{way}; claims are judged when the pages are made"


def store(path: Path) -> None:
    """Store a notebook tidily; what is not a notebook stays as it is."""
    text = path.read_text(encoding="utf-8")
    with suppress(NotANotebookError):
        tidy = stored(tidied(parsed(text)))
        if tidy != text:
            write_atomically(path, tidy)


def main(words: list[str]) -> int:
    """Store every notebook tidily, unless told to check; return 1 if anything is wrong then."""
    if words not in ([], [CHECK]):
        print(f"error: {' '.join(words)}: allowed is {CHECK}, or nothing", file=sys.stderr)
        return 1
    complaints = []
    for path in sorted(places.NOTEBOOKS.glob("*.ipynb")):
        if not words:
            store(path)
        complaints += [f"{os.path.relpath(path)}: {fault}" for fault in faults(path)]
    print("\n".join(complaints), end="\n" if complaints else "")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
