"""Which modules of the package a notebook really imports, itself or through others.

The sources are read, nothing is executed. An import inside a function counts, and so does one by
a name that is completed at run time: `import_module(f"investigation.runtimes.adapters.{name}")`
is taken for an import of all that is there.
"""

import ast
import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import grimp
from grimp.exceptions import SourceSyntaxError

NOTEBOOK = "notebook"  # what the graph calls it
BY_NAME = "import_module"  # parsing a module takes ten times as long as looking for this
# Python before 3.11.8, and 3.12 before 3.12.2, counts how deep a tree is for all threads together:
# of two that parse at once, one may end in a SystemError
# (https://github.com/python/cpython/issues/106905).
ONE_PARSES = threading.Lock()


class UnreadableCodeError(ValueError):
    """A cell or a module that is not Python; the message names it and the reason."""


def files(notebook: Path, package: Path) -> list[Path]:
    """Return the sources of the modules that a notebook imports, in a fixed order.

    With a module come the packages that it lies in: their `__init__` runs before it. Raises
    `UnreadableCodeError`.
    """
    modules = graph(notebook, package).find_upstream_modules(NOTEBOOK)
    return sorted(_source(module, package) for module in modules)


def sources(module: str, package: Path) -> list[Path]:
    """Return the sources of a module and of those that it imports, in a fixed order.

    Raises `UnreadableCodeError`.
    """
    modules = {module} | _imports_of(package).find_upstream_modules(module)
    return sorted(_source(name, package) for name in modules)


def named(notebook: Path, package: Path) -> set[str]:
    """Return what a notebook and the modules that it imports name in their imports.

    Modules of any package, and what is taken from them. Raises `UnreadableCodeError`.
    """
    sources = [(path.read_text(encoding="utf-8"), str(path)) for path in files(notebook, package)]
    return {name for code in (*_code_cells(notebook), *sources) for name in _names(*code)}


def chain(notebook: Path, package: Path, part: str) -> tuple[str, ...]:
    """Return the modules through which a notebook imports one of the sub-package `part`, the last.

    Empty if it imports none. Raises `UnreadableCodeError`.
    """
    imports = graph(notebook, package)
    ways = (
        imports.find_shortest_chain(NOTEBOOK, module)
        for module in sorted({part, *imports.find_descendants(part)} & imports.modules)
    )
    # Of equally short ways the one to the innermost module, which is what the code names.
    chains = sorted(filter(None, ways), key=lambda way: (len(way), -way[-1].count("."), way))
    return chains[0][1:] if chains else ()


def graph(notebook: Path, package: Path) -> grimp.ImportGraph:
    """Return the imports of a notebook and of a package, which Python has to find by its name.

    Every folder in the package needs its `__init__`. Raises `UnreadableCodeError`.
    """
    imports = _imports_of(package)
    named = [name for code in _code_cells(notebook) for name in _names(*code)]
    modules = _among(imports.modules, named)
    imports.add_module(NOTEBOOK)
    for module in modules:
        imports.add_import(importer=NOTEBOOK, imported=module)
    return imports


def _imports_of(package: Path) -> grimp.ImportGraph:
    """Return the imports of a package's modules, of the packages that they lie in, and by name."""
    try:
        imports = grimp.build_graph(package.name, cache_dir=None)  # 15 ms for 120 modules
    except SourceSyntaxError as error:
        raise UnreadableCodeError(f"{error.filename}, line {error.lineno}: not Python") from None
    modules = imports.modules
    for importer in modules:
        text = _source(importer, package).read_text(encoding="utf-8")
        names = _names(text, importer) if BY_NAME in text else ()
        for module in _among(modules, [importer.rpartition(".")[0], *names]):
            imports.add_import(importer=importer, imported=module)
    return imports


def _source(module: str, package: Path) -> Path:
    path = package.parent.joinpath(*module.split("."))
    first = path / "__init__.py"
    return first if first.exists() else path.with_suffix(".py")


def _among(modules: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the modules that are named: what is taken from a module may be a function."""
    beginnings = tuple(name.removesuffix("*") for name in names if name.endswith("*"))
    return [module for module in modules if module in names or module.startswith(beginnings)]


def _code_cells(notebook: Path) -> Iterator[tuple[str, str]]:
    """Iterate over a notebook's code cells: each one's text, and which it is."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] == "code":
            yield "".join(cell["source"]), f"{notebook.stem}, cell {number}"


def _names(code: str, where: str) -> Iterator[str]:
    """Iterate over the modules that some code imports, and over what it takes from them.

    A name that ends in `*` is the beginning of one that is completed at run time.
    """
    try:
        with ONE_PARSES:
            tree = ast.parse(code)
    except SyntaxError as error:
        raise UnreadableCodeError(f"{where}, line {error.lineno}: {error.msg}") from None
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names):
                yield from (str(module), *(f"{module}.{alias.name}" for alias in names))
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[name, *_],
            ):
                yield from _given(name)


def _given(name: ast.expr) -> Iterator[str]:
    match name:
        case ast.Constant(value=str(whole)):
            yield whole
        case ast.JoinedStr(values=[ast.Constant(value=str(beginning)), *_]):
            yield f"{beginning}*"
