"""A killed build: nothing that had finished is lost, and nothing stays behind.

The suite kills twice: the kernel while a cell runs, and the whole build while pages are rendered.
To kill at random moments, as often as wanted and with a seed to repeat them: `make kills`, or
`KILLS=8 KILL_SEED=1 .venv/bin/python -m pytest tests/test_kills.py`.
"""

import json
import os
import random
import signal
import time
from contextlib import suppress

import psutil
import pytest
from small_project import SmallProject

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "0"))
SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().getrandbits(32))
CHAPTERS = ("01_one", "02_two")
GONE_WITHIN_S = 15
# A cell that does not end for as long as a test wants it to.
STAYS = """
import time
from pathlib import Path

while Path("../stay").exists():
    Path("../stays").touch()
    time.sleep(0.02)
"""
VICTIMS = {
    "kernel": "pipeline.chapters.kernel",
    "pipeline": "-m pipeline ",  # papermill runs inside it
    "watcher": "guard.py",
    "renderer": "jupyter-book",
    "make": "make",
    "group": "make",
}


def victims(project, kind):
    """Return the processes of one kind that are running now."""
    processes = []
    for process in project.processes():
        with suppress(psutil.Error):
            if VICTIMS[kind] in " ".join(process.cmdline()[:4]):
                processes.append(process)
    return processes


def kill(project, started, kind):
    """Kill one process of a kind, or the whole group; return whether there was one."""
    if kind == "group":
        os.killpg(started.pid, signal.SIGKILL)
        return True
    chosen = victims(project, kind)
    for process in chosen[:1]:
        with suppress(psutil.Error):
            process.kill()
    return bool(chosen)


def moments(draw, longest_s):
    """Yield what to kill, the likeliest first, and when: once something is seen, or at random."""
    if not KILLS:
        yield ["kernel"], in_a_cell
        yield ["group"], rendering
    for _ in range(KILLS):
        kinds = draw.sample(sorted(VICTIMS), k=len(VICTIMS))
        yield kinds, after(draw.random() * longest_s)


def in_a_cell(project):
    """Tell whether a chapter is in the cell that does not end, which this asks for."""
    (project.folder / "stay").touch()
    return (project.folder / "stays").exists()


def rendering(project):
    """Tell whether the pages are being rendered."""
    return bool(victims(project, "renderer"))


def after(seconds):
    """Return whether a moment has passed, as a function of any project."""
    due = time.monotonic() + seconds
    return lambda _: time.monotonic() >= due


def kill_when(is_time, project, seed, kinds):
    """Start a build and kill a part of it when it is time; return what, and all in words."""
    began = time.monotonic()
    started, kind = project.start("book", f"SEED={seed}"), None
    try:
        while kind is None and started.poll() is None:
            if is_time(project):
                kind = next((one for one in kinds if kill(project, started, one)), None)
            time.sleep(0.02)
    finally:
        (project.folder / "stay").unlink(missing_ok=True)
    took_s = time.monotonic() - began
    started.communicate(timeout=120)
    return kind, f"SEED={seed}, {kind} after {took_s:.1f} s, status {started.returncode}"


def left_over(project):
    """Return what still runs once a killed build has had the time to end."""
    deadline = time.monotonic() + GONE_WITHIN_S
    while (processes := project.processes()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return [process.as_dict(["pid", "cmdline"]) for process in processes if process.is_running()]


def products(project):
    """Return what each chapter's last execution left: its page's seed, its evidence's, its stamp.

    Reading fails if a file is half written.
    """
    state = {}
    for name in CHAPTERS:
        page = json.loads((project.build / "notebooks" / f"{name}.ipynb").read_text())
        result = json.loads((project.build / "results" / f"{name}.json").read_text())
        seed = page["metadata"]["investigation"]["provenance"]["parameters"]["seed"]
        stamp = project.build / "stamps" / f"{name}.json"
        state[name] = (seed, result["records"][0]["differing"], stamp.stat().st_mtime_ns)
    return state


def lost(project, before, seed, story):
    """Check that each chapter is as it was before or whole and new, and the book whole."""
    for name, (page, result, stamp) in products(project).items():
        old = before[name][0]
        assert {page, result} <= {old, seed}, story
        if page != result:  # killed between two moves: the next build makes the second
            assert (project.build / "staging" / name / "ready.json").exists(), story
        if old == seed:
            assert stamp == before[name][2], f"{story}: {name} had finished, and ran again"
    assert "The end." in book(project), story


def book(project):
    """Return the text of the book's page, which is whole."""
    text = (project.build / "html" / "index.html").read_text()
    assert text.rstrip().endswith("</html>")
    return text


@pytest.mark.timeout(240 + 60 * KILLS)
def test_a_build_killed_at_any_moment_loses_nothing(tmp_path):
    print(f"\nKILL_SEED={SEED}")
    draw = random.Random(SEED)
    project = SmallProject(tmp_path / "ein Büch 書")
    for name in CHAPTERS:
        project.chapter(name, STAYS)
    began, seed = time.monotonic(), 0
    first = project.make("book", f"SEED={seed}", without="HOME")
    assert first.returncode == 0, first.stderr
    longest_s = time.monotonic() - began
    for number, (kinds, is_time) in enumerate(moments(draw, longest_s), start=1):
        before = products(project)
        # At random: go on with the killed build, or want another. Else there is all to execute.
        seed = draw.choice((seed, number)) if KILLS else number
        killed, story = kill_when(is_time, project, seed, kinds)
        assert KILLS or killed in kinds, story
        print(f"{number:4}: {story}", flush=True)
        assert left_over(project) == [], story
        lost(project, before, seed, story)
    last = project.make("book", f"SEED={seed}")
    assert last.returncode == 0, last.stderr
    assert {state[:2] for state in products(project).values()} == {(seed, seed)}
    assert all(f"{name} had seed {seed}." in book(project) for name in CHAPTERS)
    assert [path.name for path in project.build.rglob(".*.part")] == []
    assert list((project.build / "staging").iterdir()) == []
