"""What many tests share: a project of its own to build in, and quiet profiling."""

import gc
import os
import re
import shutil
import signal
import sys
from pathlib import Path

# Read when torch is loaded; else the profiler notes its start and stop on stderr.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

import pytest
import whole_book
from hypothesis import settings
from unchanged import Unchanged

from investigation.interpreter import look_for_garbage_seldom
from pipeline import places

# A shell ignores the keyboard's interrupt for what it starts in the background, and every process
# that is started here would inherit that; a person's make does not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# As in a process that loads a compiler.
look_for_garbage_seldom()

# Dask writes its settings on import, by default into the home folder.
os.environ.setdefault("DASK_CONFIG", str(places.BUILD / "dask"))

BUILT = ("EXECUTED", "RESULTS", "STAMPS", "FAILED", "STAGING", "SOURCE", "RENDERED", "HTML",
         "RETIRED")  # fmt: skip


# A machine may be as slow as it likes.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# What takes a whole book, a browser, a kernel, or a process that takes long; `make check` leaves it
# out.
ALL_SLOW = re.compile(r"^pytestmark = .*\bpytest\.mark\.slow\b", re.MULTILINE)
# What waits for its processes for much of its time.
WAITING = ("test_faults", "test_execution", "test_processes", "test_timetable", "test_sweep")
SLOW_FIXTURES = frozenset({"book", "browser", "built", "surveyed"})


def pytest_configure(config):
    """Leave out, from run to run, the slow tests that have passed on the same files."""
    if _are_slow_wanted(config):  # else all files would be read for none of them
        passed = places.BUILD / "tests" / "passed.json"
        config.pluginmanager.register(Unchanged(places.PROJECT, passed), "unchanged")
    if hasattr(config, "workerinput"):
        whole_book.read_from(Path(config.workerinput["book"]))


@pytest.hookimpl(optionalhook=True)  # without xdist there are no workers
def pytest_configure_node(node):
    """Have all workers read one book, whatever is built meanwhile."""
    slow = _are_slow_wanted(node.config)
    node.workerinput["book"] = str(whole_book.book_folder() if slow else whole_book.OWN)


def pytest_report_header(config):
    """Say which book the tests read."""
    if not _are_slow_wanted(config):
        return None
    if whole_book.book_folder() == whole_book.READERS:
        return "book that is read: the one in build"
    return "book that is read: the tests' own, with small parameters"


def pytest_ignore_collect(collection_path, config):
    """Load no file that is slow as a whole where slow tests are left out: some load a compiler."""
    if _are_slow_wanted(config) or collection_path.suffix != ".py":
        return None
    return ALL_SLOW.search(collection_path.read_text(encoding="utf-8")) is not None or None


def pytest_collection_modifyitems(items):
    """Mark what is slow, and put what takes longest first.

    A worker gets the tests of a file, in this order. A small book is built by the first of them,
    with two chapters at a time; who else reads it comes after what is slow, so that what is left at
    the end is quick. A browser keeps more than a core busy; beside it runs what waits.
    """
    for item in items:
        if hasattr(item.module, "SmallProject") or SLOW_FIXTURES & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
    slow = {item.path.stem for item in items if _is_slow(item)}
    readers = {item.path.stem for item in items if "book" in item.fixturenames}
    items.sort(key=lambda item: _place(item.path.stem, slow, readers))


def pytest_collection_finish():
    """Look for garbage only in what tests make: to go over all that is loaded takes long."""
    gc.freeze()


def pytest_unconfigure():
    """Look for garbage once more, and then no more.

    To end, a process goes over all that it has loaded again and again, for seconds.
    """
    gc.collect()
    gc.freeze()


def _place(name, slow, readers):
    if name == "test_book":
        return 0
    if name == "test_browser":
        return 2
    if name in WAITING:
        return 3
    if name in readers:
        return 4
    return 1 if name in slow else 5


def _are_slow_wanted(config):
    return config.option.markexpr != "not slow"


def _is_slow(item):
    return item.get_closest_marker("slow") is not None


@pytest.fixture(scope="session", autouse=True)
def no_bytecode_of_what_goes(tmp_path_factory):
    """Python keeps bytecode apart from its sources (see the Makefile), so that it outlives them."""
    yield
    kept = Path(sys.prefix, "cache", "bytecode", *tmp_path_factory.getbasetemp().parts[1:])
    shutil.rmtree(kept, ignore_errors=True)


@pytest.fixture(scope="session")
def book():
    """The folder of a finished book, made from this project's notebooks and pages."""
    if whole_book.book_folder() == whole_book.OWN:
        whole_book.build_what_is_outdated()
    return whole_book.book_folder()


@pytest.fixture(scope="session")
def no_compiler():
    """Why torch.compile cannot work here, as in a folder with a space; None if it can.

    The compiler is imported here: whoever spreads the tests over processes needs none of it.
    """
    from investigation.compiled import toolchain
    from investigation.compiled.omission import MissingToolError

    try:
        toolchain.require_cpp_compiler()
    except MissingToolError as missing:
        return str(missing)
    return None


@pytest.fixture(scope="session")
def compiler(no_compiler):
    """Leave a test out if torch.compile cannot work."""
    if no_compiler:
        pytest.skip(no_compiler)


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    """A project folder with notebooks, a package and pages of its own, apart from any other."""
    for name in BUILT:
        monkeypatch.setattr(places, name, tmp_path / "build" / name.lower())
    monkeypatch.setattr(places, "PROJECT", tmp_path)
    monkeypatch.setattr(places, "BUILD", tmp_path / "build")
    monkeypatch.setattr(places, "CLAIMS", tmp_path / "build" / "claims.json")
    monkeypatch.setattr(places, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "planted")
    monkeypatch.setattr(places, "RECORDED", tmp_path / "results")
    monkeypatch.setattr(places, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.syspath_prepend(tmp_path)  # a package is found by its name
    for name in [module for module in sys.modules if module.partition(".")[0] == "planted"]:
        monkeypatch.delitem(sys.modules, name)  # of an earlier test's folder
    for folder in ("build", "notebooks", "planted"):
        (tmp_path / folder).mkdir()
    (tmp_path / "requirements.lock").write_text("torch==2.13.0\n")
    (tmp_path / "planted" / "__init__.py").touch()
    return tmp_path
