"""From a finished execution to the book: what is stamped, refused, and finished after a kill."""

import json
import shutil
from pathlib import Path

import pytest
from worlds import NOW, equality

from investigation.evidence import files
from investigation.evidence.environment import describe
from investigation.evidence.provenance import source_sha256
from investigation.evidence.records import Evidence
from pipeline import building, places
from pipeline.chapters import freshness, promotion, recovery
from pipeline.faults import BuildError
from pipeline.pages import rendering

PARAMETERS = {"tags": ["parameters"]}
INJECTED = {"tags": ["injected-parameters"]}


def cell(source, metadata=PARAMETERS):
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [],
            "execution_count": None, "id": "one"}  # fmt: skip


def write_notebook(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"papermill": {"input_path": "/somewhere/01_tiny.ipynb", "version": "2"}}
    document = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(document))


@pytest.fixture
def notebook(workshop):
    path = workshop / "notebooks" / "01_tiny.ipynb"
    write_notebook(path, cell("size = 1"))
    return path


def executed(notebook, value=1, source="size = 1", **provenance):
    """Lay out what an execution leaves in its staging folder; return the folder."""
    staging = places.STAGING / notebook.stem
    write_notebook(staging / notebook.name, cell(source), cell("size = 3", INJECTED))
    evidence = Evidence(notebook="01_tiny", environment=describe(1), started=NOW, finished=NOW,
                    package_sha256="p" * 64, parameters={"size": 3},
                    records=(equality("reference", 9, value),),
                    **({"source_sha256": source_sha256(notebook)} | provenance))  # fmt: skip
    files.write(evidence, staging / f"{notebook.stem}.json")
    return staging


def put_in_place(notebook, **changes):
    staging = executed(notebook, **changes)
    promotion.prepare(notebook, staging, freshness.fingerprint(notebook, {}))
    promotion.promote(staging)


def test_an_executed_notebook_carries_its_provenance(notebook):
    put_in_place(notebook)
    page, result = freshness.products(notebook)
    origin = promotion.provenance(page)
    assert origin["source_sha256"] == source_sha256(notebook)
    assert origin["parameters"] == {"size": 3}
    assert origin["package_sha256"] == "p" * 64
    assert origin["environment"]["torch"] == describe(1).torch
    assert origin["started"] == origin["finished"] == "2026-01-01T00:00:00Z"
    assert origin["evidence_sha256"] == freshness.stamp_of(page, result, "")["evidence"]
    assert "somewhere" not in page.read_text()
    assert promotion.matching(notebook)
    assert freshness.is_current(notebook, {})


def test_a_notebook_that_was_edited_while_it_ran_is_refused(notebook):
    staging = executed(notebook, source="size = 2")
    with pytest.raises(BuildError, match="01_tiny: it was edited while it ran; run the same again"):
        promotion.prepare(notebook, staging, "inputs")
    assert not (staging / promotion.READY).exists()


def test_evidence_of_another_notebook_than_the_page_is_refused(notebook):
    with pytest.raises(BuildError, match="01_tiny: it was edited while it ran"):
        put_in_place(notebook, source_sha256="0" * 64)


def test_a_page_of_an_older_source_waits_for_its_execution(notebook):
    put_in_place(notebook)
    write_notebook(notebook, cell("size = 2"))
    assert not promotion.matching(notebook)


def test_a_notebook_that_was_never_executed_waits(notebook):
    assert not promotion.matching(notebook)


def test_evidence_that_its_page_was_not_made_with_is_refused(notebook):
    put_in_place(notebook)
    _, result = freshness.products(notebook)
    result.write_text(result.read_text().replace('"differing": 1', '"differing": 2'))
    expected = r"01_tiny: its evidence is not what its page was made with; `make rerun NOTEBOOK="
    with pytest.raises(BuildError, match=expected):
        promotion.matching(notebook)


def test_a_build_refuses_a_page_whose_evidence_was_exchanged_note_and_all(notebook, workshop):
    (workshop / "results").mkdir()
    put_in_place(notebook)
    page, result = freshness.products(notebook)
    result.write_text(result.read_text().replace('"differing": 1', '"differing": 2'))
    forged = freshness.stamp_of(page, result, freshness.fingerprint(notebook, {}))
    freshness.stamp_path(notebook).write_text(json.dumps(forged))
    with pytest.raises(BuildError, match="01_tiny: its evidence is not what its page was made"):
        building.build({})
    assert not places.HTML.exists()


def test_a_note_that_cannot_be_read_outdates_its_notebook(notebook):
    put_in_place(notebook)
    freshness.stamp_path(notebook).write_text("{")
    assert not freshness.is_current(notebook, {})


@pytest.mark.parametrize("moves", [0, 1, 2, 3])
def test_a_promotion_that_was_killed_between_its_moves_is_finished(notebook, moves):
    put_in_place(notebook, value=1)
    staging = executed(notebook, value=2)
    promotion.prepare(notebook, staging, freshness.fingerprint(notebook, {}))
    page, result = freshness.products(notebook)
    order = [(page.name, page), (result.name, result),
             (promotion.READY, freshness.stamp_path(notebook))]  # fmt: skip
    for name, target in order[:moves]:
        (staging / name).replace(target)
    recovery.carry_on()
    assert files.read(result).records[0].value == 2
    assert freshness.is_current(notebook, {})
    assert promotion.matching(notebook)
    assert not any(places.STAGING.iterdir())


def test_an_execution_that_was_killed_leaves_nothing_and_changes_nothing(notebook):
    put_in_place(notebook)
    executed(notebook, value=2)
    _, result = freshness.products(notebook)
    for folder in (places.BUILD, result.parent):
        (folder / ".one.json.abc.part").write_text("half")
    recovery.carry_on()
    assert not any(places.STAGING.iterdir())
    assert recovery.unfinished() == []
    assert files.read(result).records[0].value == 1
    assert freshness.is_current(notebook, {})


def test_a_book_that_was_being_put_aside_comes_back(workshop):
    del workshop
    places.RETIRED.mkdir()
    (places.RETIRED / "index.html").write_text("the last good one")
    recovery.carry_on()
    assert (places.HTML / "index.html").read_text() == "the last good one"
    assert not places.RETIRED.exists()


class Killed(BaseException):
    """What ends a build at once, as a kill does."""


@pytest.mark.usefixtures("workshop")
@pytest.mark.parametrize(("moves", "expected"), [(0, "old"), (1, "old"), (2, "new")])
def test_a_book_whose_exchange_was_killed_between_its_moves_is_whole(monkeypatch, moves, expected):
    for folder, text in ((places.HTML, "old"), (places.RENDERED / "_build" / "html", "new")):
        folder.mkdir(parents=True)
        (folder / "index.html").write_text(text)
    left, rename = iter(range(moves)), Path.rename

    def until_killed(path, target):
        if next(left, None) is None:
            raise Killed
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", until_killed)
        patch.setattr(shutil, "rmtree", lambda *_, **__: until_killed("", ""))
        with pytest.raises(Killed):
            rendering.swap_in()
    recovery.carry_on()
    assert (places.HTML / "index.html").read_text() == expected
    assert not places.RETIRED.exists()
    assert not places.RENDERED.exists()
