"""Your run beside the published one: what changed, what agrees, and what cannot be compared."""

import json
import os
import subprocess
import sys
import zipfile

import pytest
from bs4 import BeautifulSoup
from in_place_worlds import record
from worlds import (
    CASE,
    SLOW_MIX,
    by_identity,
    calls,
    control,
    evidence,
    multiply,
    network,
    plain_world,
    planted,
)

from investigation.evidence.environment import describe
from investigation.evidence.files import EvidenceError
from investigation.evidence.kinds.correctness import ScalarGate
from investigation.evidence.kinds.layouts import Layouts
from pipeline import __main__, places
from pipeline.compare import comparing, comparison_pages
from pipeline.compare.runs import LARGEST_BYTES, Run, read_run
from pipeline.faults import BuildError

HERE = describe(1)


def evidence_of(world, notebook="04_x", parameters=None, **environment):
    return evidence(*world.values(), notebook=notebook, parameters=parameters, **environment)


def compared(base, head):
    return comparing.compare(Run("base", (base,)), Run("head", (head,)))


def pair(comparison, record):
    return next(candidate for candidate in comparison.pairs if candidate.name == record.name)


STEP = network()[0]


def test_a_run_agrees_with_itself():
    same = compared(evidence_of(plain_world()), evidence_of(plain_world()))
    assert same.changed == ()
    assert {pairing.outcome for pairing in same.pairs} == {"agree"}
    assert same.differing_facts == ()


def test_a_changed_verdict_is_named_with_both():
    slower = compared(
        evidence_of(plain_world()), evidence_of(planted(*network(1.02)))
    )  # fmt: skip
    changed = {claim.id: (claim.base.status, claim.head.status) for claim in slower.changed}
    assert changed["P1"] == ("supported", "refuted")
    assert "V1" not in changed
    assert pair(slower, STEP).outcome == "differ"


def test_two_measurements_agree_where_their_intervals_touch():
    near, far = (evidence_of(planted(*network(ratio))) for ratio in (1.004, 1.0041))
    base = evidence_of(plain_world())
    assert pair(compared(base, near), STEP).outcome == "agree"
    assert pair(compared(base, far), STEP).outcome == "differ"


def test_two_lines_timed_in_place_are_measurements_that_agree_where_their_intervals_touch():
    base = evidence_of(by_identity([record(share=0.0005)]))
    for share, outcome in ((0.0008, "agree"), (0.0010, "differ")):
        comparison = compared(base, evidence_of(by_identity([record(share=share)])))
        assert [(pairing.measured, pairing.outcome) for pairing in comparison.pairs] == [
            (True, outcome)
        ]
    (other,) = compared(base, evidence_of(by_identity([record(batch=16)]))).pairs
    assert other.obstacles == ("batch 8 against 16",)
    assert comparison_pages.shown(other.base) == "+0.05 % (+0.03 to +0.07)"


@pytest.mark.parametrize(
    ("environment", "obstacle"),
    [
        ({"torch": "2.99.0"}, f"torch {HERE.torch} against 2.99.0"),
        ({"processor": "Z80"}, f"processor {HERE.processor} against Z80"),
        ({"accelerator": "H200"}, "accelerator none against H200"),
        ({"threads": 7}, "threads 1 against 7"),
        ({"cores": 999}, f"cores {HERE.cores} against 999"),
        ({"capability": "none"}, f"capability {HERE.capability} against none"),
    ],
)
def test_what_keeps_two_measurements_from_being_compared_is_named(environment, obstacle):
    slow = planted(*network(1.02))
    other = compared(evidence_of(plain_world()), evidence_of(slow, **environment))
    assert pair(other, STEP).outcome == "not comparable"
    assert pair(other, STEP).obstacles == (obstacle,)
    assert pair(other, calls("expand_as", 4)).outcome == "agree", "a count is the same anywhere"
    assert obstacle in comparison_pages.text(other)
    assert obstacle in BeautifulSoup(comparison_pages.render(other), "lxml").get_text()


def test_another_device_and_another_confidence_are_named():
    changes = {"device": "cuda", "confidence": 0.999}
    head = planted(multiply().model_copy(update=changes))
    compared_pair = pair(compared(evidence_of(plain_world()), evidence_of(head)), multiply())
    assert compared_pair.obstacles == ("device cpu against cuda", "confidence 0.95 against 0.999")


