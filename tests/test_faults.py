"""What goes wrong around a build, done for real: one clear line, and the last good book stays."""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest
from small_project import SmallProject, complaints
from worlds import NOW, equality

from investigation.evidence.environment import describe
from investigation.evidence.records import Evidence
from investigation.evidence.sealed import manifest

pytestmark = pytest.mark.slow

SIZE = "48m"
SLEEPER = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)"
SLEEP = "import time; time.sleep(600)"
GREEDY = """import resource
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
bytearray(2**32)"""
LACKING = """from investigation.compiled import omission, toolchain
from investigation.observe import instructions
print(instructions.unavailable_reason())
omission.needs(toolchain.require_cpp_compiler)"""
LIBC = ctypes.CDLL(None)
ENDED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def mounts():
    """Whether this test run may mount a file system of its own."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A project whose book is built, on a small disk of its own if possible.

    Built without compiler, valgrind and git, by a chapter that wants them.
    """
    disk = tmp_path_factory.mktemp("disk")
    mounted = mounts() and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(disk)], check=False
    ).returncode  # fmt: skip
    project = SmallProject(disk / "project")
    project.mounted = mounted and disk
    project.chapter("01_one", LACKING, "1 / 0")
    try:
        done = project.make("book", environment={"PATH": ""})
        assert done.returncode == 0, done.stderr
        project.chapter("01_one")  # from here on, one that runs anywhere
        project.whole = tmp_path_factory.mktemp("whole") / "project"
        shutil.copytree(project.folder, project.whole, symlinks=True)
        yield project
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def project(built):
    """The built project as it was, whatever an earlier test did to it."""
    yield built
    for process in built.processes():
        process.kill()
    if built.mounted:
        remount(built, "rw")
    built.build.chmod(0o755)
    if contents(built.folder) != contents(built.whole):
        for path in built.folder.iterdir():
            path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
        shutil.copytree(built.whole, built.folder, symlinks=True, dirs_exist_ok=True)


def contents(folder):
    """Return every file below a folder, links apart, with its content."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder): path.read_bytes() for path in files}


def good(project, folders):
    """Return what a reader has: pages, evidence and executed chapters."""
    return {name: contents(project.build / name) for name in folders}


@contextmanager
def unharmed(project, *folders):
    """Check that a failure leaves what these folders hold, by default all, and no process."""
    unchanged = folders or ("html", "results", "notebooks", "stamps")
    before = good(project, unchanged)
    yield
    assert good(project, unchanged) == before
    assert project.processes() == []


def test_what_a_machine_lacks_is_said_on_the_page_and_the_book_is_built(project):
    executed = (project.build / "notebooks" / "01_one.ipynb").read_text()
    assert "valgrind, callgrind_control, callgrind_annotate not found" in executed
    assert "**Not run on this machine: " in executed
    assert "had seed 1" in (project.build / "html" / "index.html").read_text()


def only_line(done):
    assert done.returncode != 0
    (line,) = complaints(done)
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([SLEEPER, SLEEP], "01_one, cell 4: it ran longer than its 4 s; TIME_LIMIT= sets another"),
        ([GREEDY], "01_one, cell 3: it asked for more memory than there is (MemoryError)"),
        ([SLEEPER, ENDED], "01_one, cell 4: the kernel died; a machine short of memory ends it so"),
    ],
    ids=["hangs", "is refused memory", "is killed for its memory"],
)
def test_a_chapter_that(project, cells, expected):
    with unharmed(project):
        project.chapter("01_one", *cells)
        assert only_line(project.make("book", "TIME_LIMIT=4")).startswith(expected)


def test_of_two_builds_in_a_folder_one_wins_and_can_be_stopped(project):
    with unharmed(project):
        project.chapter("01_one", SLEEPER, "from pathlib import Path; Path('begun').touch()", SLEEP)
        first = project.start("book")
        begun = project.folder / "notebooks" / "begun"
        until(begun.exists)
        second = project.make("book")
        assert only_line(second) == "another build is running in this folder; wait for it to end"
        os.killpg(first.pid, signal.SIGINT)
        _, output = first.communicate(timeout=30)
        assert "error: stopped; what had finished is kept" in output
        begun.unlink()


def until(condition, within_s=30):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))


def test_a_file_that_the_system_refuses_to_grow_is_said(project):
    with unharmed(project):
        done = project.make("book", "SEED=2", preexec_fn=small_files)
        assert "larger than this session may write (ulimit -f)" in only_line(done)


@pytest.mark.parametrize(
    ("left_kib", "unchanged"),
    [(0, ()), (600, ("html",))],
    ids=["full at once", "full when the pages are rendered"],
)
def test_a_full_disk_is_said(project, left_kib, unchanged):
    if not project.mounted:
        pytest.skip("mounting a small disk takes root")
    ballast = project.folder / "ballast"
    with unharmed(project, *unchanged):
        free = shutil.disk_usage(project.folder).free
        ballast.write_bytes(b"0" * (free - left_kib * 1024))
        try:
            line = only_line(project.make("book", "SEED=2"))
        finally:
            ballast.unlink()
        assert "the disk is full; free some space" in line


def test_a_read_only_folder_is_said(project):
    if not project.mounted:
        pytest.skip("mounting a read-only disk takes root")
    with unharmed(project):
        remount(project, "ro")
        try:
            done = project.make("book", "SEED=2")
        finally:
            remount(project, "rw")
        assert "a read-only file system; a build writes below build/" in only_line(done)


def remount(project, how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(project.mounted)], check=True)


# Root may write anywhere, by the two capabilities that a process can give up for good.
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def like_anybody():
    """Let the program that this process becomes ask for permission, root's or not."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        LIBC.prctl(PR_CAPBSET_DROP, capability)


def test_a_folder_that_may_not_be_written_is_said(project):
    assert project.make("book", "SEED=2").returncode == 0  # so that only pages are left to make
    with unharmed(project):
        project.build.chmod(0o555)
        done = project.make("book", "SEED=2", preexec_fn=like_anybody)
        project.build.chmod(0o755)
        assert "not allowed here; a build writes below build/" in only_line(done)


def test_a_record_that_was_edited_stops_the_build_with_its_path(project):
    machine = project.folder / "results" / "machine"
    machine.mkdir()
    record = Evidence(notebook="05_x", source_sha256="0", package_sha256="0", parameters={},
                    environment=describe(1), started=NOW, finished=NOW,
                    records=(equality("reference", 9),))  # fmt: skip
    (machine / "05_x.json").write_text(record.model_dump_json())
    manifest.seal(machine)
    (machine / "05_x.json").write_text(record.model_dump_json().replace('"tried":9', '"tried":8'))
    with unharmed(project):
        line = only_line(project.make("book"))
        shutil.rmtree(machine)
        assert line.startswith(f"{machine / '05_x.json'}: edited since it was sealed")


def test_a_build_after_a_fault_goes_through(project):
    with unharmed(project):
        project.chapter("01_one", "1 / 0")
        assert only_line(project.make("book")).startswith("01_one, cell 3: ZeroDivisionError")
    project.chapter("01_one")
    done = project.make("book", "SEED=3")
    assert done.returncode == 0, done.stderr
    assert "had seed 3" in (project.build / "html" / "index.html").read_text()
