"""What a notebook imports: read from its code and the package's, as a build needs it."""

import ast
import gc
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from investigation.evidence import imports
from pipeline import places

NOTEBOOKS = sorted(places.NOTEBOOKS.glob("*.ipynb"))
PLANTED = {
    "subject/__init__.py": "",
    "subject/cases.py": "",
    "subject/sizes.py": "",
    "display/__init__.py": "",
    "display/figures.py": "",
}


@pytest.fixture
def package(workshop):
    """A package of two rooms, in which nothing imports anything."""
    del workshop
    for name, code in PLANTED.items():
        plant(name, code)
    return places.PACKAGE


def plant(name, code):
    path = places.PACKAGE / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(code)


def notebook(*code):
    prose = {"cell_type": "markdown", "source": ["import planted.display.figures"]}
    cells = [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in code]
    path = places.NOTEBOOKS / "01_tiny.ipynb"
    path.write_text(json.dumps({"cells": [prose, *cells]}))
    return path


def imported(*code):
    """What a notebook imports, less the `__init__` that come with it."""
    paths = imports.files(notebook(*code), places.PACKAGE)
    names = [path.relative_to(places.PACKAGE).as_posix() for path in paths]
    return [name for name in names if not name.endswith("__init__.py")]


@pytest.fixture
def another_thread_goes_on():
    """Python looks for garbage often, also while it parses, and lets another thread go on then."""
    before = gc.get_threshold()

    def rest(_phase, _info):
        time.sleep(1e-5)

    gc.set_threshold(20)
    gc.callbacks.append(rest)
    yield
    gc.callbacks.remove(rest)
    gc.set_threshold(*before)


@pytest.mark.usefixtures("package", "another_thread_goes_on")
def test_several_threads_may_ask_what_is_imported():
    path = notebook("from planted.subject import cases\n" + "value = [1, (2, [3, {4: 5}])]\n" * 50)
    with ThreadPoolExecutor(4) as pool:
        named = list(pool.map(lambda _: imports.named(path, places.PACKAGE), range(40)))
    assert set(map(frozenset, named)) == {frozenset({"planted.subject", "planted.subject.cases"})}


@pytest.mark.usefixtures("package")
def test_only_one_thread_at_a_time_parses(monkeypatch):
    held, parse = [], ast.parse

    def noting(*words, **options):
        held.append(imports.ONE_PARSES.locked())
        return parse(*words, **options)

    monkeypatch.setattr(ast, "parse", noting)
    imports.named(notebook("from planted.subject import cases"), places.PACKAGE)
    assert set(held) == {True}


BOTH = ["subject/cases.py", "subject/sizes.py"]


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from planted.subject import cases", BOTH[:1]),
        ("from planted.subject import cases as one, sizes", BOTH),
        ("from planted.subject.cases import Case", BOTH[:1]),
        ("import planted.subject.cases as cases", BOTH[:1]),
        ("from planted.subject import (\n    cases,\n    sizes,\n)", BOTH),
        ("def later():\n    from planted.subject import cases", BOTH[:1]),
        ("importlib.import_module('planted.subject.cases')", BOTH[:1]),
        ("import_module('planted.subject.cases')", BOTH[:1]),
        ("importlib.import_module(f'planted.subject.{name}')", BOTH),
        ("importlib.import_module(f'planted.subject.s{name}')", BOTH[1:]),
        ("import json\nfrom planted_too.subject import cases", []),
        ("# from planted.subject import cases", []),
        ("'from planted.subject import cases'", []),
    ],
)
def test_what_a_cell_imports(code, expected):
    assert imported("seed = 1", code) == expected


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    "code",
    [
        "from planted.subject import cases",
        "from ..subject import cases",
        "def later():\n    from planted.subject.cases import Case",
        "import importlib\nimportlib.import_module(f'planted.subject.c{name}')",
        "from planted import other",
    ],
)
def test_what_a_module_imports_its_importers_import_too(code):
    plant("other.py", "import planted.subject.cases")
    plant("display/figures.py", code)
    assert set(imported("from planted.display import figures")) - {"other.py"} == {
        "display/figures.py",
        "subject/cases.py",
    }


