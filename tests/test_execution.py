"""Small notebooks, really executed: what a build keeps, refuses and prints."""

import json
import os

import nbformat
import pytest

from pipeline import guard, places
from pipeline.chapters import execution, freshness, notebooks, timetable
from pipeline.faults import BuildError

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

EVIDENCE = """
import json, os, pathlib
from investigation.evidence.environment import describe
from investigation.evidence.provenance import source_sha256

record = {record}
kept = dict(schema_version=4, notebook="01_tiny", package_sha256="0", parameters={{"size": size}},
            source_sha256=source_sha256(pathlib.Path("01_tiny.ipynb")),
            environment=describe(1).model_dump(), started="2026-01-01T00:00:00Z",
            finished="2026-01-01T00:00:01Z", records=[record])
pathlib.Path(os.environ["INVESTIGATION_RESULTS"], "01_tiny.json").write_text(json.dumps(kept))
"""
GOOD = {"type": "equality", "aspect": "reference", "statement": "it is so", "of": "products",
        "tried": 1, "differing": 0}  # fmt: skip


def write_notebook(workshop, *sources, tags=("parameters",), name="01_tiny"):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = list(tags)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    path = workshop / "notebooks" / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


def run(notebook, **parameters):
    execute(notebook, parameters)


def execute(notebook, parameters, **options):
    with guard.watched(str(places.BUILD)) as mark:
        execution.execute(notebook, parameters, "[1/1]", mark, **options)


def good_notebook(workshop, record=GOOD):
    return write_notebook(workshop, "size = 1", EVIDENCE.format(record=record))


HAS_ROOM = """
from investigation.timing import crossings
assert not any(calls.cross for calls in crossings.from_here(100))
"""


def test_a_cell_has_room_for_its_calls_and_loads_its_own_folder_last(workshop):
    (workshop / "notebooks" / "zmq.py").write_text("raise ImportError('not that of the kernel')")
    run(write_notebook(workshop, "size = 1", HAS_ROOM, EVIDENCE.format(record=GOOD)))


def test_a_good_run_leaves_page_evidence_and_stamp(workshop):
    notebook = good_notebook(workshop)
    run(notebook, size=3)
    assert json.loads((places.RESULTS / "01_tiny.json").read_text())["parameters"] == {"size": 3}
    assert (places.EXECUTED / "01_tiny.ipynb").exists()
    assert freshness.is_current(notebook, {"size": 3})
    assert not any(places.STAGING.iterdir())


def test_a_failure_is_noted_until_the_notebook_runs(workshop):
    notebook = write_notebook(workshop, "size = 1", "raise KeyError('buf6')")
    with pytest.raises(BuildError):
        run(notebook)
    noted = places.FAILED / "01_tiny.txt"
    assert noted.read_text() == "01_tiny, cell 2: KeyError: 'buf6'\n"
    good_notebook(workshop)
    run(notebook)
    assert not noted.exists()


def test_a_build_that_keeps_going_executes_the_others_and_fails_at_the_end(workshop):
    timed = "size = 1\nimport time"  # so that one runs after the other
    broken = write_notebook(workshop, timed, "raise KeyError('buf6')", name="00_broken")
    good = write_notebook(workshop, timed, EVIDENCE.format(record=GOOD))
    plan = {broken: {}, good: {}}
    with pytest.raises(BuildError, match=r"^00_broken, cell 2: KeyError: 'buf6'$"):
        timetable.Execution(plan).execute()
    assert not freshness.is_current(good, {}), "without it, the first that fails is the last"
    with pytest.raises(BuildError, match=r"^00_broken, cell 2: KeyError: 'buf6'$"):
        timetable.Execution(plan, keep_going=True).execute()
    assert freshness.is_current(good, {})


def test_what_makes_a_run_outdated(workshop, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(workshop))
    module = workshop / "planted" / "variants.py"
    module.write_text("A = 1\n")
    cells = ["size = 1", "from planted import variants", EVIDENCE.format(record=GOOD)]
    notebook = write_notebook(workshop, *cells)
    run(notebook)
    assert freshness.is_current(notebook, {})
    assert not freshness.is_current(notebook, {"size": 2}), "another parameter"
    module.write_text("A = 2\n")
    assert not freshness.is_current(notebook, {}), "a module that it imports changed"
    module.write_text("A = 1\n")
    assert freshness.is_current(notebook, {})
    evidence = places.RESULTS / "01_tiny.json"
    text = evidence.read_text()
    evidence.write_text(text.replace("it is so", "it is not"))
    assert not freshness.is_current(notebook, {}), "the evidence was edited"
    evidence.write_text(text)
    write_notebook(workshop, "size = 2", *cells[1:])
    assert not freshness.is_current(notebook, {}), "the notebook changed"


def test_a_cell_that_is_not_python_is_named_before_anything_runs(workshop):
    notebook = write_notebook(workshop, "size = 1", "size = 2\n%timeit size")
    with pytest.raises(BuildError, match=r"^01_tiny, cell 2, line 2: invalid syntax$"):
        run(notebook)


def test_a_notebooks_outputs_are_no_part_of_its_source(workshop):
    notebook = good_notebook(workshop)
    before = freshness.fingerprint(notebook, {})
    document = nbformat.read(notebook, as_version=4)
    document.cells[0].outputs = [nbformat.v4.new_output("stream", text="seen")]
    nbformat.write(document, notebook)
    assert freshness.fingerprint(notebook, {}) == before


