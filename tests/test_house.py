"""How large a module and a function may be, and where modules lie."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("investigation", "pipeline")
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40
MOST_AT_THE_TOP = 3


def modules(project: Path) -> list[Path]:
    return sorted(path for package in PACKAGES for path in (project / package).rglob("*.py"))


def too_long(path: Path) -> Iterator[str]:
    """Name a module that is too long, and each of its functions that is."""
    text = path.read_text(encoding="utf-8")
    if len(text.splitlines()) > LONGEST_MODULE:
        yield str(path)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION:
                yield f"{path}: {node.name}"


def test_no_module_and_no_function_is_too_long():
    assert [complaint for path in modules(PROJECT) for complaint in too_long(path)] == []


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("x = 1\n" * 300, []),
        ("x = 1\n" * 301, ["long.py"]),
        ("def f():\n" + "    x = 1\n" * 39, []),
        ("def f():\n" + "    x = 1\n" * 40, ["long.py: f"]),
        ("class A:\n    async def g(self):\n" + "        x = 1\n" * 40, ["long.py: g"]),
    ],
)
def test_what_is_too_long_is_named(tmp_path, monkeypatch, text, complaints):
    monkeypatch.chdir(tmp_path)
    Path("long.py").write_text(text)
    assert list(too_long(Path("long.py"))) == complaints


def test_the_investigation_is_laid_out_in_packages():
    top = PROJECT / "investigation"
    assert len(list(top.glob("*.py"))) <= MOST_AT_THE_TOP
    assert all((path / "__init__.py").exists() for path in top.iterdir() if list(path.glob("*.py")))
