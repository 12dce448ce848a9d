"""What a newcomer finds: notebooks without outputs, pinned requirements, a Makefile that helps."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from investigation.evidence import parameters
from pipeline import places
from pipeline.chapters.notebooks import declared_parameters
from pipeline.cli.commands import commands
from pipeline.places import discover
from pipeline.upkeep import tidy

NOTEBOOKS = discover()
FOLDED = {"hide-input", "hide-cell"}
STORED = sorted(places.NOTEBOOKS.glob("*.ipynb"))
ROOT = Path(__file__).resolve().parent.parent


def requirement_lines(name):
    lines = (ROOT / name).read_text().splitlines()
    return [line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip()]


def pin(line):
    """A requirement without the platforms that it is for, which a lock states in its own words."""
    return line.partition(" ;")[0]


def make(*words, **options):
    """Run make as a person would, not as a part of the make that runs these tests."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=ROOT, env=mine, capture_output=True, text=True, check=False, **options,
    )  # fmt: skip


@pytest.mark.parametrize("notebook", STORED, ids=lambda path: path.stem)
def test_a_notebook_is_stored_tidily_and_in_small_cells(notebook):
    text = notebook.read_text(encoding="utf-8")
    document = tidy.parsed(text)
    assert text == tidy.stored(tidy.tidied(document))
    for cell in document.cells:
        assert cell.cell_type == "markdown" or len(cell.source.splitlines()) <= 30


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_most_cells_follow_prose_and_none_that_is_shown_is_long(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    pairs = [pair for pair in pairwise(cells) if pair[1].cell_type == "code"]
    after_prose = [cell for before, cell in pairs if before.cell_type == "markdown"]
    assert len(after_prose) >= 0.75 * len(pairs)
    shown = [cell for _, cell in pairs if not FOLDED & set(cell.metadata.get("tags", []))]
    assert max(len(cell.source.splitlines()) for cell in shown) <= 20


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_declares_only_known_parameters_and_knows_no_test(notebook):
    assert declared_parameters(notebook) <= set(parameters.Parameters.model_fields)
    source = "".join(cell.source for cell in nbformat.read(notebook, as_version=4).cells)
    assert "pytest" not in source
    assert "pip install" not in source


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_measured_number_is_typed_into_a_notebooks_prose(notebook):
    """A number with a unit of time, memory or share in prose would not come from the run.

    Allowed are the numbers that are chosen: margins, confidences, planted doses.
    """
    chosen = {
        "±1 %",
        "99.9 %",
        "99.99 %",
        "0 %",
        "1 %",
        "2 %",
        "95 %",
        "97.5 %",
        "95 times",
        "10 %",
    }
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "markdown":
            numbers = set(
                re.findall(r"±?\d[\d.,]* ?(?:%|µs|ms|ns|GB/s|KiB|MiB|times)", cell.source)
            )
            assert numbers <= chosen, cell.source


@pytest.mark.parametrize("page", sorted(places.BOOK.glob("*.md")), ids=lambda path: path.stem)
def test_no_measured_number_is_typed_into_a_page(page):
    prose = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", page.read_text())
    numbers = set(re.findall(r"±?\d[\d.,]* ?(?:%|µs|ms|ns|GB/s|KiB|MiB|times)", prose))
    assert numbers <= {"95 %", "±1 %"}


def test_every_direct_requirement_is_pinned_and_locked():
    direct, locked = requirement_lines("requirements.txt"), requirement_lines("requirements.lock")
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", line) for line in direct)
    assert {pin(line) for line in direct} <= {pin(line) for line in locked}


def test_every_direct_requirement_says_what_it_is_for():
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if "==" in line:
            assert line.partition("#")[2].strip(), line


def test_the_lock_leaves_torchs_platform_packages_to_torch():
    assert not [
        line for line in requirement_lines("requirements.lock") if line.startswith("nvidia")
    ]


def test_help_names_every_target_and_every_command_is_one():
    shown = " ".join(make("help").stdout.split())
    targets = re.findall(r"^([a-z-]+):.*## (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"test", "lab", "lint", "clean", "help"} <= {name for name, _ in targets}
    declared = [
        (name, command.help.partition("\n")[0]) for name, command in commands.commands.items()
    ]
    assert {"book", "fix", "serve"} <= {name for name, _ in declared}
    for target, what in (*targets, *declared):
        assert f"make {target} {what.removesuffix('.')}" in shown
    for command, _ in declared:
        planned = make("--dry-run", "--assume-old=.venv/installed", command).stdout
        assert planned.endswith(f"-m pipeline {command}\n")
    assert make().stdout == make("help").stdout


BUILT = Path(sys.prefix) == ROOT / ".venv"


@pytest.mark.slow
@pytest.mark.skipif(not BUILT, reason="make uses .venv, and these tests run elsewhere")
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("DEVICE=banana", "error: DEVICE=banana: this machine has cpu"),
        ("BUDGET=-1", "error: BUDGET=-1: allowed is a number of seconds above 0 and up to 600"),
        ("SHAPE=3,4", "error: SHAPE=3,4: allowed are four sizes, B,C,H,W, such as 128,64,16,16"),
        ("DEVISE=cpu", "error: DEVISE: no such parameter; there are"),
        ("NOTEBOOK=99_none", "error: NOTEBOOK=99_none: there are 00_instrument"),
        ("SEED=$(touch broken)", "error: SEED="),
    ],
)
def test_a_bad_word_behind_make_gets_one_line_and_touches_nothing(word, expected):
    before = {path: path.stat().st_mtime_ns for path in places.RESULTS.glob("*")}
    done = make("book", word)
    assert done.returncode != 0
    complaint = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert len(complaint) == 1
    assert complaint[0].startswith(expected)
    assert {path: path.stat().st_mtime_ns for path in places.RESULTS.glob("*")} == before


def test_a_job_without_a_standard_input_gets_an_empty_one():
    looking = {command: make("--dry-run", "-o", ".venv/installed", command).stdout
               for command in ("book", "test", "check", "kills")}  # fmt: skip
    for command, planned in looking.items():
        assert "|| exec </dev/null;" in planned, command
    tried = "tried: ; @[ ! -e /dev/fd/0 ]; $(WITH_STDIN) [ -e /dev/fd/0 ]"
    done = make("--eval", tried, "tried", preexec_fn=lambda: os.close(0))
    assert done.returncode == 0, done.stderr


def test_nothing_in_the_project_is_an_absolute_path_of_a_machine():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True,
                             check=True).stdout.split()  # fmt: skip
    for name in tracked:
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        assert not re.search(r"/(?:home|root|work|Users)/\w", text), name