def test_the_packages_on_the_way_run_first_and_count_with_what_they_import(package):
    plant("display/__init__.py", "from planted.subject import sizes")
    paths = imports.files(notebook("from planted.display import figures"), package)
    assert [path.relative_to(package).as_posix() for path in paths] == [
        "__init__.py",
        "display/__init__.py",
        "display/figures.py",
        "subject/__init__.py",
        "subject/sizes.py",
    ]


def test_a_chain_names_the_modules_on_the_way(package):
    plant("display/figures.py", "from planted.subject import cases")
    path = notebook("from planted.display import figures")
    chain = imports.chain(path, package, "planted.subject")
    assert chain == ("planted.display.figures", "planted.subject.cases")
    assert imports.chain(notebook("import json"), package, "planted.subject") == ()


def test_code_that_is_not_python_is_named(package):
    with pytest.raises(imports.UnreadableCodeError, match=r"^01_tiny, cell 3, line 2: invalid"):
        imports.files(notebook("seed = 1", "a = 1\n!ls"), package)
    plant("subject/cases.py", "a = 1\nb = = 2\n")
    with pytest.raises(imports.UnreadableCodeError, match=r"subject/cases\.py, line 2: not Python"):
        imports.files(notebook("seed = 1"), package)


# Of this project.

# They import, in a fresh process, the function that their caller handed over by its name.
# The last two import what a released package or another torch offers, no module of this project.
HANDED_OVER = {
    "timing/in_place_processes.py",
    "timing/processes.py",
    "timing/replicate.py",
    "runtimes/released.py",
    "subject/torch_features.py",
}
BY_ANY_NAME = {"resolve_name", "__import__"}


def texts(paths):
    return {path.relative_to(places.PACKAGE).as_posix(): path.read_text() for path in paths}


def files_of(path):
    return texts(imports.files(path, places.PACKAGE))


def test_every_folder_of_the_package_has_its_init():
    """Modules in one without it would not be counted."""
    folders = {path.parent for path in places.PACKAGE.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def imports_by_a_variable(text):
    for node in ast.walk(ast.parse(text)):
        called = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
        if called in BY_ANY_NAME:
            yield ast.unparse(node)
        if called == "import_module" and not list(imports._given(node.args[0])):
            yield ast.unparse(node)


def test_no_module_imports_by_a_name_that_cannot_be_read():
    texts_by_name = texts(places.PACKAGE.rglob("*.py")).items()
    assert {
        name for name, text in texts_by_name if list(imports_by_a_variable(text))
    } == HANDED_OVER


def test_what_runs_in_runtimes_depends_on_every_adapter_and_other_chapters_on_none():
    adapters = texts((places.PACKAGE / "runtimes" / "adapters").glob("*.py")).keys()
    adapters_of = {path.stem: adapters & files_of(path).keys() for path in NOTEBOOKS}
    assert adapters_of.pop("08_runtimes") == adapters_of.pop("one_version") == adapters
    assert set().union(*adapters_of.values()) == set()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_names_the_folders_that_the_code_it_imports_reads(path):
    text = "\n".join(files_of(path).values())
    folders = set(re.findall(r'(?:PROJECT|PACKAGE\.parent) / "(\w+)"', text))
    chapters = set(re.findall(r'earlier\.chapter\(\\"(\w+)\\"\)', path.read_text()))
    document = json.loads(path.read_text())
    named = set(document["metadata"].get("investigation", {}).get("reads", []))
    assert named == (folders - {"build", "notebooks"}) | chapters


def test_no_chapter_imports_what_judges_the_claims():
    chains = (imports.chain(path, places.PACKAGE, "investigation.claims") for path in NOTEBOOKS)
    assert [chain for chain in chains if chain] == []
