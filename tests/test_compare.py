"""Your run beside the published one: what changed, what agrees, and what cannot be compared."""

import json
import resource
import subprocess
import sys
import zipfile

import pytest
from bs4 import BeautifulSoup
from worlds import NOW, SLOW_MIX, fact, plain_world, slower_network, timing

from investigation.evidence.environment import describe
from investigation.evidence.records import Evidence, EvidenceError
from investigation.subject.cases import Case
from pipeline import __main__, comparing, comparison_pages, places, runs
from pipeline.faults import BuildError
from pipeline.runs import LARGEST_BYTES, Run, read_run

HERE = describe(1)
NETWORK = "timing.network.contiguous"


def evidence_of(world, notebook="04_x", parameters=None, **environment):
    return Evidence(notebook=notebook, source_sha256="0", package_sha256="0",
                    parameters=parameters or {}, started=NOW, finished=NOW,
                    environment=HERE.model_copy(update=environment),
                    records=tuple(world.values()))  # fmt: skip


def world(**changes):
    planted = {name.replace("__", "."): record for name, record in changes.items()}
    return plain_world() | planted


def compared(base, head):
    return comparing.compare(Run("base", (base,)), Run("head", (head,)))


def pair(comparison, record_id):
    return next(one for one in comparison.pairs if one.id == record_id)


def test_a_run_agrees_with_itself():
    same = compared(evidence_of(world()), evidence_of(world()))
    assert same.changed == ()
    assert {one.outcome for one in same.pairs} == {"agree"}
    assert same.differing_facts == ()


def test_a_changed_verdict_is_named_with_both():
    slower = compared(evidence_of(world()), evidence_of(world(**slower_network())))
    changed = {one.id: (one.base.status, one.head.status) for one in slower.changed}
    assert changed["P1"] == ("supported", "refuted")
    assert "V1" not in changed
    assert pair(slower, NETWORK).outcome == "differ"


def test_two_measurements_agree_where_their_intervals_touch():
    near = world(timing__network__contiguous=timing(NETWORK, 1.004, "equivalent", 0.002))
    far = world(timing__network__contiguous=timing(NETWORK, 1.0041, "equivalent", 0.002))
    base = evidence_of(world())
    assert pair(compared(base, evidence_of(near)), NETWORK).outcome == "agree"
    assert pair(compared(base, evidence_of(far)), NETWORK).outcome == "differ"


@pytest.mark.parametrize(
    ("environment", "obstacle"),
    [
        ({"torch": "2.99.0"}, f"torch {HERE.torch} against 2.99.0"),
        ({"processor": "Z80"}, f"processor {HERE.processor} against Z80"),
        ({"accelerator": "H200"}, "accelerator none against H200"),
        ({"threads": 7}, "threads 1 against 7"),
        ({"cores": 999}, f"cores {HERE.cores} against 999"),
        ({"capability": "none"}, f"capability {HERE.capability} against none"),
        ({"parameters": {"device": "cuda"}}, "device cpu against cuda"),
    ],
)
def test_what_keeps_two_measurements_from_being_compared_is_named(environment, obstacle):
    slow = world(**slower_network())
    other = compared(evidence_of(world()), evidence_of(slow, **environment))
    assert pair(other, NETWORK).outcome == "not comparable"
    assert pair(other, NETWORK).obstacles == (obstacle,)
    assert pair(other, "dispatch.expand_as").outcome == "agree", "a count is the same anywhere"
    assert obstacle in comparison_pages.text(other)
    assert obstacle in BeautifulSoup(comparison_pages.render(other), "lxml").get_text()


def test_another_shape_is_named():
    case = Case(slug="host1_before", name="smaller", shape=(8, 32, 32, 32), dtype="bfloat16")
    smaller = timing(NETWORK, 1.0, "equivalent").model_copy(update={"case": case})
    found = pair(
        compared(evidence_of(world()), evidence_of(world(timing__network__contiguous=smaller))),
        NETWORK,
    )
    assert found.obstacles == (
        "shape 128×32×32×32 against 8×32×32×32", "dtype float32 against bfloat16",
    )  # fmt: skip


def test_what_only_one_run_has_is_said_and_its_claims_are_untested():
    without = {key: one for key, one in plain_world().items() if key != NETWORK}
    less = compared(evidence_of(world()), evidence_of(without))
    assert pair(less, NETWORK).outcome == "only in base"
    (claim,) = (one for one in less.changed if one.id == "P1")
    assert claim.head.status == "untested"


def test_a_fact_that_differs_is_listed_and_a_control_is_no_finding():
    other = world(dispatch__expand_as=fact("dispatch.expand_as", 9, "dispatch"))
    other["a.control"] = fact("a.control", "held", passed=True)
    listed = compared(evidence_of(world()), evidence_of(other)).differing_facts
    assert [one.id for one in listed] == ["dispatch.expand_as"]


SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)>"


def test_nothing_from_a_record_becomes_markup_or_moves_a_cursor():
    hostile = world(some__fact=fact("some.fact", f"{SCRIPT}\x1b[2J", unit=SCRIPT))
    found = compared(evidence_of(world()), evidence_of(hostile, processor=SCRIPT, torch=SCRIPT))
    page = BeautifulSoup(comparison_pages.render(found), "lxml")
    assert page.find_all(["script", "img", "iframe", "object"]) == []
    assert SCRIPT in page.get_text()
    assert "default-src 'none'" in page.find("meta", {"http-equiv": True})["content"]
    assert "\x1b" not in comparison_pages.text(found)


