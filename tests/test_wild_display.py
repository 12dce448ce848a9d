"""What the chapter shows of recorded packages and networks, read back from what it draws."""

import csv
import io

import pytest
from worlds import evidence, released

from investigation.display import figure_data, outcomes, wild, wild_figures
from investigation.evidence import files
from investigation.evidence.kinds.released import ReleasedEquality, ReleasedProgram
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.kinds.wild import Left, Survey, SurveyedPackage, Taken
from investigation.evidence.sealed.manifest import RecordError

XNNPACK = "executorch_xnnpack"
TIMED = [
    released("one_net", "eager", 1.001),
    released("one_net", XNNPACK, 1.3, "slower"),
    released("other_net", XNNPACK, 0.9, "faster"),
    released("other_net", "openvino", 1.0, "inconclusive"),
]


def taken(line, operation="multiply", *, exact=True):
    return Taken(file="net/a.py", line=line, written="expand_as", operation=operation,
                 exact=exact, text="return x * y.expand_as(x)")  # fmt: skip


def package(name, *places, left=()):
    return SurveyedPackage(statement=name, package=name, version="1", archive=f"{name}-1.whl",
                           sha256="0", files=10, expanding=2, mentions=5, taken=places,
                           left=left)  # fmt: skip


LEFT = Left(file="net/a.py", line=9, rule="kept", text="y = y.expand_as(x)")
PACKAGES = [
    package("plain"),
    package("few", taken(1, exact=False, operation="where"), left=(LEFT,)),
    package("many", taken(1), taken(2)),
]
ABOUT = Survey(statement="packages", list_sha256="0", rules_sha256="0", listed=3)


def program(network, runtime, **more):
    return ReleasedProgram(statement="", network=network, runtime=runtime, title=runtime,
                           version="1", **more)  # fmt: skip


@pytest.fixture
def results(tmp_path):
    about = {"parameters": {"budget_s": 1.0}, "notebook": "10_wild"}
    files.write(evidence(ABOUT, *PACKAGES, **about), tmp_path / "machine/survey.json")
    files.write(evidence(*TIMED, **about), tmp_path / "machine/network_all.json")
    return tmp_path


def test_records_are_read_and_a_networks_are_under_the_name_of_their_machine(results):
    assert wild.survey(results) == (ABOUT, *PACKAGES)
    read = wild.networks(results)
    assert {record.machine for record in read} == {"machine"}
    assert [timing.ratio for timing in wild.of(read, Timing)] == [timing.ratio for timing in TIMED]
    (line,) = wild.environments(results)
    assert (line["machine"], line["budget of a comparison"]) == ("machine", "1 s")


def test_what_is_not_recorded_is_said_with_the_command_that_records_it(tmp_path):
    with pytest.raises(RecordError, match="no survey is recorded; make wild records one"):
        wild.survey(tmp_path)
    with pytest.raises(RecordError, match="no network is recorded; make wild NETWORK=all"):
        wild.networks(tmp_path)


def test_a_record_that_cannot_be_read_is_refused_with_its_path(results):
    path = results / "machine/network_all.json"
    path.write_text("{")
    with pytest.raises(RecordError, match=r"network_all\.json"):
        wild.networks(results)


def test_every_value_is_drawn_in_the_panel_of_its_network_and_the_row_of_its_runtime():
    rows = csv.DictReader(io.StringIO(figure_data.as_csv(wild_figures.ratios(TIMED))))
    rows_by_place = {(row["panel"], row["y"]): row for row in rows if row["low"]}
    titles = {"eager": "PyTorch eager", XNNPACK: "ExecuTorch (XNNPACK)",
              "openvino": "OpenVINO (torch.export)"}  # fmt: skip
    assert set(rows_by_place) == {(timing.network, titles[timing.runtime]) for timing in TIMED}
    for timing in TIMED:
        row = rows_by_place[timing.network, titles[timing.runtime]]
        values = [float(row[name]) for name in ("x", "low", "high")]
        assert values == pytest.approx([timing.ratio, *timing.interval])


