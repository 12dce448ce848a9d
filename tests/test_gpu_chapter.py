"""The GPU chapter without Triton, without a compiler and without an earlier chapter's evidence."""

import os

import nbformat
import papermill
import pytest

from investigation.evidence import files
from investigation.evidence.kinds.gpus import HiddenFrom, PredictedTime
from investigation.evidence.questions import Findings, ask
from pipeline import places
from pipeline.chapters.execution import manager

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

HIDDEN = 'import sys\nsys.modules["triton"] = None\n'
SMALL = {"shape": [4, 8, 4, 4], "batch": 2, "resnet_batch": 1}


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The chapter's page as text, and its evidence, from a machine that has nothing but torch."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "sitecustomize.py").write_text(HIDDEN)
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", path)
        patch.setenv("CXX", "/nowhere/c++")
        patch.setenv("INVESTIGATION_RESULTS", str(folder))
        patch.setenv("INVESTIGATION_EVIDENCE", str(folder / "nothing"))
        papermill.execute_notebook(
            str(places.NOTEBOOKS / "07_gpu.ipynb"),
            str(folder / "07_gpu.ipynb"),
            SMALL,
            cwd=str(places.NOTEBOOKS),
            kernel_manager_class=manager(dict(os.environ), places.NOTEBOOKS),
            progress_bar=False,
        )
    cells = nbformat.read(folder / "07_gpu.ipynb", as_version=4).cells
    outputs = (output for cell in cells for output in cell.get("outputs", ()))
    shown = "\n".join(str(output.get("data", output)) for output in outputs)
    return shown, files.read(folder / "07_gpu.json")


def test_without_triton_that_is_said_and_the_rest_is_there(bare):
    shown, evidence = bare
    assert "Not run on this machine: Triton" in shown
    kinds = {record.kind for record in evidence.records}
    assert not kinds & {"agreement", "full_size_tensors", "fused_away", "traffic"}
    assert {"launches", "predicted_time"} <= kinds
    assert evidence.failed_controls == ()


def test_without_the_eager_chapter_nothing_is_predicted_of_the_host(bare):
    shown, evidence = bare
    assert "The eager chapter has not run on this machine" in shown
    findings = Findings((evidence,))
    predicted = findings.answers(ask(PredictedTime))
    assert predicted
    assert {prediction.bound for prediction in predicted} == {None}
    assert findings.answers(ask(HiddenFrom)) == ()


def test_the_page_says_how_to_add_a_measurement_exactly_while_there_is_none(bare):
    shown, evidence = bare
    measured = bool(Findings((evidence,)).machines)
    for words in ("No GPU measurement exists yet", "make gpu record", "untested on a GPU"):
        assert (words in shown) is not measured