def test_a_new_record_outdates_only_the_notebooks_that_read_records(workshop):
    blind, reader = (write_notebook(workshop, "size = 1", name=name) for name in ("01_a", "02_b"))
    document = nbformat.read(reader, as_version=4)
    document.metadata["investigation"] = {"reads": ["results"]}
    nbformat.write(document, reader)
    before = {notebook: freshness.fingerprint(notebook, {}) for notebook in (blind, reader)}
    (workshop / "results" / "machine").mkdir(parents=True)
    (workshop / "results" / "machine" / "contest.json").write_text("{}")
    assert freshness.fingerprint(blind, {}) == before[blind]
    assert freshness.fingerprint(reader, {}) != before[reader]


FAILED_CONTROL = """
from investigation.display.chapter import Chapter
Chapter("01_tiny").control("bits", "it is so", "it is not", passed=False)
"""
FAILED = {"type": "control", "chapter": "01_tiny", "control": "bits", "statement": "it is so",
          "seen": "it is not", "passed": False}  # fmt: skip


@pytest.mark.parametrize(
    ("story", "sources", "expected"),
    [
        ("a cell that raises", ["size = 1", "1 / 0"],
         "01_tiny, cell 2: ZeroDivisionError: division by zero"),
        ("a failed control", ["size = 1", FAILED_CONTROL],
         "01_tiny, cell 2: ControlFailedError: bits: expected: it is so; seen: it is not"),
        ("no evidence", ["size = 1", "pass"],
         "01_tiny: it wrote no evidence; its last cell is chapter.close()"),
        ("a control that failed and was kept",
         ["size = 1", EVIDENCE.format(record=FAILED)],
         "01_tiny: control control.01_tiny.bits failed: it is so"),
        ("a kernel that dies", ["size = 1", "import os; os._exit(1)"],
         "01_tiny, cell 2: the kernel died; a machine short of memory ends it so"),
    ],
)  # fmt: skip
def test_a_run_that_fails_says_where_and_why_and_keeps_the_last_good_one(
    workshop, story, sources, expected
):
    good = [places.EXECUTED / "01_tiny.ipynb", places.RESULTS / "01_tiny.json"]
    for path in good:
        path.parent.mkdir()
        path.write_text("the last good one")
    notebook = write_notebook(workshop, *sources)
    with pytest.raises(BuildError) as failed:
        run(notebook)
    assert str(failed.value) == expected, story
    assert [path.read_text() for path in good] == ["the last good one"] * 2
    assert not freshness.is_current(notebook, {})


def test_a_notebook_that_hangs_is_ended(workshop):
    notebook = write_notebook(workshop, "size = 1", "import time; time.sleep(60)")
    with pytest.raises(
        BuildError, match="01_tiny, cell 2: it ran longer than its 3 s; TIME_LIMIT="
    ):
        execute(notebook, {}, time_limit_s=3)


def test_a_notebooks_time_limit_is_its_own_and_grows_with_what_is_asked_of_it(workshop):
    notebook = write_notebook(workshop, "budget_s = 0.5\nseed = 1")
    assert notebooks.time_limit(notebook, {}) == notebooks.TIME_LIMIT_S
    document = nbformat.read(notebook, as_version=4)
    document.metadata["investigation"] = {"time_limit_s": 60}
    nbformat.write(document, notebook)
    assert notebooks.time_limit(notebook, {"seed": 99, "budget_s": 0.1}) == 60
    assert notebooks.time_limit(notebook, {"budget_s": 2}) == 240


def test_the_failed_page_is_kept_for_a_look(workshop):
    with pytest.raises(BuildError):
        run(write_notebook(workshop, "size = 1", "1 / 0"))
    assert "ZeroDivisionError" in (places.FAILED / "01_tiny.ipynb").read_text()


def test_a_parameter_that_the_notebook_does_not_declare_is_refused(workshop):
    notebook = good_notebook(workshop)
    with pytest.raises(BuildError, match="01_tiny: no parameter `colour` in its parameters cell"):
        run(notebook, colour="red")
    with pytest.raises(BuildError, match="colour: no notebook has this parameter; there are size"):
        notebooks.chosen([notebook], {"colour": "red"})


def test_a_notebook_without_a_parameters_cell_is_refused(workshop):
    notebook = write_notebook(workshop, "size = 1", tags=())
    with pytest.raises(BuildError, match="01_tiny: no cell is tagged `parameters`"):
        run(notebook)


def test_a_notebook_that_names_no_kernel_is_refused(workshop):
    path = write_notebook(workshop, "size = 1")
    document = nbformat.read(path, as_version=4)
    del document.metadata["kernelspec"]
    nbformat.write(document, path)
    with pytest.raises(BuildError, match="01_tiny: its metadata names no kernel; python3 is meant"):
        run(path)


def test_a_parameter_reaches_only_the_notebooks_that_declare_it(workshop):
    first = write_notebook(workshop, "size = 1", name="01_tiny")
    second = write_notebook(workshop, "seed = 1", name="02_tiny")
    assert notebooks.chosen([first, second], {"seed": 5}) == {first: {}, second: {"seed": 5}}


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """Leave no trace of a build in this process's environment."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
