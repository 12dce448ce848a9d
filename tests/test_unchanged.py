"""What has passed is left out while nothing changes, and only that."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import unchanged

CONFTEST = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from unchanged import Unchanged
HERE = Path(__file__).parent
def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes long")
    config.pluginmanager.register(Unchanged(HERE, HERE / "build" / "passed.json"))
"""
TESTS = """
import pytest
import values
def test_quick(): pass
@pytest.mark.slow
def test_slow(): pass
@pytest.mark.slow
def test_wrong(): assert values.RIGHT
@pytest.mark.slow
def test_not_here(): pytest.skip("not here")
"""
SLOW = {"test_slow", "test_wrong", "test_not_here"}
# Where this run keeps what Python compiles; else each process would compile pytest again.
COMPILED = {"PYTHONPYCACHEPREFIX": sys.pycache_prefix} if sys.pycache_prefix else {}


@pytest.fixture
def project(tmp_path):
    """A project with a quick test, a slow one, one that fails and one that is skipped."""
    tests = str(Path(unchanged.__file__).parent)
    (tmp_path / "conftest.py").write_text(CONFTEST.format(tests=tests))
    (tmp_path / "values.py").write_text("RIGHT = False\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    return tmp_path


def run(project, *options, **environment):
    """Return which tests ran, and what pytest printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *options],
        cwd=project, capture_output=True, text=True, check=False,
        env={"PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **COMPILED, **environment},
    )  # fmt: skip
    names = ("test_quick", *SLOW)
    return {name for name in names if f"test_it.py::{name}" in done.stdout}, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("spread", [(), ("-p", "xdist", "-n", "2")])
def test_a_slow_test_that_passed_is_left_out_and_no_other(project, spread):
    first, _ = run(project, *spread)
    second, said = run(project, *spread)
    assert first == {"test_quick"} | SLOW
    assert second == first - {"test_slow"}
    assert "slow tests left out, since they passed on exactly these files: 1" in said


@pytest.mark.slow
def test_after_any_change_everything_runs(project):
    run(project)
    (project / "values.py").write_text("RIGHT = True\n")
    assert run(project)[0] == {"test_quick"} | SLOW


@pytest.mark.slow
def test_all_run_where_that_is_asked_for_or_the_record_is_broken(project):
    run(project)
    assert run(project, AGAIN="1")[0] == {"test_quick"} | SLOW
    assert run(project, "-k", "test_slow")[0] >= {"test_slow"}, "a person asked for just this"
    run(project, "-k", "quick", AGAIN="1")
    assert "test_slow" not in run(project)[0], "what passed before is still known"
    (project / "build" / "passed.json").write_text("{")
    assert run(project)[0] == {"test_quick"} | SLOW


@pytest.mark.slow
def test_what_failed_since_is_no_longer_kept(project):
    (project / "values.py").write_text("RIGHT = __import__('os').environ.get('WELL') == '1'\n")
    run(project, WELL="1")
    assert len(json.loads((project / "build" / "passed.json").read_text())["passed"]) == 2
    run(project, AGAIN="1")
    assert "test_wrong" in run(project, WELL="1")[0]


def test_the_digest_tells_of_every_file_its_name_and_its_mode(project):
    before = unchanged.digest(project)
    path = project / "values.py"
    path.chmod(0o755)
    by_mode = unchanged.digest(project)
    path.rename(project / "others.py")
    assert len({before, by_mode, unchanged.digest(project)}) == 3


def test_of_what_is_built_a_book_alone_changes_the_digest(project):
    before = unchanged.digest(project)
    (project / "build" / "html").mkdir(parents=True)
    (project / "build" / "passed.json").write_text("{}")
    assert unchanged.digest(project) == before
    (project / "build" / "html" / "index.html").write_text("a page")
    with_a_page = unchanged.digest(project)
    (project / "build" / "claims.json").write_text("[]")
    assert len({before, with_a_page, unchanged.digest(project)}) == 3


def test_a_file_that_a_build_moves_away_meanwhile_is_no_error(project, monkeypatch):
    before, found = unchanged.digest(project), unchanged.files(project)
    monkeypatch.setattr(unchanged, "files", lambda _: [*found, project / "build" / "moved"])
    assert unchanged.digest(project) != before


@pytest.mark.parametrize("name", ["BOOK_URL", "GITHUB_SHA", "CXX"])
def test_another_setting_that_a_test_can_see_is_told(monkeypatch, name):
    unchanged.surroundings.cache_clear()
    before = unchanged.surroundings()
    monkeypatch.setenv(name, "another")
    unchanged.surroundings.cache_clear()
    assert unchanged.surroundings() != before
    unchanged.surroundings.cache_clear()


def test_a_file_that_changes_during_a_run_leaves_nothing_kept(project):
    plugin = unchanged.Unchanged(project, project / "build" / "passed.json")
    plugin.passed.add("test_it.py::test_slow")
    (project / "values.py").write_text("RIGHT = 1\n")
    plugin.pytest_sessionfinish(type("Session", (), {"config": object()}))
    assert not (project / "build" / "passed.json").exists()