def test_another_shape_is_named():
    smaller = CASE.model_copy(update={"shape": (8, 32, 32, 32)})
    head = planted(multiply(case=smaller))
    compared_pair = pair(compared(evidence_of(plain_world()), evidence_of(head)), multiply())
    assert compared_pair.obstacles == ("shape 128×32×32×32 against 8×32×32×32",)


def test_what_only_one_run_has_is_said_and_its_claims_have_lost_evidence_and_not_changed():
    world = plain_world().items()
    without = {key: record for key, record in world if getattr(record, "level", None) != "network"}
    less = compared(evidence_of(plain_world()), evidence_of(without))
    assert pair(less, STEP).outcome == "only in base"
    (claim,) = (claim_pair for claim_pair in less.lost if claim_pair.id == "P1")
    assert claim.head.status == "untested"
    assert less.changed == ()
    assert "No verdict changed. Evidence lost: " in comparison_pages.text(less)
    assert "untested (evidence lost)" in comparison_pages.render(less)
    more = compared(evidence_of(without), evidence_of(plain_world()))
    assert (more.changed, more.lost) == ((), ())
    assert "(now decided)" in comparison_pages.render(more)


def test_a_request_that_one_run_has_no_evidence_of_has_lost_it_and_not_changed():
    without = {
        key: record for key, record in plain_world().items() if not isinstance(record, Layouts)
    }
    less = compared(evidence_of(plain_world()), evidence_of(without))
    assert {"D4", "T4", "V2"} == {claim.id for claim in less.lost}
    assert less.changed == ()


def test_a_fact_that_differs_is_listed_and_a_control_is_no_finding():
    other = planted(calls("expand_as", 9), control())
    listed = compared(evidence_of(plain_world()), evidence_of(other)).differing_facts
    assert [fact.name for fact in listed] == [calls("expand_as", 9).name]


SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)>"


def test_nothing_from_a_record_becomes_markup_or_moves_a_cursor():
    hostile = planted(
        ScalarGate(statement="x", operands=SCRIPT, expand_as=f"{SCRIPT}\x1b[2J", broadcast=SCRIPT)
    )
    comparison = compared(
        evidence_of(plain_world()), evidence_of(hostile, processor=SCRIPT, torch=SCRIPT)
    )
    page = BeautifulSoup(comparison_pages.render(comparison), "lxml")
    assert page.find_all(["script", "img", "iframe", "object"]) == []
    assert SCRIPT in page.get_text()
    assert "default-src 'none'" in page.find("meta", {"http-equiv": True})["content"]
    assert "\x1b" not in comparison_pages.text(comparison)


def test_a_run_with_two_records_of_one_identity_is_refused_and_both_chapters_are_named():
    twice = Run("head", (evidence(multiply(), notebook="04_x"), evidence(multiply())))
    with pytest.raises(EvidenceError, match=r"recorded twice: timing\.multiply.* in 04_x and"):
        comparing.compare(twice, twice)


# Where a run is read from.


@pytest.fixture
def build(tmp_path):
    folder = tmp_path / "build"
    write(folder / "results" / "04_x.json", evidence_of(plain_world()))
    (folder / "stamps").mkdir()
    (folder / "stamps" / "04_x.json").write_text('{"inputs": "", "page": "", "evidence": ""}')
    return folder


def write(path, evidence):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(evidence.model_dump_json())


