"""What a change rebuilds: the chapters that import what changed, or the pages alone."""

import json
import subprocess

import pytest
from small_project import SmallProject

from investigation.evidence.provenance import package_sha256
from pipeline import building, places
from pipeline.chapters import freshness

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

SOURCES = {
    "planted/subject/cases.py": "A = 1\n",
    "planted/timing/measure.py": "from planted.subject import cases\n",
    "planted/observe/layout.py": "B = 1\n",
    "planted/display/figures.py": "C = 1\n",
    "planted/claims/rules.py": "from planted.subject import cases\n",
    "pipeline/judging/verdicts.py": "from planted.claims import rules\n",
    "book/index.md": "# A book\n",
    "book/_static/style.css": "a {}\n",
    "_config.yml": "title: A book\n",
    "build/claims.json": "[]\n",
}
CHAPTERS = {
    "01_timing": "from planted.timing.measure import cases\nfrom planted.display import figures",
    "02_layout": "from planted.observe import layout",
}


@pytest.fixture
def chapters(workshop, monkeypatch):
    """Two chapters that have run, in a project with rooms, rules, pages and a pipeline."""
    for name, text in SOURCES.items():
        (workshop / name).parent.mkdir(parents=True, exist_ok=True)
        (workshop / name).write_text(text)
    for room in {path.parent for path in places.PACKAGE.rglob("*.py")}:
        (room / "__init__.py").touch()
    for name, there in (("HERE", "."), ("BOOK", "book"), ("CONFIG", "_config.yml")):
        monkeypatch.setattr(places, name, workshop / there)
    return [executed(name, code) for name, code in CHAPTERS.items()]


def executed(name, code):
    cell = {"cell_type": "code", "source": [code], "metadata": {}}
    notebook = places.NOTEBOOKS / f"{name}.ipynb"
    notebook.write_text(json.dumps({"cells": [cell], "metadata": {}}))
    for product in freshness.products(notebook):
        product.parent.mkdir(exist_ok=True)
        product.write_text(name)
    places.STAMPS.mkdir(exist_ok=True)
    note = freshness.stamp_of(*freshness.products(notebook), freshness.fingerprint(notebook, {}))
    freshness.stamp_path(notebook).write_text(json.dumps(note))
    return notebook


def change(workshop, name):
    with (workshop / name).open("a") as file:
        file.write("\n")


def outdated(chapters):
    return [path.stem for path in chapters if not freshness.is_current(path, {})]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("planted/timing/measure.py", ["01_timing"]),
        ("planted/subject/cases.py", ["01_timing"]),
        ("planted/display/figures.py", ["01_timing"]),
        ("planted/observe/layout.py", ["02_layout"]),
        ("planted/observe/__init__.py", ["02_layout"]),
        ("planted/__init__.py", ["01_timing", "02_layout"]),
        ("requirements.lock", ["01_timing", "02_layout"]),
    ],
)
def test_a_module_outdates_exactly_the_chapters_that_import_it(
    workshop, chapters, changed, expected
):
    assert outdated(chapters) == []
    change(workshop, changed)
    assert outdated(chapters) == expected


def test_evidence_names_the_version_of_the_modules_that_its_notebook_imports(workshop, chapters):
    timing, layout = (package_sha256(path, places.PACKAGE) for path in chapters)
    assert timing != layout
    change(workshop, "planted/timing/measure.py")
    assert package_sha256(chapters[0], places.PACKAGE) != timing
    assert package_sha256(chapters[1], places.PACKAGE) == layout


@pytest.mark.parametrize(
    "changed",
    [
        "planted/claims/rules.py",
        "pipeline/judging/verdicts.py",
        "book/index.md",
        "book/_static/style.css",
        "_config.yml",
        "build/claims.json",
    ],
)
def test_rules_words_pages_and_the_pipeline_outdate_the_pages_alone(workshop, chapters, changed):
    before = building.page_inputs(chapters)
    assert building.page_inputs(chapters) == before
    change(workshop, changed)
    assert building.page_inputs(chapters) != before
    assert outdated(chapters) == []


@pytest.mark.usefixtures("workshop")
def test_what_a_chapter_made_outdates_the_pages(chapters):
    before = building.page_inputs(chapters)
    for product in freshness.products(chapters[0]):
        product.write_text("made anew")
        assert building.page_inputs(chapters) != before
        before = building.page_inputs(chapters)


@pytest.mark.parametrize("changed", ["planted/observe/layout.py", "book/index.md"])
def test_a_book_is_current_from_when_its_pages_are_made_until_something_changes(
    workshop, chapters, changed
):
    assert not building.is_current()
    places.HTML.mkdir(parents=True)
    (places.HTML / "index.html").touch()
    (places.STAMPS / "html").write_text(building.page_inputs(chapters))
    assert building.is_current()
    change(workshop, changed)
    assert not building.is_current()


def test_a_real_build_executes_what_imports_a_changed_module_and_nothing_for_words(tmp_path):
    project = SmallProject(tmp_path / "project")
    module = project.folder / "investigation" / "subject" / "planted.py"
    module.write_text("A = 1\n")
    project.chapter("01_one", "from investigation.subject.planted import A")
    project.chapter("02_two")
    assert last_line(project).startswith("2 executed, pages rendered")
    assert is_current(project)
    assert last_line(project).startswith("0 executed, pages up to date")
    replace(project, "investigation/claims/ticket.py", "Supported if", "Upheld if")
    replace(project, "book/index.md", "The end.", "The very end.")
    replace(project, "pipeline/pages/verdicts.py", '"""Judge', '"""Weigh')
    assert last_line(project).startswith("0 executed, pages rendered")
    assert "Upheld if" in (project.build / "claims.json").read_text()
    assert "The very end." in (project.build / "html" / "index.html").read_text()
    replace(project, "book/index.md", "The very end.", "The end.")
    assert not is_current(project)
    module.write_text("A = 2\n")
    before = stamps(project)
    assert last_line(project).startswith("1 executed, pages rendered")
    assert [name for name, stamp in stamps(project).items() if stamp != before[name]] == ["01_one"]


def last_line(project):
    """Build, and return the line about what was done."""
    done = project.make("book")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-2]


def is_current(project):
    """Ask the project whether a build would find nothing to do."""
    code = "from pipeline.building import is_current; print(is_current())"
    done = subprocess.run(
        [project.folder / ".venv" / "bin" / "python", "-c", code], cwd=project.folder,
        env=project.environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {"True\n": True, "False\n": False}[done.stdout]


def replace(project, name, old, new):
    path = project.folder / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def stamps(project):
    return {name: (project.build / "stamps" / f"{name}.json").stat().st_mtime_ns
            for name in ("01_one", "02_two")}  # fmt: skip
