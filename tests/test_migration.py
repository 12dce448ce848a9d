"""Evidence of older schemas is read, and decides what it decided."""

import json
import zipfile
from pathlib import Path

import pytest
from worlds import equality, evidence

from investigation.claims import ledger
from investigation.evidence import files
from investigation.evidence.files import EvidenceError
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.records import SCHEMA_VERSION
from pipeline.compare.runs import read_run

# A whole run of the book as it was under schema 2, with the verdicts of that time.
BOOK = Path(__file__).parent / "data" / "book_of_schema_2.zip"


@pytest.fixture(scope="module")
def old_run():
    return read_run(BOOK)


def raw(chapter):
    with zipfile.ZipFile(BOOK) as archive:
        return json.loads(archive.read(f"results/{chapter}.json"))


# Verdicts that today's rules give otherwise on the same evidence, and why.
OTHERWISE = {
    # Nothing in that book counts the tensors that compiled programs allocate more.
    "C3": ("qualified", "untested"),
    # A request is done; it is no statement that evidence supports.
    "D4": ("supported", "done"),
    # MNN writes the expansion out and is faster with it at two of four workloads.
    "X2": ("supported", "qualified"),
    # A gate of lower precision had not been tried over layouts.
    "T4": ("refuted", "untested"),
    "V2": ("supported", "untested"),
    # The remedies' times were not shown to be equal; not to be slower had been enough.
    "X3": ("supported", "untested"),
}


def test_every_verdict_of_a_book_of_schema_2_is_what_it_was_or_differs_for_a_reason(old_run):
    with zipfile.ZipFile(BOOK) as archive:
        then = json.loads(archive.read("claims.json"))
    was = {claim["id"]: claim["verdict"] for claim in then}
    now = {key: verdict.status for key, verdict in ledger.verdicts(old_run.findings).items()}
    assert {key: (was[key], now[key]) for key in was if was[key] != now[key]} == OTHERWISE
    # Released networks were not measured then.
    assert {key: now[key] for key in now.keys() - was} == {"X4": "untested"}


def test_every_chapter_of_schema_2_is_brought_up_to_this_schema(old_run):
    chapters = {path.stem for path in Path("notebooks").glob("[0-9]*.ipynb")}
    assert [evidence.notebook for evidence in old_run.evidences] == sorted(chapters - {"10_wild"})
    assert {evidence.schema_version for evidence in old_run.evidences} == {SCHEMA_VERSION}


def test_no_timing_is_lost_and_each_keeps_its_numbers(old_run):
    for chapter in old_run.evidences:
        old = [record for record in raw(chapter.notebook)["records"] if record["interval"]]
        new = [record for record in chapter.records if isinstance(record, Timing)]
        assert [(record["value"], tuple(record["interval"])) for record in old] == [
            (record.ratio, record.interval) for record in new
        ]


def test_a_record_of_the_first_schema_says_what_it_does_not_know():
    old = raw("01_broadcasting") | {"schema_version": 1}
    del old["package_sha256"]
    migrated = files.parse(old)
    assert migrated.package_sha256 == "unknown"
    assert migrated.records == files.parse(raw("01_broadcasting")).records


def test_a_record_that_schema_2_did_not_have_is_refused_by_name():
    old = raw("01_broadcasting")
    stranger = old["records"][0] | {"id": "gossip.heard"}
    with pytest.raises(EvidenceError, match=r"no record of schema 2 is called gossip\.heard"):
        files.parse(old | {"records": [stranger]})


@pytest.mark.parametrize("change", [{"details": None}, {"id": 7}, {"details": {}}])
def test_a_record_of_schema_2_that_lacks_something_is_refused_in_one_line(change):
    old = raw("04_eager_cost")
    broken = next(record for record in old["records"] if record["interval"]) | change
    with pytest.raises(EvidenceError) as refused:
        files.parse(old | {"records": [broken]})
    assert "\n" not in str(refused.value)


def schema_3(evidence):
    """Evidence as schema 3 wrote it: what a record states was called `says`."""
    old = json.loads(evidence.model_dump_json()) | {"schema_version": 3}
    for record in old["records"]:
        record["says"] = record.pop("statement")
    return old


def test_a_record_of_schema_3_keeps_what_it_states():
    current = evidence(equality("reference", 1))
    assert files.parse(schema_3(current)) == current


@pytest.mark.parametrize("records", [None, 7, ["a record"]])
def test_records_of_schema_3_that_are_none_are_refused_in_one_line(records):
    old = schema_3(evidence(equality("reference", 1))) | {"records": records}
    with pytest.raises(EvidenceError, match=r"^.*not the records of schema 3.*$"):
        files.parse(old)


def test_evidence_of_this_schema_is_not_touched():
    current = evidence(equality("reference", 1))
    assert files.parse(json.loads(current.model_dump_json())) == current
