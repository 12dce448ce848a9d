"""What many tests share: a project of its own to build in, and quiet profiling."""

import os

# Read when torch is loaded; else the profiler notes its start and stop on stderr.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

import pytest
from whole_book import build_in

from investigation.compiled import toolchain
from investigation.compiled.omission import MissingToolError
from pipeline import places

# Dask writes its settings on import, by default into the home folder.
os.environ.setdefault("DASK_CONFIG", str(places.BUILD / "dask"))

BUILT = ("EXECUTED", "RESULTS", "STAMPS", "FAILED", "STAGING", "SOURCE", "RENDERED", "HTML",
         "RETIRED")  # fmt: skip


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The folder of a finished book: this project's notebooks and pages, another build folder."""
    folder = tmp_path_factory.mktemp("build")
    build_in(folder)
    return folder


@pytest.fixture(scope="session")
def no_compiler():
    """Why torch.compile cannot work here, as in a folder with a space; None where it can."""
    try:
        toolchain.require_cpp_compiler()
    except MissingToolError as missing:
        return str(missing)
    return None


@pytest.fixture(scope="session")
def compiler(no_compiler):
    """Leave a test out where torch.compile cannot work."""
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
    for folder in ("build", "notebooks", "planted"):
        (tmp_path / folder).mkdir()
    (tmp_path / "requirements.lock").write_text("torch==2.13.0\n")
    (tmp_path / "planted" / "__init__.py").touch()
    return tmp_path