@pytest.mark.parametrize(
    "nonsense",
    [
        fact("dispatch.expand_as", SCRIPT, "dispatch"),
        fact("equality.mixed", 3),
        fact(NETWORK, 1.0, "timing"),
    ],
    ids=["a text for a number", "no details", "no interval"],
)
def test_a_record_that_makes_no_sense_to_a_rule_is_refused_in_one_line(nonsense):
    with pytest.raises(BuildError, match="head: a record makes no sense to the rule of") as refusal:
        compared(evidence_of(world()), evidence_of(plain_world() | {nonsense.id: nonsense}))
    assert "\n" not in str(refusal.value)


# Where a run is read from.


@pytest.fixture
def build(tmp_path):
    folder = tmp_path / "build"
    write(folder / "results" / "04_x.json", evidence_of(world()))
    (folder / "stamps").mkdir()
    (folder / "stamps" / "04_x.json").write_text('{"inputs": "", "page": "", "evidence": ""}')
    return folder


def write(path, kept):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(kept.model_dump_json())


def packed(path, **entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return path


def test_a_run_is_found_in_a_build_a_folder_a_published_book_and_a_zip(build, tmp_path):
    text = (build / "results" / "04_x.json").read_text()
    write(tmp_path / "html" / "_downloads" / "abc" / "04_x.json", evidence_of(world()))
    archive = packed(tmp_path / "book.zip", **{"book/_downloads/abc/04_x.json": text,
                                               "book/index.html": "<p>"})  # fmt: skip
    found = [read_run(one) for one in (build, build / "results", tmp_path / "html", archive)]
    assert [one.evidences for one in found] == [(evidence_of(world()),)] * 4


def refused(path, error=BuildError):
    with pytest.raises(error) as refusal:
        read_run(path)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_folder_without_a_run_is_refused(tmp_path):
    (tmp_path / "01_a.json").write_text("{}")
    assert refused(tmp_path).startswith(f"{tmp_path}: holds no run's evidence")


def test_two_different_records_of_a_chapter_are_refused(build):
    write(build / "results" / "05_y.json", evidence_of({}))
    assert "holds two different records of 04_x" in refused(build)


def test_what_is_no_zip_or_no_evidence_is_refused(tmp_path):
    (tmp_path / "a.zip").write_text("no zip")
    assert "not a zip that can be read" in refused(tmp_path / "a.zip")
    bad = packed(tmp_path / "b.zip", **{"04_x.json": "{"})
    assert "b.zip: 04_x.json: not a readable JSON file" in refused(bad, EvidenceError)
    old = packed(tmp_path / "c.zip", **{"04_x.json": '{"notebook": 1, "records": []}'})
    assert "c.zip: 04_x.json: schema version None" in refused(old, EvidenceError)
    deep = packed(tmp_path / "d.zip", **{"04_x.json": "[" * 100_000})
    assert "not a readable JSON file" in refused(deep, EvidenceError)


def test_a_zip_that_swells_is_refused_before_it_is_read(tmp_path):
    bomb = packed(tmp_path / "bomb.zip", **{"04_x.json": b"0" * (LARGEST_BYTES + 1)})
    assert f"{LARGEST_BYTES + 1} bytes; allowed are {LARGEST_BYTES} a file" in refused(bomb)


def test_a_zip_is_never_unpacked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = {"../../04_x.json": evidence_of(world()).model_dump_json(), "/tmp/05_y.json": "[]"}
    before = set(tmp_path.rglob("*"))
    assert read_run(packed(tmp_path / "evil.zip", **evil)).evidences
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "evil.zip"}


# The command.


@pytest.mark.usefixtures("workshop")
@pytest.mark.parametrize(
    ("change", "status"), [({}, 0), (SLOW_MIX, 1)], ids=["the same", "a verdict changed"]
)
def test_the_exit_status_says_whether_a_verdict_changed(build, tmp_path, capsys, change, status):
    head = tmp_path / "head"
    write(head / "04_x.json", evidence_of(world(**change)))
    assert __main__.main(["compare", f"BASE={build}", f"HEAD={head}"]) == status
    said = capsys.readouterr().out
    assert ("Verdicts changed: T6" in said) == bool(status)
    kept = json.loads((places.BUILD / "compare" / "compare.json").read_text())
    assert bool(kept["verdicts_changed"]) == bool(status)
    assert (places.BUILD / "compare" / "index.html").exists()


@pytest.mark.usefixtures("workshop")
def test_an_error_has_a_status_of_its_own(tmp_path, capsys):
    assert __main__.main(["compare", f"BASE={tmp_path / 'none'}"]) == 2
    assert capsys.readouterr().err.startswith("error: BASE=")
    assert __main__.main(["compare", f"BASE={tmp_path}"]) == 2


def test_two_full_runs_are_compared_in_seconds(tmp_path):
    """Measured in processor time, which does not depend on what else the machine does."""
    details = {"processes": [{"ratio": 1.0, "warnings": ["none"] * 20}] * 20}
    for chapter in range(15):
        many = [timing(f"timing.c{chapter}.r{i}", 1.0, "equivalent") for i in range(100)]
        kept = {one.id: one.model_copy(update={"details": details}) for one in many}
        for run in ("base", "head"):
            name = f"{chapter:02}_x"
            write(tmp_path / run / f"{name}.json", evidence_of(kept, notebook=name))
    used_before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    words = [f"BASE={tmp_path / 'base'}", f"HEAD={tmp_path / 'head'}"]
    done = subprocess.run([sys.executable, "-m", "pipeline", "compare", *words],
                          cwd=runs.__file__.rsplit("/", 2)[0], capture_output=True, text=True,
                          env={"PATH": "", "MAKEFLAGS": ""}, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Of 1500 measurements 1500 agree" in done.stdout
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used_before < 5
