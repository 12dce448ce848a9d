"""`make wild NETWORK=`: cells, environments and records of released networks; nothing is timed."""

import importlib.util
import json
import sys
from contextlib import nullcontext
from importlib import metadata

import pytest
from worlds import NOW, released

from investigation.evidence import files, imports
from investigation.evidence.environment import describe
from investigation.evidence.kinds.released import ReleasedProgram
from investigation.evidence.provenance import PACKAGE as PACKAGE_FOLDER
from investigation.evidence.records import Evidence
from investigation.evidence.sealed import manifest
from investigation.fix import networks as listed_networks
from investigation.fix import patches, rewriting
from investigation.fix.catalogue import Catalogue, Package
from investigation.fix.networks import RUNTIMES, ReleasedNetwork
from pipeline import places
from pipeline.faults import BuildError
from pipeline.sweep import cells, cluster
from pipeline.sweep import environments as torches
from pipeline.wild import __main__ as wild
from pipeline.wild import environments, measuring, networks

CODE = "def scale(x, y):\n    return x * y.expand_as(x)\n"
NETWORK = ReleasedNetwork(
    name="tiny", title="a tiny network", package="tinynet", factory="tinynet.model:Tiny",
    input=(1, 4, 8, 8),
)  # fmt: skip
PACKAGE = Package(name="tinynet", version="1", archive="tinynet-1.whl", sha256="0" * 64)
# Of executorch and of torch themselves.
COME_WITH = {"triton", "sympy", "torchao"}
LISTED = Catalogue(sha256="0", packages=(PACKAGE,))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A project to build in, a patch, and an environment that has the package and a fake Python."""
    build = tmp_path / "project/build"
    for owner, name, where in (
        (places, "BUILD", build), (places, "PATCHES", build / "patches"),
        (places, "CELLS", build / "cells"), (networks, "FOLDER", build / "wild"),
        (places, "RECORDED", tmp_path / "project/results"),
    ):  # fmt: skip
        monkeypatch.setattr(owner, name, where)
    site = tmp_path / "env/lib/python3.11/site-packages"
    (site / "tinynet").mkdir(parents=True)
    (site / "tinynet/model.py").write_text(CODE)
    patch = patches.patch_of(site, rewriting.examine(site / "tinynet"))
    (build / "patches").mkdir(parents=True)
    (build / "patches" / f"{PACKAGE.title}.patch").write_bytes(patch)
    python = tmp_path / "env/bin/python"
    python.parent.mkdir()
    monkeypatch.setattr(environments, "python_of", lambda _: python)
    monkeypatch.setattr(cells, "timing", nullcontext)  # nothing is timed
    return python


def answering(python, script):
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)


def evidence(*records, **environment):
    return Evidence(
        notebook=networks.CHAPTER, source_sha256="0", package_sha256="0", parameters={},
        environment=describe(1).model_copy(update=environment), started=NOW, finished=NOW,
        records=records,
    )  # fmt: skip


def of(runtime, refused=None):
    """What a runtime's cell comes to."""
    program = ReleasedProgram(statement="", network="tiny", runtime=runtime, title=runtime,
                              version="1", refused=refused)  # fmt: skip
    return evidence(program, *([] if refused else [released("tiny", runtime)]))


# Cells


def test_each_runtime_is_a_cell_whose_key_holds_all_that_it_depends_on(installed):
    assert installed.parent.exists()
    cells = networks.cells_of(NETWORK, LISTED, places.PATCHES)
    assert [cell.parameters["runtime"] for cell in cells] == list(RUNTIMES)
    assert len({cell.key for cell in cells}) == len(RUNTIMES)
    assert networks.cells_of(NETWORK, LISTED, places.PATCHES) == cells
    patch = places.PATCHES / f"{PACKAGE.title}.patch"
    patch.write_text(patch.read_text().replace("x * y", "y * x"))
    other = networks.cells_of(NETWORK, LISTED, places.PATCHES)
    assert {cell.key for cell in cells}.isdisjoint(other_cell.key for other_cell in other)


def test_a_network_without_a_patch_is_refused_in_a_line(installed, tmp_path):
    assert installed.parent.exists()
    with pytest.raises(BuildError, match=r"^tiny: the survey has no patch of tinynet$"):
        networks.cells_of(NETWORK, LISTED, tmp_path)
    with pytest.raises(BuildError, match=r"^tiny: the survey has no patch of tinynet$"):
        networks.cells_of(NETWORK, Catalogue(sha256="0", packages=()), places.PATCHES)


