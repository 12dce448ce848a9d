"""Which package may import which, as the lint enforces it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[1]
LINT = Path(sys.executable).with_name("lint-imports")
DOWNWARDS = "The investigation's packages import downwards only"
CLAIMS = "A claim knows evidence and its subject, and nothing that measures"
PIPELINE = "The pipeline imports evidence, claims, display, fix and interpreter only"
LAID_OUT = "The pipeline's packages import downwards only"
ALONE = "The investigation does not know the pipeline"
CIRCLES = "No modules import each other in a circle"


@pytest.fixture
def copy(tmp_path):
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    for package in ("investigation", "pipeline"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=ignored)
    return tmp_path


def lint(project):
    """Run the lint on a project's imports; return its exit status and what it prints."""
    done = subprocess.run(
        [LINT, "--no-logo", "--no-cache"], cwd=project, capture_output=True, text=True, check=False
    )
    return done.returncode, " ".join(done.stdout.split())


def plant(project, module, line):
    path = project / f"{module.replace('.', '/')}.py"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")


def test_every_import_goes_through_a_door(copy):
    status, output = lint(copy)
    assert status == 0, output
    assert "6 kept, 0 broken" in output


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("investigation.observe.equality", "from investigation.claims import ledger", DOWNWARDS),
        ("investigation.timing.noise", "from investigation.display import figures", DOWNWARDS),
        ("investigation.gpu.session", "from investigation.runtimes import modules", DOWNWARDS),
        ("investigation.subject.host", "import investigation.evidence.records", DOWNWARDS),
        ("investigation.claims.claim", "from investigation.timing import noise", CLAIMS),
        ("pipeline.compare.runs", "from investigation.timing import noise", PIPELINE),
        ("pipeline.pages.answers", "from pipeline.chapters import promotion", LAID_OUT),
        ("pipeline.upkeep.tidy", "from pipeline.cli import fix", LAID_OUT),
        ("investigation.fix.sources", "from pipeline import places", ALONE),
        ("investigation.subject.variants", "from investigation.subject import host", CIRCLES),
    ],
)
def test_a_planted_import_past_a_door_fails_the_lint_by_name(copy, module, line, contract):
    plant(copy, module, line)
    status, output = lint(copy)
    assert status == 1
    assert f"{contract} BROKEN" in output
    assert module in output or module.rpartition(".")[2] in output


@pytest.mark.parametrize("where", ["investigation", "pipeline"])
def test_a_new_package_needs_a_place_among_the_others(copy, where):
    (copy / where / "attic").mkdir()
    (copy / where / "attic" / "__init__.py").write_text("")
    status, output = lint(copy)
    assert status == 1
    assert "attic" in output


def test_make_lint_asks_about_the_imports():
    recipe = subprocess.run(
        ["make", "--dry-run", "lint"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert "lint-imports" in recipe.stdout


def test_cases_and_records_are_read_without_torch():
    program = (
        "import sys\n"
        "from investigation.evidence import records, words\n"
        "from investigation.evidence.sealed import gpu\n"
        "from investigation.subject import cases\n"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=True)
