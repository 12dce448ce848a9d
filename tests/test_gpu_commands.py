"""`make gpu` and `make record`, and a chapter that goes on from another's evidence."""

import json
import re

import nbformat
import pytest
from asking import request

from investigation.evidence.sealed import gpu as gpu_record
from pipeline import building, places
from pipeline.chapters import freshness
from pipeline.cli import gpu
from pipeline.faults import BuildError


@pytest.mark.parametrize("word", ["", "DEVICE=cuda", "DEVICE=xpu"])
def test_without_a_gpu_there_is_one_line_that_says_what_this_machine_has(monkeypatch, word):
    monkeypatch.setattr("pipeline.cli.gpu.available_devices", lambda: ("cpu",))
    monkeypatch.setattr(PARAMETERS_DEVICES, lambda: ("cpu",))
    name = word.partition("=")[2] or "cuda"
    with pytest.raises(BuildError, match=f"^DEVICE={name}: this machine has cpu$"):
        gpu.measure(request(["gpu", *word.split()]).parameters, None)


LENGTH = re.compile(r"\d+ comparisons on the GPU, which take about (\d+) minutes\n")
PARAMETERS_DEVICES = "investigation.evidence.parameters.available_devices"


def test_the_processor_is_no_gpu():
    with pytest.raises(BuildError, match=r"^DEVICE=cpu: make gpu measures a GPU, such as cuda$"):
        gpu.chosen_device({"device": "cpu"})


def test_the_accelerator_that_is_there_is_taken_or_the_one_that_is_named(monkeypatch):
    monkeypatch.setattr("pipeline.cli.gpu.available_devices", lambda: ("cpu", "xpu"))
    monkeypatch.setattr(PARAMETERS_DEVICES, lambda: ("cpu", "xpu"))
    assert gpu.chosen_device({}) == "xpu"
    with pytest.raises(BuildError, match="DEVICE=cuda: this machine has cpu and xpu"):
        gpu.chosen_device({"device": "cuda"})


@pytest.mark.usefixtures("workshop")
def test_how_long_it_takes_is_said_before_it_starts_and_grows_with_the_budgets(monkeypatch, capsys):
    monkeypatch.setattr("pipeline.cli.gpu.available_devices", lambda: ("cpu", "cuda"))
    monkeypatch.setattr(PARAMETERS_DEVICES, lambda: ("cpu", "cuda"))
    printed = []
    monkeypatch.setattr(building, "build", lambda *_, **__: printed.append(capsys.readouterr().out))
    gpu.measure(request(["gpu"]).parameters, None)
    gpu.measure(request(["gpu", "BUDGET=6", "NETWORK_BUDGET=50"]).parameters, None)
    minutes = [int(LENGTH.fullmatch(line)[1]) for line in printed]
    assert 10 * minutes[0] - 10 <= minutes[1] <= 10 * minutes[0]


@pytest.mark.usefixtures("workshop")
def test_it_executes_the_chapter_anew_on_that_device(monkeypatch):
    builds = []
    monkeypatch.setattr("pipeline.cli.gpu.available_devices", lambda: ("cpu", "cuda"))
    monkeypatch.setattr(PARAMETERS_DEVICES, lambda: ("cpu", "cuda"))
    monkeypatch.setattr(building, "build", lambda *words, **named: builds.append((words, named)))
    gpu.measure(request(["gpu", "BUDGET=0.5"]).parameters, None)
    ((parameters,), named) = builds[0]
    assert parameters == {"budget_s": 0.5, "device": "cuda"}
    assert named == {"notebook": "07_gpu", "time_limit_s": None, "rerun": True}
    assert (places.NOTEBOOKS.parent / "build").exists()


def test_record_takes_the_variables_of_the_measurement_before_it():
    words = ["BUDGET=0.5", "NETWORK_BUDGET=2", "CHIPS=sm_90", "TIME_LIMIT=60"]
    assert request(["record", *words]).parameters == request(["gpu", *words]).parameters
    with pytest.raises(BuildError, match="COLOUR: no such parameter; there are DEVICE"):
        request(["record", "COLOUR=red"])


@pytest.mark.usefixtures("workshop")
def test_where_nothing_was_measured_there_is_nothing_to_record():
    with pytest.raises(gpu_record.RecordError, match="no GPU was measured here; make gpu does"):
        gpu.record()


def notebook(name, reads):
    cells = [nbformat.v4.new_code_cell("a = 1", metadata={"tags": ["parameters"]})]
    document = nbformat.v4.new_notebook(cells=cells)
    document.metadata["investigation"] = {"reads": reads}
    path = places.NOTEBOOKS / f"{name}.ipynb"
    nbformat.write(document, path)
    return path


@pytest.mark.usefixtures("workshop")
def test_a_chapter_depends_on_the_evidence_of_those_it_reads():
    path = notebook("07_later", ["results", "04_earlier"])
    places.RESULTS.mkdir(parents=True)
    before = freshness.fingerprint(path, {})
    (places.RESULTS / "04_earlier.json").write_text(json.dumps({"a": 1}))
    after = freshness.fingerprint(path, {})
    (places.RESULTS / "03_other.json").write_text(json.dumps({"a": 1}))
    assert before != after == freshness.fingerprint(path, {})


@pytest.mark.usefixtures("workshop")
def test_a_chapter_is_executed_again_after_one_that_it_reads(monkeypatch):
    earlier, later = notebook("04_earlier", []), notebook("07_later", ["04_earlier"])
    other = notebook("08_other", [])
    monkeypatch.setattr(freshness, "is_current", lambda path, _: path != earlier)
    outdated = building.outdated_of({earlier: {}, later: {}, other: {}}, force=False)
    assert list(outdated) == [earlier, later]