@pytest.mark.parametrize(("word", "reason"), [
    ("NETWORK=resnet", "NETWORK=resnet: no such network; there are "),
    ("SCHEDULER=here", "SCHEDULER=here: allowed is an address"),
])  # fmt: skip
def test_a_word_that_cannot_be_used_is_refused_in_a_line(capsys, word, reason):
    assert wild.main([word]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {reason}")
    assert error.count("\n") == 1


def test_all_networks_are_asked_for_together():
    listed = listed_networks.read()
    assert networks.chosen("all", listed) == list(listed.values())


# What a cell does


def cell_for(installed, script):
    answering(installed, script)
    return networks.cells_of(NETWORK, LISTED, places.PATCHES)[0]


def test_the_patch_goes_onto_a_copy_and_the_package_stays_as_released(installed, tmp_path):
    answer = tmp_path / "given.json"
    files.write(of("eager"), answer)
    cell = cell_for(installed, f'cp "$3" question.copy; mkdir answer; cp {answer} "$4"')
    networks._execute(cell, "mark")
    assert files.read(cell.result) == of("eager")
    package = installed.parent.parent / "lib/python3.11/site-packages/tinynet/model.py"
    assert package.read_text() == CODE
    assert not list((networks.FOLDER / "staging").iterdir())


def test_the_question_names_the_patched_copy(installed, tmp_path):
    copied = tmp_path / "question.json"
    cell = cell_for(installed, f'cp "$3" {copied}; cp -r patched {tmp_path}; exit 1')
    with pytest.raises(BuildError):
        networks._execute(cell, "mark")
    question = json.loads(copied.read_text())
    assert question["runtime"] == "eager"
    assert question["patched"].endswith("/patched")
    assert (tmp_path / "patched/tinynet/model.py").read_text() == CODE.replace(".expand_as(x)", "")


@pytest.mark.parametrize(("script", "reason"), [
    ("echo Traceback >&2; echo 'MemoryError: too large' >&2; exit 1", "^MemoryError: too large$"),
    ("echo 'error: two copies differ' >&2; exit 1", "^two copies differ$"),
    ("exit 3", "^status 3$"),
])  # fmt: skip
def test_a_measurement_that_dies_says_why_and_keeps_no_answer(installed, script, reason):
    cell = cell_for(installed, script)
    with pytest.raises(BuildError, match=reason):
        networks._execute(cell, "mark")
    assert not cells.is_kept(cell)


def test_a_patch_that_does_not_fit_what_is_installed_is_named(installed):
    cell = cell_for(installed, "exit 0")
    package = installed.parent.parent / "lib/python3.11/site-packages/tinynet/model.py"
    package.write_text(CODE.replace("scale", "other"))
    with pytest.raises(BuildError, match=r"^the patch of tinynet does not apply: "):
        networks._execute(cell, "mark")
    assert not cells.is_kept(cell)


# Environments


def test_an_environment_holds_the_locked_versions_and_the_package():
    wanted = environments.requirements(PACKAGE).splitlines()
    lock = places.LOCK.read_text(encoding="utf-8").splitlines()
    assert wanted[-2:] == ["torchvision", "tinynet==1"]
    assert set(wanted[:-2]) <= set(lock)
    assert any(requirement.startswith("torch==") for requirement in wanted)


def test_an_environment_holds_all_that_the_measurement_imports():
    unused = {"mnn", "ncnn", "torchscript", "tvm"}  # adapters of runtimes that are not measured
    sources = imports.sources(networks.MEASURES, PACKAGE_FOLDER)
    named = {
        name.partition(".")[0]
        for path in sources
        if path.stem not in unused
        for name in imports._names(path.read_text(encoding="utf-8"), path.name)
    }
    foreign = named - sys.stdlib_module_names - {"investigation"}
    held = {
        part
        for distribution in {*environments.IMPORTED, *COME_WITH}
        for part in top_level(distribution)
    }
    assert {name for name in foreign if importlib.util.find_spec(name)} <= held


def top_level(distribution):
    """Return the names that one can import from a distribution, none where it is not here."""
    try:
        files = metadata.files(distribution) or ()
    except metadata.PackageNotFoundError:
        return set()
    return {file.parts[0].removesuffix(".py") for file in files}


def test_an_environment_is_made_once_and_anew_where_it_would_hold_something_else(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(places, "BUILD", tmp_path)
    monkeypatch.setattr(torches, "run", lambda *_, **__: "torch==2\ntorchvision==1")
    installed = []

    def install(folder, wanted, *_, **__):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "requirements.txt").write_text(wanted)
        (folder / torches.READY).touch()
        installed.append(wanted)

    monkeypatch.setattr(torches, "install", install)
    for _ in range(2):
        environments.python_of(PACKAGE)
    assert len(installed) == 1
    monkeypatch.setattr(environments, "IMPORTED", ("numpy",))
    environments.python_of(PACKAGE)
    assert len(installed) == 2


@pytest.mark.parametrize(("resolved", "together"), [
    ("torch==2.13.0+cpu\ntorchvision==0.28.0+cpu", True),
    ("torch==2.13.0\ntorchvision==0.28.0\nnumpy==2.0.0+x", True),
    ("torch==2.13.0+cpu\ntorchvision==0.28.0", False),
])  # fmt: skip
def test_torch_and_torchvision_of_two_builds_are_told_apart(resolved, together):
    assert environments.of_one_build(resolved) == together


@pytest.mark.parametrize(("build", "variables"), [("+cpu", {}), ("", environments.WITHOUT_FOLDERS)])
def test_folders_with_half_of_a_build_are_left_out(tmp_path, monkeypatch, build, variables):
    monkeypatch.setattr(places, "BUILD", tmp_path)
    monkeypatch.setattr(torches, "run", lambda *_, **__: f"torch==2+cpu\ntorchvision==1{build}")
    installed = []
    monkeypatch.setattr(torches, "install", lambda *_, **given: installed.append(given))
    environments.python_of(PACKAGE)
    assert installed == [{"variables": variables}]


# The whole measurement, with the cells' outcomes given


@pytest.fixture
def outcomes(installed, monkeypatch):
    """What each runtime's cell comes to; a test may change them. Returns what was said too."""
    assert installed.parent.exists()
    given = {runtime: of(runtime) for runtime in RUNTIMES}
    lines = []

    def run(wanted, *_):
        outcomes_made = []
        for cell in wanted:
            evidence = given[cell.parameters["runtime"]]
            if isinstance(evidence, str):
                outcomes_made.append(cluster.Outcome(cell, None, evidence))
            else:
                files.write(evidence, cell.result)
                outcomes_made.append(cluster.Outcome(cell, evidence))
        return outcomes_made

    monkeypatch.setattr(cluster, "outcomes", run)

    def measure(*to_measure):
        return measuring.measure(
            to_measure or (NETWORK,), LISTED, places.PATCHES, None, lines.append
        )

    return given, lines, measure


def recorded():
    (path,) = places.RECORDED.glob("*/network_tiny.json")
    manifest.verify(path.parent)
    return files.read(path).records


def test_what_all_runtimes_showed_is_one_sealed_record_and_is_measured_anew_next_time(outcomes):
    _, lines, measure = outcomes
    assert measure() == 0
    assert len(recorded()) == 2 * len(RUNTIMES)
    assert [line for line in lines if "error" in line] == []
    assert not list(places.CELLS.iterdir())


def test_a_runtime_that_refuses_a_network_is_one_line_and_the_rest_goes_on(outcomes):
    given, lines, measure = outcomes
    given["openvino"] = of("openvino", refused="ExportError: no such operator")
    assert measure() == 0
    assert "tiny in openvino: ExportError: no such operator" in lines
    programs = [record for record in recorded() if isinstance(record, ReleasedProgram)]
    assert [program.runtime for program in programs if program.refused] == ["openvino"]
    assert len(programs) == len(RUNTIMES)


def test_a_cell_that_fails_is_one_line_and_what_was_measured_is_kept_for_the_next_time(outcomes):
    given, lines, measure = outcomes
    given["compile"] = "no answer within 1200 s"
    assert measure() == 1
    assert "error: tiny in compile: no answer within 1200 s" in lines
    assert len(recorded()) == 2 * (len(RUNTIMES) - 1)
    assert len(list(places.CELLS.iterdir())) == len(RUNTIMES) - 1
    given["compile"] = of("compile")
    assert measure() == 0
    assert len(recorded()) == 2 * len(RUNTIMES)


def test_a_network_that_cannot_be_measured_is_one_line_and_the_others_go_on(outcomes):
    _, lines, measure = outcomes
    other = NETWORK.model_copy(update={"name": "other", "package": "nothere"})
    assert measure(other, NETWORK) == 1
    assert lines[0] == "error: other: the survey has no patch of nothere"
    assert len(recorded()) == 2 * len(RUNTIMES)


def test_what_a_cluster_measured_is_recorded_machine_by_machine(outcomes):
    given, _, measure = outcomes
    there = given["compile"].environment.model_copy(update={"processor": "Another 9000"})
    given["compile"] = given["compile"].model_copy(update={"environment": there})
    assert measure() == 0
    counts = {
        path.parent.name: len(files.read(path).records)
        for path in places.RECORDED.glob("*/network_tiny.json")
    }
    assert len(counts) == 2
    assert next(count for name, count in counts.items() if "9000" in name) == 2
