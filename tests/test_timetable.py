"""Which chapters run beside each other: never one that may time something."""

import signal
import threading
import time
from itertools import chain

import nbformat
import pytest
from worlds import evidence

from investigation.evidence import imports
from pipeline import guard, places
from pipeline.chapters import freshness, timetable
from pipeline.faults import BuildError

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

# Says that it has begun, and waits until another one has.
TOGETHER = """
from pathlib import Path
from threading import Event

Path(f"{name}.begun").touch()
for _ in range(300):
    if len(list(Path().glob("*.begun"))) > 1:
        break
    Event().wait(0.1)
else:
    raise RuntimeError("it ran alone")
"""
# Fails if another one is running when it begins, or begins before it ends.
ALONE = """
import time
from pathlib import Path

assert len(list(Path().glob("*.begun"))) == len(list(Path().glob("*.ended")))
Path(f"{name}.begun").touch()
time.sleep(0.5)
assert len(list(Path().glob("*.begun"))) == len(list(Path().glob("*.ended"))) + 1
"""
# In the place of chapter.close().
CLOSE = """
import os
from pathlib import Path
from investigation.evidence.provenance import source_sha256

source = source_sha256(Path(f"{name}.ipynb"))
text = Path("../evidence.json").read_text().replace("01_x", name)
text = text.replace('"source_sha256":"0"', f'"source_sha256":"{source}"')
Path(os.environ["INVESTIGATION_RESULTS"], f"{name}.json").write_text(text)
Path(f"{name}.ended").touch()
"""
HANG = """
from pathlib import Path
from threading import Event
from subprocess import Popen

Popen(["sleep", "600"], start_new_session=True)
Path(f"{name}.begun").touch()
Event().wait(600)
"""


@pytest.fixture
def chapter(workshop):
    """What writes a chapter of a workshop."""
    (workshop / "evidence.json").write_text(evidence().model_dump_json())

    def write(name, *cells, reads=()):
        code_cells = [nbformat.v4.new_code_cell(source) for source in (f"name = {name!r}", *cells)]
        code_cells[0].metadata["tags"] = ["parameters"]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        metadata = {"kernelspec": kernel, "investigation": {"reads": list(reads)}}
        path = places.NOTEBOOKS / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=code_cells, metadata=metadata), path)
        return path

    return write


def execute(*notebooks):
    timetable.Execution({notebook: {} for notebook in notebooks}).execute()


def names(turns):
    return [[notebook.stem for notebook in turn] for turn in turns]


def test_no_chapter_of_the_book_that_can_reach_the_timer_runs_beside_another():
    together = [turn for turn in timetable.turns(places.discover()) if len(turn) > 1]
    assert together
    for notebook in chain.from_iterable(together):
        for module in ("measure", "clock", "noise", "device.queue"):
            timer = f"{places.PACKAGE.name}.timing.{module}"
            assert not imports.chain(notebook, places.PACKAGE, timer)


@pytest.mark.parametrize(
    "code",
    ["import time", "from time import sleep", "from timeit import timeit",
     "from torch.utils.benchmark import Timer", "from torch.utils import benchmark",
     "from planted import watch"],
)  # fmt: skip
def test_a_chapter_with_a_clock_of_any_kind_runs_alone(workshop, chapter, code):
    (workshop / "planted" / "watch.py").write_text("def now():\n    import time\n")
    quiet, other, timed = chapter("01_a"), chapter("02_b"), chapter("03_c", code)
    assert names(timetable.turns([quiet, timed, other])) == [["01_a", "02_b"], ["03_c"]]
    together = timetable.turns([quiet, timed, other], alone_when_timed=False)
    assert names(together) == [["01_a", "03_c", "02_b"]], "where no time is read"


def test_a_chapter_comes_after_those_that_it_reads(chapter):
    timed, reader = chapter("01_a", "import time"), chapter("02_b", reads=["01_a", "results"])
    quiet, last = chapter("03_c", reads=["04_d"]), chapter("04_d", reads=["02_b"])
    turns = timetable.turns([timed, reader, quiet, last])
    assert names(turns) == [["03_c"], ["01_a"], ["02_b"], ["04_d"]]


def test_chapters_without_a_clock_run_side_by_side_and_one_with_a_clock_alone(chapter, capfd):
    chapters = [chapter("01_a", TOGETHER, CLOSE), chapter("02_b", ALONE, CLOSE),
            chapter("03_c", TOGETHER, CLOSE), chapter("04_d", ALONE, CLOSE)]  # fmt: skip
    execute(*chapters)
    assert all(freshness.is_current(notebook, {}) for notebook in chapters)
    printed = capfd.readouterr().err
    assert "[1/4] 01_a\n" in printed
    assert "[2/4] 03_c, beside 01_a\n" in printed
    assert "[3/4] 02_b" in printed


def test_of_two_side_by_side_one_fails_and_the_other_is_kept(chapter):
    fails = chapter("01_a", TOGETHER, "1 / 0")
    good, never = chapter("02_b", TOGETHER, CLOSE), chapter("03_c", "import time", CLOSE)
    with pytest.raises(BuildError, match=r"^01_a, cell 3: ZeroDivisionError: division by zero$"):
        execute(fails, good, never)
    assert freshness.is_current(good, {})
    assert not freshness.products(never)[0].exists()


def test_two_side_by_side_are_stopped_together_with_all_that_they_started(chapter):
    both = [chapter("01_a", HANG), chapter("02_b", HANG)]
    threading.Thread(target=interrupt_when_begun, args=(places.NOTEBOOKS, len(both))).start()
    with pytest.raises(KeyboardInterrupt):
        execute(*both)
    assert guard.marked(str(places.BUILD)) == []


def interrupt_when_begun(folder, number):
    deadline = time.monotonic() + 60
    while len(list(folder.glob("*.begun"))) < number and time.monotonic() < deadline:
        time.sleep(0.1)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
