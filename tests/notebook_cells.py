"""The cells of notebooks that state an outcome: found by their syntax, and run in a world."""

import ast
import io
import json
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from functools import cache
from itertools import takewhile
from typing import Any, NamedTuple

from bs4 import BeautifulSoup
from IPython.display import HTML

from investigation.display.figure_texts import texts
from pipeline import places

TELLING = {"say", "show"}  # a sentence, and a figure with its finding
FOR_DISPLAY = TELLING | {"folded", "listing", "table"}
WORDS_OF_A_FIGURE = ("finding", "drawn", "reading")


class Cell(NamedTuple):
    """A code cell, by its notebook and its id."""

    notebook: str
    id: str


Code = Mapping[str, ast.Module]


@cache
def code_cells(notebook: str) -> Code:
    """Return the code cells of a notebook, by id, in order."""
    text = (places.NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8")
    return {
        cell["id"]: ast.parse("".join(cell["source"]))
        for cell in json.loads(text)["cells"]
        if cell["cell_type"] == "code"
    }


@cache
def told_cells() -> frozenset[Cell]:
    """Return every cell whose sentence depends on a condition, or whose finding is computed."""
    notebooks = sorted(path.stem for path in places.NOTEBOOKS.glob("*.ipynb"))
    return frozenset(
        Cell(notebook, name)
        for notebook in notebooks
        for name, cell in code_cells(notebook).items()
        if states_an_outcome(cell, *from_earlier(notebook, name))
    )


def never_shown(cell: ast.Module) -> list[str]:
    """Return what a cell makes for display and does not show.

    A notebook shows the value of a cell's last line, and what `display` is given.
    """
    return [
        ast.unparse(node.value)
        for node in ast.walk(cell)
        if isinstance(node, ast.Expr) and node is not cell.body[-1] and _for_display(node.value)
    ]


def _for_display(value: ast.expr) -> bool:
    if isinstance(value, ast.IfExp):
        return _for_display(value.body) or _for_display(value.orelse)
    if isinstance(value, ast.BoolOp):
        return any(map(_for_display, value.values))
    return isinstance(value, ast.Call) and _called(value) in FOR_DISPLAY


def states_an_outcome(
    cell: ast.Module, chosen: Set[str] = frozenset(), tellers: Set[str] = frozenset()
) -> bool:
    """Whether a cell shows a text that has a condition in it, or a finding that is computed.

    Earlier cells gave the names `chosen` to such texts, and defined functions, `tellers`, that
    show one.
    """
    nodes = list(ast.walk(cell))
    calls = [node for node in nodes if isinstance(node, ast.Call) and _called(node) in TELLING]
    loaded = {node.id for node in nodes if isinstance(node, ast.Name)}
    depends = any(map(is_condition, nodes)) or bool(loaded & chosen)
    shows = bool(calls) and (depends or any(map(_computes_a_finding, calls)))
    return shows or bool(loaded & tellers)


def _computes_a_finding(call: ast.Call) -> bool:
    parts = [keyword.value for keyword in call.keywords if keyword.arg in WORDS_OF_A_FIGURE]
    return any(isinstance(node, ast.Name) for part in parts for node in ast.walk(part))


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def is_condition(node: ast.AST) -> bool:
    """Whether what comes out depends on an outcome: a branch, a choice or a selection."""
    match node:
        case ast.IfExp() | ast.If() | ast.Match() | ast.BoolOp():
            return True
        case ast.comprehension(ifs=[_, *_]):
            return True
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _is_text(left) or _is_text(right)
        case ast.FormattedValue(value=ast.Subscript(slice=index)):
            # Words that are picked from a mapping; a place in a list is none.
            return not isinstance(index, ast.Constant | ast.UnaryOp)
    return False


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr | ast.List) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def from_earlier(notebook: str, before: str) -> tuple[set[str], set[str]]:
    """Return the names from cells before this one: of chosen texts, and of functions that tell."""
    earlier = takewhile(lambda item: item[0] != before, code_cells(notebook).items())
    statements = [statement for _, cell in earlier for statement in cell.body]
    chosen = {
        name
        for statement in statements
        if any(map(_chooses_a_text, ast.walk(statement)))
        for name in _named_by(statement)
    }
    tellers = {
        statement.name
        for statement in statements
        if isinstance(statement, ast.FunctionDef) and states_an_outcome(ast.Module([statement], []))
    }
    return chosen, tellers


def _named_by(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _chooses_a_text(node: ast.AST) -> bool:
    match node:
        case ast.IfExp(body=one, orelse=other):
            return _is_text(one) or _is_text(other)
        case ast.BoolOp(values=values):
            return any(map(_is_text, values))
    return False


class Page:
    """What a chapter's cells need of `chapter`: it keeps nothing, and no control stops it."""

    def __init__(self) -> None:
        self.passed: dict[str, bool] = {}

    def keep(self, record: Any) -> Any:
        return record

    def timing(self, comparison: Any, *_: object, **__: object) -> Any:
        return comparison

    def control(self, name: str, *_: object, passed: bool, **__: object) -> None:
        self.passed[name] = passed


class Anything:
    """A stand-in for what draws or measures: each attribute, and each call, is another one."""

    def __getattr__(self, name: str) -> "Anything":
        return Anything()

    def __getitem__(self, key: object) -> "Anything":
        return Anything()

    def __call__(self, *_: object, **__: object) -> "Anything":
        return Anything()


class Captions(Anything):
    """A stand-in for `figures`: a figure is its alternative text and its caption."""

    def show(self, _figure: object, *, narrow: object = None, **words: str) -> str:
        del narrow  # a drawing, without words of its own
        return "\n\n".join(texts(**words))

    @contextmanager
    def canvas(self, columns: int = 1, **_: object) -> Iterator[tuple[Anything, Any]]:
        yield Anything(), [Anything()] * columns if columns > 1 else Anything()


def told(cell: Cell, planted: Mapping[str, Any]) -> str:
    """Run a cell as it stands and return what it shows, as text.

    It finds the imports and the functions of the cells before it, and what is planted.
    """
    shown = io.StringIO()

    def display(*outputs: object) -> None:
        for output in outputs:
            print(text_of(output), file=shown)

    names: dict[str, Any] = {}
    exec(_preamble(cell), names)
    names |= {"chapter": Page(), "display": display, **planted}
    body = code_cells(cell.notebook)[cell.id].body
    last = body[-1].value if isinstance(body[-1], ast.Expr) else ast.Constant(None)
    statements = body[:-1] if isinstance(body[-1], ast.Expr) else body
    exec(compile(ast.Module(statements, []), str(cell), "exec"), names)
    expression = ast.fix_missing_locations(ast.Expression(last))
    display(eval(compile(expression, str(cell), "eval"), names))
    return shown.getvalue().strip()


def text_of(output: object) -> str:
    """Return what an output of a cell shows: Markdown as it stands, HTML without its tags."""
    text = "" if output is None else str(getattr(output, "data", output))
    if isinstance(output, HTML):
        return BeautifulSoup(text, "html.parser").get_text(" ", strip=True)
    return text


@cache
def _preamble(cell: Cell) -> Any:
    """Compile the imports and the functions of the cells before one; nothing else of them."""
    cells = code_cells(cell.notebook)
    earlier = [*takewhile(lambda name: name != cell.id, cells), cell.id]
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    wanted = [one for name in earlier for one in cells[name].body if isinstance(one, kinds)]
    return compile(ast.Module(wanted, []), str(cell), "exec")
