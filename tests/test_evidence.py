import json
import os
from datetime import UTC, datetime

import jsonschema
import pytest
from pydantic import ValidationError

from investigation.evidence import records as evidence
from investigation.evidence.environment import describe
from investigation.evidence.records import Evidence, EvidenceError, Findings, Record

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make(*records):
    return Evidence(notebook="01_x", source_sha256="0" * 64, package_sha256="0" * 64,
                    parameters={}, environment=describe(1), started=NOW, finished=NOW,
                    records=records)  # fmt: skip


def record(record_id="topic.thing", **rest):
    return Record(id=record_id, kind="equality", says="it is so", value=True, **rest)


def test_what_is_written_is_read_back(tmp_path):
    kept = make(record(interval=(0.5, 1.5), confidence=0.95), record("topic.other"))
    evidence.write(kept, tmp_path / "one.json")
    assert evidence.read(tmp_path / "one.json") == kept


def test_a_written_file_satisfies_the_published_schema(tmp_path):
    evidence.write(make(record()), tmp_path / "one.json")
    jsonschema.validate(json.loads((tmp_path / "one.json").read_text()), evidence.schema())


def test_a_write_that_fails_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "one.json"
    evidence.write_atomically(path, "old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        evidence.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not json", "not a readable result file"),
        ("[]", "schema version None, this book reads 1 and 2"),
        ('{"schema_version": 3}', "schema version 3, this book reads 1 and 2"),
        ('{"schema_version": "2"}', "schema version '2', this book reads 1 and 2"),
        ('{"schema_version": true}', "schema version True, this book reads 1 and 2"),
        ('{"schema_version": 1}', "notebook: Field required"),
        ('{"schema_version": 2}', "notebook: Field required"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_path_and_the_reason(tmp_path, text, reason):
    path = tmp_path / "one.json"
    path.write_text(text)
    with pytest.raises(EvidenceError, match=reason) as refused:
        evidence.read(path)
    assert str(refused.value).startswith(str(path))


def test_a_record_of_the_first_schema_is_migrated_and_says_what_it_does_not_know(tmp_path):
    old = json.loads(make(record()).model_dump_json()) | {"schema_version": 1}
    del old["package_sha256"]
    (tmp_path / "one.json").write_text(json.dumps(old))
    migrated = evidence.read(tmp_path / "one.json")
    assert migrated.schema_version == evidence.SCHEMA_VERSION
    assert migrated.package_sha256 == "unknown"
    assert migrated.records == (record(),)


def test_an_interval_without_an_end_survives_json(tmp_path):
    open_ended = make(record(interval=(0.5, float("inf")), confidence=0.95))
    evidence.write(open_ended, tmp_path / "one.json")
    assert evidence.read(tmp_path / "one.json") == open_ended


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_json_cannot_hold_is_refused(value):
    with pytest.raises(ValidationError, match="allowed is a finite number"):
        Record(id="a.b", kind="timing", says="it is so", value=value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match="not a readable result file"):
        evidence.read(tmp_path / "none.json")


def test_an_id_that_is_used_twice_is_refused():
    with pytest.raises(ValidationError, match=r"recorded twice: topic\.thing"):
        make(record(), record())


def test_an_interval_needs_its_confidence_and_its_order():
    with pytest.raises(ValidationError, match="an interval and its confidence come together"):
        record(interval=(0.5, 1.5))
    with pytest.raises(ValidationError, match="an interval runs from low to high"):
        record(interval=(1.5, 0.5), confidence=0.95)


def test_failed_controls_are_named():
    kept = make(record("a.control", passed=False), record("b.control", passed=True), record())
    assert [one.id for one in kept.failed_controls] == ["a.control"]


def test_findings_know_a_records_family():
    findings = Findings((make(record("timing.a"), record("timing.b"), record("timings.c")),))
    assert [one.id for one in findings.under("timing")] == ["timing.a", "timing.b"]


def test_a_control_shows_itself_as_a_sentence():
    shown = record("a.control", passed=True)._repr_markdown_()
    assert shown == "Control `a.control` **held**: it is so; seen: True"
    assert record("a.fact", unit="bytes")._repr_markdown_() == "`a.fact` it is so; seen: True bytes"