def packed(path, **entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return path


def test_a_run_is_found_in_a_build_a_folder_a_published_book_and_a_zip(build, tmp_path):
    text = (build / "results" / "04_x.json").read_text()
    write(tmp_path / "html" / "_downloads" / "abc" / "04_x.json", evidence_of(plain_world()))
    archive = packed(tmp_path / "book.zip", **{"book/_downloads/abc/04_x.json": text,
                                               "book/index.html": "<p>"})  # fmt: skip
    read = [read_run(place) for place in (build, build / "results", tmp_path / "html", archive)]
    assert [run.evidences for run in read] == [(evidence_of(plain_world()),)] * 4


def failing(build, chapter="04_x", reason="04_x, cell 3: KeyError: 'buf6'"):
    (build / "failed").mkdir(exist_ok=True)
    (build / "failed" / f"{chapter}.txt").write_text(f"{reason}\n")


def test_a_chapter_that_failed_is_named_and_what_lies_there_of_it_is_not_taken(build):
    failing(build)
    assert "holds no run's evidence" in refused(build)
    write(build / "results" / "05_y.json", evidence_of({}, notebook="05_y"))
    failing(build, chapter="06_z", reason="06_z: control same failed: it is\nso")
    run = read_run(build)
    assert [evidence.notebook for evidence in run.evidences] == ["05_y"]
    assert run.failed == {
        "04_x": "04_x, cell 3: KeyError: 'buf6'",
        "06_z": "06_z: control same failed: it is so",
    }


def test_a_failed_chapter_does_not_take_the_others_with_it():
    slow = evidence_of(planted(SLOW_MIX), notebook="05_y")
    head = Run("head", (slow,), {"04_x": f"04_x, cell 3: KeyError: {SCRIPT}\x1b[2J"})
    comparison = comparing.compare(Run("base", (evidence_of(plain_world()),)), head)
    assert "T6" in [claim.id for claim in comparison.changed], "what there is, is compared"
    text, page = comparison_pages.text(comparison), comparison_pages.render(comparison)
    assert "04_x, cell 3: KeyError" in text
    assert "Chapters failed: 04_x." in text
    assert "\x1b" not in text
    assert BeautifulSoup(page, "lxml").find_all(["script", "img"]) == []
    assert "Chapters that failed in head" in page


def test_a_chapter_that_fails_in_both_runs_is_no_news():
    both = Run("one", (evidence_of(plain_world()),), {"06_z": "06_z: it failed"})
    assert comparing.compare(both, both).failed == {}


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
    evil = {"../../04_x.json": evidence_of(plain_world()).model_dump_json(), "/tmp/05_y.json": "[]"}
    before = set(tmp_path.rglob("*"))
    assert read_run(packed(tmp_path / "evil.zip", **evil)).evidences
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "evil.zip"}


# The command.


@pytest.mark.usefixtures("workshop")
@pytest.mark.parametrize(
    ("change", "status"), [((), 0), ((SLOW_MIX,), 1)], ids=["the same", "a verdict changed"]
)
def test_the_exit_status_says_whether_a_verdict_changed(build, tmp_path, capsys, change, status):
    head = tmp_path / "head"
    write(head / "04_x.json", evidence_of(planted(*change)))
    assert __main__.main(["compare", f"BASE={build}", f"HEAD={head}"]) == status
    printed = capsys.readouterr().out
    assert ("Verdicts changed: T6" in printed) == bool(status)
    data = json.loads((places.BUILD / "compare" / "compare.json").read_text())
    assert bool(data["verdicts_changed"]) == bool(status)
    assert (places.BUILD / "compare" / "index.html").exists()


@pytest.mark.usefixtures("workshop")
def test_a_failed_chapter_is_in_the_exit_status_and_in_the_data(build, tmp_path, capsys):
    head = tmp_path / "head"
    write(head / "results" / "04_x.json", evidence_of(plain_world()))
    failing(head, chapter="06_z", reason="06_z: it failed")
    assert __main__.main(["compare", f"BASE={build}", f"HEAD={head}"]) == 1
    assert "No verdict changed. Chapters failed: 06_z." in capsys.readouterr().out
    data = json.loads((places.BUILD / "compare" / "compare.json").read_text())
    assert data["chapters_failed"] == {"06_z": "06_z: it failed"}
    assert data["verdicts_changed"] == []


@pytest.mark.usefixtures("workshop")
def test_an_error_has_a_status_of_its_own(tmp_path, capsys):
    assert __main__.main(["compare", f"BASE={tmp_path / 'none'}"]) == 2
    assert capsys.readouterr().err.startswith("error: BASE=")
    assert __main__.main(["compare", f"BASE={tmp_path}"]) == 2


def replicated(case):
    timing = multiply(case=case)
    parts = [timing.alone.model_copy(update={"warnings": ("none",) * 20})] * 20
    return timing.model_copy(update={"alone": None, "processes": tuple(parts)})


def test_runs_of_many_chapters_and_processes_are_compared(tmp_path):
    case = [CASE.model_copy(update={"slug": f"case{i}"}) for i in range(60)]
    for number in range(15):
        mine = case[4 * number : 4 * (number + 1)]
        records = by_identity([replicated(record) for record in mine])
        for run in ("base", "head"):
            name = f"{number:02}_x"
            write(tmp_path / run / f"{name}.json", evidence_of(records, notebook=name))
    words = [f"BASE={tmp_path / 'base'}", f"HEAD={tmp_path / 'head'}"]
    done = subprocess.run([sys.executable, "-m", "pipeline", "compare", *words],
                          cwd=places.HERE, capture_output=True, text=True,
                          env=os.environ | {"PATH": "", "MAKEFLAGS": ""},
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Of 60 measurements 60 agree" in done.stdout
