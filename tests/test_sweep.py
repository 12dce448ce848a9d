"""A grid of settings: what is refused, what is measured, and what a lost worker loses."""

import itertools
import json
import os
import signal
import subprocess
from urllib.request import ProxyHandler, build_opener

import pytest
from bs4 import BeautifulSoup
from distributed import LocalCluster
from small_project import SmallProject
from tiny_cells import tiny
from worlds import NOW, multiply

from investigation.evidence.environment import describe
from investigation.evidence.records import Evidence
from pipeline import places
from pipeline.chapters import freshness
from pipeline.faults import BuildError
from pipeline.sweep import cells, cluster, environments, grid, sweep_pages
from pipeline.sweep.cells import Cell

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

GOOD = """
notebooks = ["one_setting"]
[grid]
shape = [[1, 2, 3, 4], [5, 6, 7, 8]]
dtype = ["float32", "bfloat16"]
[fixed]
budget_s = 0.5
"""


def spec_of(tmp_path, text, **options):
    path = tmp_path / "spec.toml"
    path.write_text(text)
    return grid.read(path, **options)


BAD = [
    ("notebooks = [", "not a TOML file ("),
    ("", "NOTEBOOKS is missing: allowed is a list of names"),
    ("notebooks = []\n[grid]", "NOTEBOOKS=: there are 00_instrument"),
    ('notebooks = "one_setting"\n[grid]', "NOTEBOOKS=one_setting: allowed is a list of names"),
    ('notebooks = ["../evil"]\n[grid]', "NOTEBOOKS=../evil: there are 00_instrument"),
    ('notebooks = ["one_setting"]', "GRID is missing: allowed is a table of lists"),
    ('notebooks = ["one_setting"]\ngrid = 3', "GRID=3: allowed is a table of lists"),
    ('notebooks = ["one_setting"]\n[grid]\nseed = 1', "GRID={'seed': 1}: allowed is a table of"),
    (GOOD + "colour = 1", "colour: no such parameter; there are device, threads"),
    ("colour = 1\n" + GOOD, "colour: no such parameter; there are notebooks, grid, fixed"),
    (GOOD.replace("dtype", "colour"), "no axis colour; there are torch, device, threads"),
    (
        GOOD.replace('["float32", "bfloat16"]', "[]"),
        "dtype has no values; allowed is a list of one",
    ),
    (GOOD.replace('"bfloat16"', '"float32"'), "dtype names a value twice"),
    (GOOD.replace('"bfloat16"', '"int8"'), "DTYPE=int8: allowed is float32, float64"),
    (GOOD.replace("5, 6, 7, 8", "5, 6"), "SHAPE=5,6: allowed are four sizes"),
    (GOOD.replace("0.5", "0"), "BUDGET=0: allowed is a number of seconds above 0"),
    (GOOD.replace("0.5", "true"), "BUDGET=True: allowed is a number of seconds above 0"),
    (GOOD.replace("budget_s = 0.5", 'dtype = "float32"'), "dtype is in grid and in fixed; allowed"),
    (GOOD.replace("dtype", "torch"), 'torch=float32: allowed is a version, such as "2.13.0"'),
    (
        GOOD.replace("dtype", "device").replace("bfloat16", "cpu"),
        "DEVICE=float32: this machine has",
    ),
]


@pytest.mark.parametrize(("text", "expected"), BAD)
def test_a_bad_spec_is_refused_in_one_line_with_its_path(tmp_path, text, expected):
    with pytest.raises(BuildError) as refused:
        spec_of(tmp_path, text)
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / 'spec.toml'}: ")
    assert expected in message
    assert "\n" not in message


def test_a_sweep_without_end_is_refused(tmp_path):
    seeds = GOOD.replace('dtype = ["float32", "bfloat16"]', f"seed = {list(range(9999))}")
    with pytest.raises(BuildError, match="more than 10000 cells"):
        spec_of(tmp_path, seeds)
    with pytest.raises(BuildError, match=r"bytes; allowed are 1048576"):
        spec_of(tmp_path, "#" * (grid.LARGEST_BYTES + 1))


def test_another_machine_may_have_what_this_one_lacks(tmp_path):
    cuda = GOOD.replace("dtype", "device").replace('"float32", "bfloat16"', '"cuda"')
    with pytest.raises(BuildError, match="DEVICE=cuda: this machine has"):
        spec_of(tmp_path, cuda)
    assert len(grid.cells(spec_of(tmp_path, cuda, elsewhere=True))) == 2
    with pytest.raises(BuildError, match="DEVICE=toaster: allowed is cpu, cuda"):
        spec_of(tmp_path, cuda.replace("cuda", "toaster"), elsewhere=True)