def test_two_machines_have_panels_of_their_own():
    there = [timing.model_copy(update={"machine": name}) for name in ("a", "b") for timing in TIMED]
    panels = [axis.get_title() for axis in wild_figures.ratios(there).axes]
    assert panels == ["one_net, a", "other_net, a", "one_net, b", "other_net, b"]


def test_the_words_of_the_picture_follow_from_the_numbers():
    sentence = wild_figures.found(TIMED)
    assert sentence.startswith("Slower in 1, faster in 1, equal in 1, undecided in 1 of 4. ")
    assert "Largest slowdown: one_net in ExecuTorch (XNNPACK), +30.0 %" in sentence
    assert "largest speed-up: other_net in ExecuTorch (XNNPACK), −10.0 %" in sentence
    assert "None is slower or faster" in wild_figures.found(TIMED[:1])


def test_packages_stand_with_the_most_expansions_first_and_those_without_are_left_out():
    assert [line["package"] for line in wild.packages(PACKAGES)] == ["many 1", "few 1"]
    assert [line["where"] for line in wild.lines(PACKAGES)] == [
        "net/a.py, line 1",
        "net/a.py, line 2",
    ]
    assert [tuple(line.values()) for line in wild.operations(PACKAGES)] == [
        ("multiply", 2, 1), ("where", 1, 1),
    ]  # fmt: skip


def test_how_common_the_line_is_is_counted():
    sentence = wild.prevalence(ABOUT, PACKAGES)
    assert "Of 3 packages (30 Python files), **2 hold an expansion that can go**: 3" in sentence
    assert "stands in 1 (many)." in sentence
    assert "Left to a person: 1 place." in sentence
    nowhere = wild.prevalence(ABOUT, [])
    assert "stands in 0 (none). Left to a person: 0 places." in nowhere


def test_a_reason_is_the_rules_own_in_words():
    (line,) = wild.reasons(PACKAGES)
    assert line["places"] == 1
    assert "kept as a name" in line["what the text shows"]
    assert "$" not in str(line)


def test_every_program_has_its_time_or_the_reason_why_there_is_none():
    programs = [program("one_net", XNNPACK, steps=9, steps_patched=7, expansions=2, equal=True),
                program("other_net", "openvino", refused="no such operator")]  # fmt: skip
    first, second = wild.programs(programs, TIMED)
    assert (first["steps that only expand"], first["outcome"]) == ("2 of 9 / 0 of 7", "slower")
    assert first["time as released, against patched"].startswith("+30.0 %")
    assert second["time as released, against patched"] == "no such operator"


def test_a_network_is_shown_with_every_count_of_tensors():
    equality = ReleasedEquality(statement="", network="n", title="N", package="p", version="1",
                            input=(1, 3), outputs=(1, 0), gradients=(4, 1), weights=(7, 2),
                            patch_sha256="0", versions={})  # fmt: skip
    (line,) = wild.results([equality])
    assert (line["outputs that differ"], line["gradients that differ"]) == ("0 of 1", "1 of 4")
    assert equality.value == 3


def test_it_is_said_how_many_timings_have_a_warning_and_which():
    (timing, *_) = TIMED
    quiet = timing.model_copy(update={"warnings": ()})
    busy = timing.model_copy(update={"warnings": ("load 5.9 on 2 cores",)})
    busier = timing.model_copy(
        update={"network": "another", "warnings": ("load 3.0 on 2 cores", "4 involuntary switches")}
    )
    assert outcomes.signs_told([quiet]) == "Signs of a disturbance: in 0 of 1 timing."
    assert outcomes.signs_told([quiet, busy, busier]).endswith(": in 2 of 3 timings.")
    assert list(outcomes.signs([quiet, busy, busier], wild.named)) == [
        {"timing": wild.named(busy), "signs of a disturbance": "load 5.9 on 2 cores"},
        {
            "timing": wild.named(busier),
            "signs of a disturbance": "load 3.0 on 2 cores; 4 involuntary switches",
        },
    ]
