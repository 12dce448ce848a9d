"""How notebooks are stored: what is stripped, what is kept, and the faults that a check reports."""

import json
from copy import deepcopy

import pytest

from pipeline import places
from pipeline.upkeep import tidy

TIDY = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Größe\n", "\n", "x"]},
        {"cell_type": "code", "execution_count": None, "id": "b", "outputs": [],
         "metadata": {"tags": ["parameters"]}, "source": ["seed = 1\n", "budget_s = 1"]},
    ],
    "metadata": {**tidy.KERNEL, "investigation": {"reads": ["results"]}},
    "nbformat": 4,
    "nbformat_minor": 5,
}  # fmt: skip


def as_stored(document):
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def printed(document):
    document["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1"]}]


def counted(document):
    document["cells"][1]["execution_count"] = 7


def folded(document):
    document["cells"][0]["metadata"]["collapsed"] = True


def versioned(document):
    document["metadata"]["language_info"] = {"name": "python", "version": "3.11.7"}


def named_anew(document):
    document["metadata"]["kernelspec"] = {"display_name": "my venv", "name": "venv"}


def widgets(document):
    document["metadata"]["widgets"] = {}


@pytest.fixture
def notebook(workshop):
    (workshop / "planted" / "claims").mkdir()
    (workshop / "planted" / "claims" / "__init__.py").touch()
    path = places.NOTEBOOKS / "01_tiny.ipynb"
    path.write_text(as_stored(TIDY))
    return path


def test_a_tidy_notebook_has_no_fault_and_is_left_alone(notebook, capsys):
    before = notebook.stat().st_mtime_ns
    assert list(tidy.faults(notebook)) == []
    assert tidy.main([]) == tidy.main(["check"]) == 0
    assert capsys.readouterr().out == ""
    assert (notebook.read_text(), notebook.stat().st_mtime_ns) == (as_stored(TIDY), before)


METADATA = "its metadata is not only kernelspec, language_info, investigation, as in every notebook"


@pytest.mark.parametrize(
    ("leave", "fault"),
    [
        (printed, "cell 2 has outputs; make tidy strips it"),
        (counted, "cell 2 has an execution count; make tidy strips it"),
        (folded, "cell 1 has metadata other than tags; make tidy strips it"),
        (versioned, f"{METADATA}; make tidy strips it"),
        (named_anew, f"{METADATA}; make tidy strips it"),
        (widgets, f"{METADATA}; make tidy strips it"),
    ],
)
def test_what_an_editor_leaves_is_named_in_a_line_and_stripped(notebook, capsys, leave, fault):
    document = deepcopy(TIDY)
    leave(document)
    notebook.write_text(as_stored(document))
    assert tidy.main(["check"]) == 1
    assert capsys.readouterr().out.endswith(f"notebooks/01_tiny.ipynb: {fault}\n")
    assert notebook.read_text() == as_stored(document), "a check changes nothing"
    assert tidy.main([]) == 0
    assert notebook.read_text() == as_stored(TIDY)


def one_string_a_cell(document):
    cells = [cell | {"source": "".join(cell["source"])} for cell in document["cells"]]
    return as_stored(document | {"cells": cells})


def two_lines_in_one(document):
    return as_stored(document).replace('"seed = 1\\n",\n    "budget', '"seed = 1\\nbudget')


@pytest.mark.parametrize(
    "write",
    [
        one_string_a_cell,
        two_lines_in_one,
        lambda document: as_stored(document).rstrip("\n"),
        lambda document: json.dumps(document, sort_keys=True, ensure_ascii=False) + "\n",
        lambda document: json.dumps(document, indent=1, sort_keys=True) + "\n",
        lambda document: json.dumps(dict(reversed(document.items())), indent=1) + "\n",
    ],
    ids=[
        "one string a cell",
        "two lines in one",
        "no last newline",
        "one line",
        "escapes",
        "another order",
    ],
)
def test_what_is_written_another_way_is_written_anew(notebook, write):
    notebook.write_text(write(TIDY))
    assert list(tidy.faults(notebook)) == [
        "not stored as lines, keys sorted, indented by 1; make tidy stores it so"
    ]
    tidy.store(notebook)
    assert notebook.read_text() == as_stored(TIDY)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": [{"cell_type": "poem"}]}'])
def test_what_is_not_a_notebook_is_said_and_left_as_it_is(notebook, capsys, text):
    notebook.write_text(text)
    assert tidy.main([]) == 1
    printed = capsys.readouterr().out
    assert "notebooks/01_tiny.ipynb: not a notebook of format 4: " in printed
    assert printed.count("\n") == 1
    assert notebook.read_text() == text


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("from planted.claims import rules", "imports planted.claims.rules; claims are judged"),
        ("from planted import figures",
         "imports planted.figures, which imports planted.claims.rules; claims are judged"),
        ("%timeit 1", "01_tiny, cell 2, line 1: invalid syntax"),
    ],
)  # fmt: skip
def test_a_notebook_that_imports_what_judges_claims_is_a_fault(workshop, notebook, code, fault):
    (workshop / "planted" / "claims" / "rules.py").touch()
    (workshop / "planted" / "figures.py").write_text("from planted.claims import rules\n")
    document = deepcopy(TIDY)
    document["cells"][1]["source"] = [code]
    notebook.write_text(as_stored(document))
    (complaint,) = tidy.faults(notebook)
    assert complaint.startswith(fault)


def test_another_word_than_check_is_refused(notebook, capsys):
    notebook.write_text("untouched")
    assert tidy.main(["chek"]) == 1
    assert capsys.readouterr().err == "error: chek: allowed is check, or nothing\n"
    assert notebook.read_text() == "untouched"
