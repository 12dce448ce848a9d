"""What surrounds an expansion in a program's text, by Python's own parser."""

import ast
import io
import warnings
from collections.abc import Mapping
from typing import get_args

from investigation.evidence.kinds.wild import Written

Span = tuple[int, int]  # where a node starts and ends, in UTF-8 bytes
SIGNS: Mapping[type[ast.operator], str] = {
    ast.Mult: "multiply",
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Div: "divide",
    ast.Pow: "power",
}
FUNCTIONS = {
    "mul": "multiply",
    "multiply": "multiply",
    "add": "add",
    "sub": "subtract",
    "subtract": "subtract",
    "div": "divide",
    "divide": "divide",
    "true_divide": "divide",
    "pow": "power",
    "max": "maximum",
    "maximum": "maximum",
    "min": "minimum",
    "minimum": "minimum",
    "where": "where",
}
EXPANSIONS = ("expand", "expand_as")
AS, SHAPE, SIZES = get_args(Written)


class Expansion:
    """A call of `expand` or `expand_as`, and the nodes around it, the nearest first."""

    def __init__(self, call: ast.Call, around: tuple[ast.AST, ...]) -> None:
        self._call = call
        self._around = around

    @property
    def written(self) -> Written:
        """How the size is given."""
        if isinstance(self._call.func, ast.Attribute) and self._call.func.attr == "expand_as":
            return AS  # type: ignore[no-any-return]
        alone = self._call.args[0] if len(self._call.args) == 1 else None
        inner = alone.value if isinstance(alone, ast.Starred) else alone
        if isinstance(inner, ast.Call):
            inner = inner.func
        of_a_tensor = isinstance(inner, ast.Attribute) and inner.attr in ("shape", "size")
        return SHAPE if of_a_tensor else SIZES  # type: ignore[no-any-return]

    @property
    def operation(self) -> str:
        """The operation that the expansion is an operand of, or "other"."""
        for node in self._around:
            if isinstance(node, ast.BinOp):
                return SIGNS.get(type(node.op), "other")
            if isinstance(node, ast.AugAssign):
                return f"{SIGNS.get(type(node.op), 'other')} in place"
            if isinstance(node, ast.Call):
                return _function(node)
            if isinstance(node, ast.Return | ast.Assign):
                return "kept under a name" if isinstance(node, ast.Assign) else "other"
        return "other"

    @property
    def exact(self) -> bool:
        """Whether it stands in `return x * y.expand_as(x)`, whatever the names."""
        match self._around:
            case (ast.BinOp(left=ast.Name(id=x), op=ast.Mult()), ast.Return(), *_):
                return ast.unparse(self._call).endswith(f".expand_as({x})")
        return False


def _function(call: ast.Call) -> str:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    operation = FUNCTIONS.get(name.removesuffix("_"), "other")
    return f"{operation} in place" if name.endswith("_") and operation != "other" else operation


def expansions(text: str) -> dict[Span, Expansion]:
    """Return every expansion in a text that parses, by where it starts and ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a doubtful escape in somebody's code
        tree = ast.parse(text)
    starts = _line_starts(text)
    by_place: dict[Span, Expansion] = {}
    waiting: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while waiting:
        node, around = waiting.pop()
        if isinstance(node, ast.Call) and _expands(node):
            by_place[_span(node, starts)] = Expansion(node, around)
        nearest = (node, *around[:2])
        waiting.extend((child, nearest) for child in ast.iter_child_nodes(node))
    return by_place


def _expands(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in EXPANSIONS


def _line_starts(text: str) -> list[int]:
    """Return the offset at which each line starts, lines ending as they do for Python."""
    starts = [0]
    for line in io.StringIO(text, newline="").readlines():
        starts.append(starts[-1] + len(line.encode()))
    return starts


def _span(node: ast.expr, starts: list[int]) -> Span:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    begin = starts[node.lineno - 1] + node.col_offset
    return begin, starts[node.end_lineno - 1] + node.end_col_offset
