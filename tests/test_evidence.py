import json
import os

import jsonschema
import pytest
from pydantic import ValidationError
from worlds import CASE, control, equality, evidence, multiply, network, plain_world

from investigation.evidence import files
from investigation.evidence.files import EvidenceError
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.records import TYPES, Evidence


def test_what_is_written_is_read_back(tmp_path):
    written = evidence(*plain_world().values())
    files.write(written, tmp_path / "one.json")
    assert files.read(tmp_path / "one.json") == written


def test_a_written_file_satisfies_the_published_schema(tmp_path):
    files.write(evidence(*plain_world().values(), control()), tmp_path / "one.json")
    jsonschema.validate(json.loads((tmp_path / "one.json").read_text()), files.schema())


def test_the_schema_names_every_type_of_record():
    union = files.schema()["properties"]["records"]["items"]["discriminator"]["mapping"]
    assert set(union) == set(TYPES)


def test_a_write_that_fails_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "one.json"
    files.write_atomically(path, "old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        files.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not json", "not a readable result file"),
        ("[]", "schema version None, this book reads 1, 2, 3 and 4"),
        ('{"schema_version": 5}', "schema version 5, this book reads 1, 2, 3 and 4"),
        ('{"schema_version": "4"}', "schema version '4', this book reads 1, 2, 3 and 4"),
        ('{"schema_version": true}', "schema version True, this book reads 1, 2, 3 and 4"),
        ('{"schema_version": 4}', "notebook: Field required"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_path_and_the_reason(tmp_path, text, reason):
    path = tmp_path / "one.json"
    path.write_text(text)
    with pytest.raises(EvidenceError, match=reason) as refused:
        files.read(path)
    assert str(refused.value).startswith(str(path))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match="not a readable result file"):
        files.read(tmp_path / "none.json")


def test_an_interval_without_an_end_survives_json(tmp_path):
    open_ended = evidence(multiply().model_copy(update={"interval": (0.5, float("inf"))}))
    files.write(open_ended, tmp_path / "one.json")
    assert files.read(tmp_path / "one.json") == open_ended


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_hold_is_refused(value):
    with pytest.raises(ValidationError, match="allowed is a finite number"):
        multiply().model_validate(multiply().model_dump() | {"ratio": value})


def test_two_records_of_one_identity_are_refused_by_name():
    with pytest.raises(ValidationError, match=r"recorded twice: timing\.multiply\.broadcast"):
        evidence(multiply(1.0), multiply(1.2, "slower"))


def test_what_a_record_is_about_tells_it_apart_and_what_was_seen_does_not():
    assert multiply(1.0).identity == multiply(1.2, "slower").identity
    others = [
        multiply(case=CASE.with_gate("bfloat16")),
        multiply(case=CASE.with_format("channels_last")),
        multiply(series="sizes"),
        multiply(runtime="eager"),
        multiply(quantity="cold"),
        multiply(role="control"),
        multiply(machine="nvidia-h200"),
    ]
    assert len({multiply().identity, *(other.identity for other in others)}) == 1 + len(others)


def test_a_replication_is_another_record_than_a_comparison_in_one_process():
    alone = multiply()
    parts = alone.model_dump() | {"alone": None, "processes": [alone.alone.model_dump()] * 2}
    several = Timing.model_validate(parts)
    assert several.replicated
    assert several.identity != alone.identity
    with pytest.raises(ValueError, match="measured in several processes"):
        _ = several.single
    for broken in ({"processes": []}, {"alone": alone.alone.model_dump()}):
        with pytest.raises(ValidationError, match="either one process's numbers or several"):
            Timing.model_validate(parts | broken)


def test_for_what_an_interval_holds_is_read_from_how_often_things_were_made():
    of_objects = multiply()
    anew = of_objects.alone.model_copy(update={"preparations": 16, "between_percent": 0.3})
    of_programs = of_objects.model_copy(update={"alone": anew})
    of_processes = of_objects.model_copy(update={"alone": None, "processes": (anew, anew)})
    held = [timing.holds_for for timing in (of_objects, of_programs, of_processes)]
    assert held == ["objects", "programs", "processes"]
    assert of_objects.identity == of_programs.identity


def test_a_name_is_made_of_the_identity_and_fit_for_a_file():
    first, second, *_ = network()
    assert first.name == "timing.network.broadcast.expand_as.end_to_end.workloads.inference." + (
        "contiguous.measurement"
    )
    assert first.name != second.name


def test_failed_controls_are_named():
    with_failure = evidence(
        control("same", passed=False), control("arms"), equality("reference", 1)
    )
    assert [failed.control for failed in with_failure.failed_controls] == ["same"]


def test_a_record_shows_itself_as_a_sentence():
    assert control()._repr_markdown_() == "Control **held**: it holds; seen: so"
    assert control(passed=False)._repr_markdown_().startswith("Control **failed**: ")
    assert equality("reference", 1, 0)._repr_markdown_() == "reference: 0"


def test_an_unknown_field_or_type_is_refused_with_its_place():
    raw = json.loads(evidence(equality("reference", 1)).model_dump_json())
    with pytest.raises(EvidenceError, match=r"records\.0\.equality\.colour: Extra inputs"):
        files.parse(raw | {"records": [raw["records"][0] | {"colour": "red"}]})
    with pytest.raises(EvidenceError, match=r"records\.0: Input tag 'gossip'"):
        files.parse(raw | {"records": [raw["records"][0] | {"type": "gossip"}]})


def test_every_type_says_what_it_is_about():
    for name, type_ in TYPES.items():
        assert set(type_.about) <= {*type_.model_fields, "replicated"}, name
    assert Evidence.model_fields["schema_version"].default == 4
