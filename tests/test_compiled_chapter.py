"""The compiled chapter without a compiler."""

import nbformat
import pytest
from whole_book import building_in

from investigation.claims import ledger
from investigation.display.tables import listing
from investigation.evidence import files
from investigation.evidence.questions import Findings
from pipeline import guard, places
from pipeline.chapters import execution

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def without_compiler(tmp_path_factory):
    """The chapter's page and evidence, executed without a C++ compiler."""
    notebook = places.NOTEBOOKS / "06_compiled.ipynb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXX", "/nowhere/c++")
        with building_in(tmp_path_factory.mktemp("build")):
            with guard.watched(str(places.BUILD)) as mark:
                execution.execute(notebook, {}, "[1/1]", mark)
            page = nbformat.read(places.EXECUTED / notebook.name, as_version=4)
            return page, files.read(places.RESULTS / "06_compiled.json")


def outputs(page):
    shown = [output for cell in page.cells for output in cell.get("outputs", [])]
    return ["".join(output.get("data", {}).values()) for output in shown]


def test_the_chapter_says_in_one_line_that_there_is_no_compiler(without_compiler):
    page, _ = without_compiler
    notes = [text for text in outputs(page) if "Not run on this machine" in text]
    assert len(notes) == 1
    assert "torch.compile needs a C++ compiler for a CPU" in notes[0]


def test_the_chapter_still_closes_with_the_place_of_its_claims_and_its_environment(
    without_compiler,
):
    page, _ = without_compiler
    (place,) = (cell for cell in page.cells if "claims" in cell.metadata.get("tags", []))
    assert place.source == "## What was found"
    text = "".join(outputs(page))
    assert "make rerun NOTEBOOK=06_compiled" in text
    assert "the claims that this chapter decides are untested" in text


def test_its_claims_are_untested_and_say_what_it_would_take(without_compiler):
    _, evidence = without_compiler
    assert evidence.records == ()
    verdicts = ledger.verdicts(Findings((evidence,)))
    for claim in ("C3", "D3", "P3"):
        assert verdicts[claim].status == "untested"
        assert "C++ compiler" in verdicts[claim].sentence


def test_a_listing_shows_its_text_as_it_is_and_is_not_ended_by_it():
    text = "if (a < b) <script>\n```\n# no heading"
    assert listing(text, "cpp").data == f"````cpp\n{text}\n````"