def test_the_example_has_the_cells_that_it_says(tmp_path):
    example = grid.read(places.PROJECT / "sweeps" / "example.toml")
    assert len(grid.cells(example)) == 24
    assert example.varied == ("shape", "dtype", "memory_format")
    assert len(grid.cells(spec_of(tmp_path, GOOD))) == 4


def test_an_axis_that_no_notebook_of_the_sweep_has_is_refused(tmp_path):
    spec = spec_of(tmp_path, GOOD.replace("dtype", "trials").replace('"float32", "bfloat16"', "7"))
    with pytest.raises(BuildError, match="trials: none of the sweep's notebooks has it; there are"):
        grid.cells(spec)


def test_an_axis_that_only_one_of_two_notebooks_has_varies_only_that_one(tmp_path):
    both = GOOD.replace('["one_setting"]', '["one_setting", "02_strides"]')
    cells = grid.cells(spec_of(tmp_path, both))
    assert [cell.notebook for cell in cells].count("one_setting") == 4
    assert [cell.notebook for cell in cells].count("02_strides") == 2


def test_a_key_holds_all_that_a_result_depends_on(tmp_path, monkeypatch):
    spec = spec_of(tmp_path, GOOD)
    keys = {cell.key for cell in grid.cells(spec)}
    assert {cell.key for cell in grid.cells(spec)} == keys
    monkeypatch.setattr(freshness, "code_sha256", lambda _: "other modules")
    assert keys.isdisjoint(cell.key for cell in grid.cells(spec))


def test_another_torch_gets_the_locked_requirements_but_for_what_is_bound_to_torch():
    lock = "numpy==2.4.6\nsympy==1.14.0\ntorch==2.13.0\ntorchlike==1 ; python_version < '4'\n"
    expected = "numpy==2.4.6\ntorchlike==1 ; python_version < '4'\ntorch==2.12.0\n"
    assert environments.requirements(lock, "2.12.0") == expected


