"""What was recorded is what is read: every way in which a record can have changed is refused."""

import json

import pytest
from worlds import NOW, control, equality

from investigation.evidence.environment import describe
from investigation.evidence.records import Evidence
from investigation.evidence.sealed import manifest
from investigation.evidence.sealed.contest import ContestResult
from investigation.evidence.sealed.manifest import NAME, RecordError
from pipeline import __main__, places

HERE = describe(1)


def evidence_of(*records, environment=HERE):
    return Evidence(notebook="05_x", source_sha256="0", package_sha256="0", parameters={},
                    environment=environment, started=NOW, finished=NOW,
                    records=records)  # fmt: skip


def write(path, evidence):
    path.write_text(evidence if isinstance(evidence, str) else evidence.model_dump_json())


@pytest.fixture
def folder(tmp_path):
    """A machine's folder, sealed: a chapter's evidence and a contest."""
    folder = tmp_path / "some-machine"
    folder.mkdir()
    write(folder / "05_x.json", evidence_of(equality("reference", 9)))
    environment = {"processor": HERE.processor, "cores": HERE.cores}
    ContestResult(environment, {}).write(folder / "contest.json")
    manifest.seal(folder)
    return folder


def refusal(folder):
    with pytest.raises(RecordError) as refused:
        manifest.verify(folder)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_what_was_sealed_is_verified(folder):
    verified = manifest.verify(folder)
    assert verified.machine == "some-machine"
    assert {name: record.kind for name, record in verified.records.items()} == {
        "05_x.json": "evidence",
        "contest.json": "contest",
    }
    assert verified.records["05_x.json"].environment["torch"] == HERE.torch


def test_a_record_that_an_older_schema_wrote_stays_sealed(folder):
    old = evidence_of(equality("reference", 9)).model_dump_json()
    old = old.replace('"schema_version":4', '"schema_version":3').replace("statement", "says")
    write(folder / "05_x.json", old)
    manifest.seal(folder)
    assert manifest.verify(folder).records["05_x.json"].schema_version == 3


def edited(folder):
    path = folder / "05_x.json"
    path.write_text(path.read_text().replace('"tried":9', '"tried":8'))


def truncated(folder):
    path = folder / "05_x.json"
    path.write_text(path.read_text()[:-9])


def added(folder):
    write(folder / "06_y.json", evidence_of(equality("same_dtype", 9)))


def removed(folder):
    (folder / "contest.json").unlink()


def unsealed(folder):
    (folder / NAME).unlink()


def manifest_of_another_folder(folder):
    path = folder / NAME
    path.write_text(path.read_text().replace("some-machine", "other-machine"))


def manifest_of_another_schema(folder):
    path = folder / NAME
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 9', 1))


def manifest_cut_short(folder):
    path = folder / NAME
    path.write_text(path.read_text()[:40])


def manifest_without_digests(folder):
    (folder / NAME).write_text('{"schema_version": 1, "machine": "some-machine"}')


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [
        (edited, "05_x.json", "edited since it was sealed; `make seal MACHINE=some-machine`"),
        (truncated, "05_x.json", "truncated, "),
        (added, "06_y.json", "not in MANIFEST.json; `make seal MACHINE=some-machine`"),
        (removed, "contest.json", "sealed in MANIFEST.json, and not there"),
        (unsealed, "", "no MANIFEST.json; `make seal MACHINE=some-machine`"),
        (manifest_of_another_folder, NAME, "sealed for other-machine, and lies in some-machine"),
        (manifest_of_another_schema, NAME, "schema version 9, this book reads 1"),
        (manifest_cut_short, NAME, "not a readable JSON file"),
        (manifest_without_digests, NAME, "sealed: Field required"),
    ],
)
def test_a_changed_folder_is_refused_with_path_and_reason(folder, change, name, reason):
    change(folder)
    assert refusal(folder).startswith(f"{folder / name}: {reason}")


FAILED = evidence_of(control(passed=False))
OTHER_SCHEMA = json.dumps(json.loads(FAILED.model_dump_json()) | {"schema_version": 9})
OTHER_MACHINE = evidence_of(environment=HERE.model_copy(update={"processor": "Z80"}))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (FAILED, "control control.01_x.same failed: it holds"),
        (OTHER_SCHEMA, "schema version 9, this book reads 1, 2, 3 and 4"),
        ('{"schema": 7, "settings": {}, "trials": []}', "contest schema 7, expected 2"),
        ('{"schema": 7, "by_group": {}}', "instructions schema 7, expected 1"),
        ('{"settings": {}, "trials": [{}], "schema": 2}', "not a usable record of kind contest"),
        ('{"a": 1}', "no kind of record of this book; there are evidence, contest"),
        ("[1, 2]", "no kind of record of this book"),
        ("{", "not a readable JSON file"),
    ],
)
def test_a_record_that_says_nothing_can_be_neither_sealed_nor_slipped_in(folder, record, reason):
    write(folder / "05_x.json", record)
    with pytest.raises(RecordError, match=r"05_x\.json: ") as refused:
        manifest.seal(folder)
    assert reason in str(refused.value)
    forge(folder)
    assert reason in refusal(folder)


def forge(folder):
    """Write the digests of what lies there into the manifest, without looking."""
    path = folder / NAME
    forged = json.loads(path.read_text())
    content = (folder / "05_x.json").read_bytes()
    forged["records"]["05_x.json"] |= {
        "size_bytes": len(content),
        "sha256": manifest.digest(content),
    }
    path.write_text(json.dumps(forged))


def test_the_records_of_two_machines_are_not_sealed_together(folder):
    write(folder / "05_x.json", OTHER_MACHINE)
    with pytest.raises(RecordError, match=r"processor is Z80 in .* and .* in .*; a folder holds"):
        manifest.seal(folder)


def test_an_environment_that_the_manifest_does_not_know_is_refused(folder):
    path = folder / NAME
    path.write_text(path.read_text().replace(f'"torch": "{HERE.torch}"', '"torch": "0.1"'))
    assert "environment is {" in refusal(folder)


def test_the_command_seals_a_folder_and_lists_what_it_holds(folder, monkeypatch, capsys):
    monkeypatch.setattr(places, "RECORDED", folder.parent)
    (folder / NAME).unlink()
    assert __main__.main(["seal", "MACHINE=some-machine"]) == 0
    assert "05_x.json" in capsys.readouterr().out
    assert manifest.verify(folder)
    write(folder / "05_x.json", FAILED)
    assert __main__.main(["seal", "MACHINE=some-machine"]) == 1
    assert "control control.01_x.same failed" in capsys.readouterr().err


def test_an_empty_folder_has_nothing_to_seal(tmp_path):
    with pytest.raises(RecordError, match="no record to seal"):
        manifest.seal(tmp_path)


def test_what_is_committed_is_sealed():
    assert manifest.verify_all(manifest.RESULTS)
