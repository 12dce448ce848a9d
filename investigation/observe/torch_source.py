"""What torch's own headers say, read from those that it installs."""

from pathlib import Path

import torch

HEADERS = Path(torch.__file__).parent / "include"
CASTING = "ATen/native/TensorIteratorDynamicCasting.h"


def comment(header: str, word: str, folder: Path = HEADERS) -> str:
    """Return the block of `//` comments in a header that holds a word, without the slashes.

    Raises `LookupError` where the header is not installed or has no such comment.
    """
    path = folder / header
    if not path.exists():
        raise LookupError(f"{header} is not installed with this torch")
    for block in _blocks(path.read_text(encoding="utf-8")):
        if word in block:
            return block
    raise LookupError(f"{header} has no comment on {word!r}")


def _blocks(text: str) -> list[str]:
    """Return each run of comment lines as one line of text."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("//"):
            blocks[-1].append(line.removeprefix("//").strip())
        elif blocks[-1]:
            blocks.append([])
    return [" ".join(block) for block in blocks if block]
