"""The stride explorer: torch's own strides of many small cases, for a page to add up by hand."""

import html
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from IPython.display import HTML
from torch import Tensor

from investigation.observe.memory import multiplied_gate
from investigation.subject.cases import Shape
from investigation.subject.memory_formats import MEMORY_FORMATS, MemoryFormat
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import SCALES

# Small enough to be drawn on a phone, cell by cell.
SIZES = (range(1, 3), range(1, 4), range(1, 4), range(1, 5))
START: Shape = (1, 3, 3, 4)

Laid = Mapping[str, list[int]]


def shapes() -> Iterator[Shape]:
    """Iterate over the shapes `(B, C, H, W)` of the input that a reader can choose."""
    yield from itertools.product(*SIZES)


def key(shape: Shape, memory_format: str, variant: str) -> str:
    """Return the name of a case in the page's data."""
    return f"{','.join(map(str, shape))}/{memory_format}/{variant}"


def layouts(shape: Shape, memory_format: MemoryFormat, variant: str) -> dict[str, Laid]:
    """Return shape and strides of the gate as the multiply receives it, and of the output."""
    x = torch.zeros(shape).contiguous(memory_format=FORMATS[memory_format])
    gate = torch.zeros(*shape[:2], 1, 1)
    scale = SCALES[variant]
    return {
        "gate": _laid(multiplied_gate(scale, x, gate)),
        "output": _laid(scale(x, gate)),
    }


def _laid(tensor: Tensor) -> Laid:
    return {"shape": list(tensor.shape), "stride": list(tensor.stride())}


def cases() -> dict[str, dict[str, Laid]]:
    """Return every case that a reader can choose, as torch lays it out."""
    chosen = itertools.product(shapes(), MEMORY_FORMATS, SCALES)
    return {key(*case): layouts(*case) for case in chosen}


def show() -> HTML:
    """Return the explorer for display: a table to read, which the book's page makes a tool of."""
    data: dict[str, Any] = {
        "sizes": [list(sizes) for sizes in SIZES],
        "start": list(START),
        "formats": list(MEMORY_FORMATS),
        "variants": list(SCALES),
        "cases": cases(),
    }
    embedded = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return HTML(
        f'<div class="stride-explorer">{_table()}'
        f'<script type="application/json">{embedded}</script></div>'
    )


def _table() -> str:
    """Return the strides of the first case as a table, for readers without scripts."""
    head = "<tr><th>form</th><th>gate, as the multiply reads it</th><th>output</th></tr>"
    rows = (_row(variant, layouts(START, "contiguous", variant)) for variant in SCALES)
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _row(variant: str, laid: Mapping[str, Laid]) -> str:
    cells = (f"shape {tensor['shape']}, strides {tensor['stride']}" for tensor in laid.values())
    return f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in (variant, *cells))}</tr>"
