"""Slow tests that have passed on exactly these files are not run again.

What a test can depend on is the project's files, a book that is built here, the interpreter, the
packages that are installed and the programs around it. While none of these changes, a slow test
that passed would do the same work again. `make test AGAIN=1` runs all of them; `make clean` forgets
what has passed.
"""

import functools
import json
import os
import shutil
import sys
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.pages import publishing

# Not part of the project: what is built or installed, and what tools keep for themselves.
APART = {".git", ".venv", "build", "__pycache__", ".hypothesis"}
# What Debian has on PATH is a script that stays the same when the shell behind it is upgraded.
SHELL = "/usr/lib/chromium/chromium-headless-shell"
BROWSERS = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAMS = (*BROWSERS, "g++", "gcc", "git", "make", "valgrind")
# The pages that are here are current or not by where they are published.
SETTINGS = ("REQUIRE_BROWSER", "CXX", "CC", *publishing.SHAPES)
# Of what is built, what a test may read: a whole book, and the notes of what it was made from.
BOOK = ("html", "stamps", "results", "notebooks", "source", "claims.json")


def digest(project: Path) -> str:
    """Return a digest of the project's files and of what they run with."""
    whole = sha256(repr(surroundings()).encode())
    for path in files(project):
        whole.update(f"{path.relative_to(project)}\0".encode())
        try:
            whole.update(f"{path.stat().st_mode}\0".encode() + sha256(path.read_bytes()).digest())
        except FileNotFoundError:  # a build that runs meanwhile has moved it
            whole.update(b"gone")
    return whole.hexdigest()


def files(project: Path) -> list[Path]:
    """Return the project's own files and those of a book that is built here, in a fixed order."""
    found: list[Path] = []
    for folder, folders, names in os.walk(project):
        folders[:] = [name for name in folders if name not in APART]
        found += [Path(folder, name) for name in names]
    for built in (project / "build" / name for name in BOOK):
        found += [built, *built.rglob("*")]
    return sorted(path for path in found if path.is_file())


@functools.cache
def surroundings() -> dict[str, object]:
    """Return what tests run with, besides the project's files."""
    return {
        "python": sys.version,
        "packages": sorted(f"{one.name} {one.version}" for one in metadata.distributions()),
        "programs": [_program(name) for name in PROGRAMS],
        "settings": {name: os.environ.get(name) for name in SETTINGS},
        "root": hasattr(os, "geteuid") and os.geteuid() == 0,
    }


def _program(name: str) -> tuple[str, int, int] | None:
    """Return where a program is, its size and when it was last changed; None if it is not here."""
    path = shutil.which(name)
    if path is None:
        return None
    state = Path(path).resolve().stat()
    return path, state.st_size, state.st_mtime_ns


class Unchanged:
    """The plugin: leaves out what has passed, and keeps what passes now."""

    def __init__(self, project: Path, record: Path) -> None:
        self.project, self.record = project, record
        self.digest = digest(project)
        self.known = self._read()
        self.left_out = frozenset() if os.environ.get("AGAIN") else self.known
        self.passed: set[str] = set()
        self.failed: set[str] = set()

    def _read(self) -> frozenset[str]:
        try:
            kept = json.loads(self.record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return frozenset()
        return frozenset(kept["passed"]) if kept["digest"] == self.digest else frozenset()

    @pytest.hookimpl(trylast=True)  # when slow tests have their mark
    def pytest_collection_modifyitems(self, config, items):
        """Leave out the slow tests that have passed."""
        passed = [item for item in items if item.nodeid in self.left_out and _is_slow(item)]
        # Where nothing else would be left, a person has asked for just these.
        if passed and len(passed) < len(items):
            config.hook.pytest_deselected(items=passed)
            items[:] = [item for item in items if item not in set(passed)]

    def pytest_report_header(self):
        """Say how many are left out, and how to run them all the same."""
        if not self.left_out:
            return None
        return (
            f"slow tests left out, since they passed on exactly these files: {len(self.left_out)}; "
            "make test AGAIN=1 runs them"
        )

    def pytest_runtest_logreport(self, report):
        """Note how a slow test went; whoever spreads tests over processes hears of each."""
        if "slow" not in report.keywords:
            return
        if report.failed or report.skipped:
            self.failed.add(report.nodeid)
        elif report.when == "call":
            self.passed.add(report.nodeid)

    def pytest_sessionfinish(self, session):
        """Keep what has passed, from the process that hears of all.

        Nothing is kept where a file changed meanwhile: who can tell which one was tested?
        """
        if hasattr(session.config, "workerinput") or digest(self.project) != self.digest:
            return
        passed = sorted((self.known | self.passed) - self.failed)
        self.record.parent.mkdir(parents=True, exist_ok=True)
        kept = json.dumps({"digest": self.digest, "passed": passed}, indent=1)
        self.record.write_text(kept + "\n", encoding="utf-8")


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None