@pytest.mark.usefixtures("workshop")
def test_a_torch_that_cannot_be_installed_is_said_and_leaves_no_environment(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setattr(environments, "requirements", lambda *_: "no-such-package==1.0\n")
    expected = (
        r"torch 0\.0\.1 cannot be installed here: No solution found .*: Because no-such-package"
    )
    with pytest.raises(environments.EnvironmentFailedError, match=expected) as refused:
        environments.make("0.0.1")
    assert "\n" not in str(refused.value)
    assert not environments.is_ready("0.0.1")
    assert environments.is_ready(environments.installed())


@pytest.mark.usefixtures("workshop")
def test_an_environment_has_what_was_asked_for_and_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(environments, "requirements", lambda *_: "")
    environments.make("0.0.1")
    assert environments.is_ready("0.0.1")
    where = [environments.python_with("0.0.1"), "-c", "import sys; print(sys.prefix)"]
    printed = subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip()
    assert printed == str(environments.folder_of("0.0.1"))
    monkeypatch.setattr(environments, "run", None)
    environments.make("0.0.1")


# On a cluster.


@pytest.fixture
def bench(workshop, monkeypatch):
    """A folder for results, and the evidence that every tiny cell finds."""
    monkeypatch.setattr(places, "SWEEPS", workshop / "build" / "sweeps")
    monkeypatch.setattr(places, "CELLS", workshop / "build" / "sweeps" / "cells")
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    evidence = Evidence(notebook="tiny", source_sha256="0", package_sha256="0", parameters={},
                    environment=describe(1), started=NOW, finished=NOW,
                    records=(multiply(1.02, "slower"),))  # fmt: skip
    (workshop / "evidence.json").write_text(evidence.model_dump_json())
    return workshop


def tiny_cells(bench, seeds):
    given = ({"seed": seed, "folder": str(bench)} for seed in seeds)
    return [Cell(notebook="tiny", torch="2.13.0", parameters=parameters,
                 key=f"{parameters['seed'] % 2**32:032x}")
            for parameters in given]  # fmt: skip


def log(bench):
    return [json.loads(line) for line in (bench / "log").read_text().splitlines()]


def kill_a_worker(client, done):
    if done == 12:
        pids = client.run(os.getpid)
        os.kill(min(pids.values()), signal.SIGKILL)


def test_a_sweep_survives_a_worker_and_never_measures_a_finished_cell_twice(bench):
    wanted = tiny_cells(bench, range(24))
    with (
        cluster._own_cluster(workers=2) as own,
        cluster.connected(own.scheduler_address, workers=0) as client,
    ):
        outcomes = cluster.run(client, wanted, tiny, progress=kill_a_worker)
        assert shown_at(client.dashboard_link) == 200
        assert [outcome.cell for outcome in outcomes] == wanted
        assert [outcome.failure for outcome in outcomes if outcome.failure] == []
        noted = log(bench)
        assert {key for key, *_ in noted} == {cell.key for cell in wanted}
        assert len(noted) <= 24 + 2, "only what the lost worker was at may be measured again"
        assert not overlapping(noted)
        again = cluster.run(client, wanted, tiny)
    assert again == outcomes
    assert log(bench) == noted


def shown_at(address):
    """Return the status of a page on this machine, whatever proxy is set for others."""
    assert address.startswith("http://127.0.0.1:")
    return build_opener(ProxyHandler({})).open(address).status


def overlapping(noted):
    """Return pairs of timings that shared the machine."""
    spans = sorted((began, ended) for _, began, ended in noted)
    return [(first, second) for first, second in itertools.pairwise(spans) if second[0] < first[1]]


def test_a_cell_that_fails_is_told_and_not_kept(bench):
    wanted = tiny_cells(bench, [-1, 5])
    with cluster.connected(None, workers=1) as client:
        failed, good = cluster.run(client, wanted, tiny)
    assert failed.failure == "control failed with seed -1"
    assert good.evidence
    assert len(log(bench)) == 3, "a failure is tried once more"
    assert [cluster.result_of(cell) is not None for cell in wanted] == [False, True]


def test_a_result_of_another_torch_than_was_asked_for_does_not_count(bench):
    cell, *_ = tiny_cells(bench, [3])
    other = cell.model_copy(update={"torch": "0.0.1"})
    with cluster.connected(None, workers=1) as client:
        (failed,) = cluster.run(client, [other], tiny)
    assert failed.failure.startswith(f"measured with torch {environments.installed()}")


def test_a_result_that_cannot_be_read_is_measured_again(bench):
    (cell,) = tiny_cells(bench, [1])
    cell.folder.mkdir(parents=True)
    cell.result.write_text('{"half": ')
    assert cluster.result_of(cell) is None
    assert not cells.is_kept(cell)


@pytest.mark.usefixtures("bench")
def test_where_no_scheduler_answers_it_is_said():
    with (
        pytest.raises(BuildError, match=r"SCHEDULER=tcp://127\.0\.0\.1:9: no scheduler answers"),
        cluster.connected("tcp://127.0.0.1:9", workers=1),
    ):
        pass


@pytest.mark.usefixtures("bench")
def test_a_cluster_that_may_time_nothing_is_refused():
    with (
        LocalCluster(
            n_workers=1,
            processes=False,
            protocol="tcp",
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as own,
        pytest.raises(BuildError, match="none of its 1 workers offers the resource timing; start"),
        cluster.connected(own.scheduler_address, workers=1),
    ):
        pass


# Its table and its page.

SCRIPT = "<script>alert(1)</script>"


def rows_of(verdicts):
    for number, verdict in enumerate(verdicts):
        yield {"notebook": "x", "dtype": ("float32", "float64")[number % 2], "shape": [number, 1],
               "record": "timing.x", "ratio": 1.0, "low": 0.9, "high": 1.1, "verdict": verdict,
               "failure": ""}  # fmt: skip


def test_table_and_page_show_every_cell_and_no_markup_of_theirs(tmp_path):
    rows = [*rows_of(["slower", "equivalent", "faster", "inconclusive"]),
            {"notebook": SCRIPT, "failure": SCRIPT}]  # fmt: skip
    page = sweep_pages.write(rows, ("dtype", "shape"), tmp_path / "mine")
    soup = BeautifulSoup(page.read_text(), "lxml")
    assert soup.find_all("script") == []
    assert soup.get_text().count(SCRIPT) == 2
    assert len(soup.select("tbody tr")) == len(rows)
    assert len(soup.select("figure .on-wide svg[aria-label]")) == 1
    assert "1 cell failed" in soup.get_text()
    assert (tmp_path / "mine" / "table.csv").read_text().count("\n") == 1 + len(rows)
    assert json.loads((tmp_path / "mine" / "table.json").read_text())[4]["failure"] == SCRIPT


def test_there_is_a_panel_for_each_combination_but_for_the_longest_axis():
    figure = sweep_pages.small_multiples(list(rows_of(["slower"] * 8)), ("dtype", "shape"))
    assert [axis.get_title() for axis in figure.axes if axis.get_title()] == ["float32", "float64"]


def test_a_real_sweep_of_a_small_project(tmp_path):
    project = SmallProject(tmp_path / "project")
    project.chapter("01_one")
    (project.folder / "two.toml").write_text('notebooks = ["01_one"]\n[grid]\nseed = [5]\n')
    done = project.make("sweep", "SPEC=two.toml", "WORKERS=1")
    assert done.returncode == 0, done.stderr
    assert "1 of 1 cells have their result" in done.stdout
    (result,) = (project.build / "sweeps" / "cells").glob("*/01_one.json")
    assert json.loads(result.read_text())["records"][0]["differing"] == 5
    assert project.processes() == []
