"""What is kept and shown of the runtimes: records, tables and pictures."""

import csv
from collections import defaultdict

import pytest

from investigation.display import figure_data, runtime_tables
from investigation.display import runtime_figures as picture
from investigation.evidence.kinds.deployments import ExporterCombination
from investigation.evidence.kinds.timings import MARGIN, Timed, Timing
from investigation.evidence.recorder import ControlFailedError, Recorder
from investigation.runtimes import onnx_grid, recording
from investigation.runtimes.program import Step, Trace
from investigation.runtimes.survey import SurveyRow
from investigation.subject.cases import Case
from investigation.subject.runtimes import BY_SLUG, Runtime
from investigation.timing.processes import Reply

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

TINY = Case(slug="tiny", name="a tiny case", shape=(2, 8, 6, 6))


def programs(**written):
    """What a runtime answers of one case, by variant: bytes and expansions of its steps."""
    return {
        variant: {
            "steps": [
                {"op": "Mul", "bytes_written": 64, "expands": False},
                *([{"op": "Expand", "bytes_written": more, "expands": True}] if more else []),
            ],
            "arena_bytes": 128 + more,
            "equal": True,
            "furthest": 0.0,
            "images": 2,
        }
        for variant, more in written.items()
    }


def row(slug="onnxruntime", **written):
    cases = {TINY.slug: programs(**written)}
    return SurveyRow(
        BY_SLUG[slug], Reply({"cases": cases, "controls": {}, "comparisons": {}}), (TINY,)
    )


def timing(runtime, case, ratio, verdict):
    """The block timed in a runtime at a workload."""
    ends = (ratio - 0.01, ratio + 0.01)
    alone = Timed(
        ratio=ratio, ratio_interval=ends, margin=MARGIN, verdict_in_family=verdict, pairs=40,
        difference_s=ratio - 1, difference_interval_s=(ends[0] - 1, ends[1] - 1), baseline_s=1.0,
        candidate_s=ratio, equivalence_p=0.5, calls_per_block=1,
    )  # fmt: skip
    return Timing(
        statement="the block", level="block", runtime=runtime, case=case, ratio=ratio,
        interval=ends, confidence=0.95, margin=MARGIN, verdict=verdict, alone=alone,
    )  # fmt: skip


class TestRows:
    def test_what_is_written_and_planned_more_is_against_the_plain_product(self):
        survey_row = row(broadcast=0, expand_as=2304)
        assert survey_row.survives(TINY)
        assert survey_row.written_more(TINY) == 2304
        assert survey_row.planned_more(TINY) == 2304
        assert not survey_row.same_steps(TINY)
        spared = row(broadcast=0, expand_as=0)
        assert spared.same_steps(TINY)
        assert not spared.survives(TINY)
        assert spared.written_more(TINY) == 0

    def test_the_size_of_the_expanded_gate_is_that_of_the_images_taken(self):
        assert row(broadcast=0).expanded_bytes(TINY) == TINY.elements * 4

    def test_a_missing_package_and_a_crash_are_said_in_one_line(self):
        ghost = Runtime("ghost", "A ghost", "exported", "eager", ("torch", "no_such_package"))
        absent = SurveyRow(ghost, Reply(None, "not installed"), (TINY,))
        crashed = SurveyRow(BY_SLUG["ncnn"], Reply(None, "ended by SIGSEGV"), (TINY,))
        assert absent.state == "not installed here: no_such_package"
        assert crashed.state == "crashed: ended by SIGSEGV"
        for survey_row in (absent, crashed):
            line = runtime_tables.at_a_glance(survey_row, None, {})
            assert line["an expansion survives"] == survey_row.state

    def test_a_reader_of_steps_that_misses_a_returned_gate_stops_the_build(self):
        recorder = Recorder("08_runtimes")
        blind = row(broadcast=0, kept=0)
        with pytest.raises(ControlFailedError, match="gate that is returned is seen to be written"):
            recording.detector(recorder, blind, TINY)
        seeing = row("openvino", broadcast=0, kept=2304)
        held = recording.detector(recorder, seeing, TINY)
        assert (held.of, held.seen, held.passed) == ("openvino", "2304", True)
        assert "2,304 B" in runtime_tables.of_controls(seeing, TINY, {}, None).values()

    def test_a_refused_control_is_no_failure(self):
        refusing = row(broadcast=0)
        refusing.outcome.answer["cases"][TINY.slug]["kept"] = {"refused": "NoLayerError: none"}
        assert recording.detector(Recorder("08_runtimes"), refusing, TINY) is None
        line = runtime_tables.of_controls(refusing, TINY, {}, None)
        assert "NoLayerError: none" in line.values()


class TestRecords:
    def test_which_ran_and_what_became_of_the_others(self):
        rows = [
            row("eager", broadcast=0),
            row(broadcast=0),
            SurveyRow(BY_SLUG["ncnn"], Reply(None, "ended by SIGSEGV", "its last words"), (TINY,)),
        ]
        record = recording.tried(Recorder("08_runtimes"), rows)
        assert record.exported == 1
        assert record.states == {
            "PyTorch eager": "ran",
            "ONNX Runtime (dynamo)": "ran",
            "ncnn": "crashed: ended by SIGSEGV",
        }
        assert record.logs == {"ncnn": "its last words"}

    def test_a_program_is_kept_with_what_it_does_more(self):
        record = recording.program(Recorder("08_runtimes"), row(broadcast=0, expand_as=2304), TINY)
        assert (record.runtime, record.family, record.case) == ("onnxruntime", "exported", TINY)
        assert (record.bytes_more, record.planned_more) == (2304, 2304)
        assert (record.survives, record.same_steps, record.equal) == (True, False, True)
        assert record.steps == ("Mul", "Expand")
        assert record.title == BY_SLUG["onnxruntime"].title

    def test_what_survives_is_said_of_a_program_by_its_title(self):
        recorder = Recorder("08_runtimes")
        record = recording.survival(recorder, row(broadcast=0, expand_as=64), TINY)
        spared = recording.survival(recorder, row("openvino", broadcast=0, expand_as=0), TINY)
        assert (record.program, record.runs_more) == ("ONNX Runtime (dynamo)", True)
        assert not spared.runs_more

    def test_a_glance_shows_what_was_kept_and_counts_what_is_slower(self):
        survey_row = row(broadcast=0, expand_as=2304)
        record = recording.program(Recorder("08_runtimes"), survey_row, TINY)
        ratios = {TINY.slug: (1.5, "slower"), "b": (1.0, "equivalent"), "c": (1.9, "inconclusive")}
        timed = {slug: timing("onnxruntime", TINY, *ratio) for slug, ratio in ratios.items()}
        line = runtime_tables.at_a_glance(survey_row, record, timed)
        assert line["writes more"] == line["plans more"] == "2,304 B"
        assert line["time with it"] == "+50.0 % (+49.0 to +51.0)"
        assert line["outcome"] == "slower in 1, equal in 1, undecided in 1 of 3"

    def test_a_remedy_stands_beside_the_changed_source_and_two_copies_of_that(self):
        survey_row = row("onnxruntime_rule", broadcast=0, expand_as=0)
        record = recording.program(Recorder("08_runtimes"), survey_row, TINY)
        against, copies = (
            timing("onnxruntime_rule", TINY, 1.2, "slower"),
            timing("onnxruntime_rule", TINY, 1.0, "equivalent"),
        )
        line = runtime_tables.of_a_remedy(record, against, copies)
        assert line["remedy"] == BY_SLUG["onnxruntime_rule"].title
        assert line["time against the changed source"] == "+20.0 % (+19.0 to +21.0)"
        assert line["outcome"] == "slower"
        assert line["two copies of the changed source"].startswith("+0.00 %")


class TestPictures:
    def test_columns_show_what_is_written_and_what_only_expands(self):
        steps = (Step("Shape", 32), Step("Expand", 0, expands=True), Step("Mul", 4096))
        assert [step.op for step in picture.drawn(Trace(steps, None))] == ["Expand", "Mul"]
        figure = picture.graphs({"one": Trace(steps, None), "other": Trace(steps[2:], None)})
        assert [len(axis.patches) for axis in figure.axes] == [2, 1]

    def test_the_costs_stand_under_their_own_runtime_and_workload(self):
        small = Case(slug="small", name="a case, small", shape=(1, 2, 4, 4))
        large = Case(slug="large", name="a case, large", shape=(1, 2, 8, 8))
        timings = [
            timing("eager", small, 1.0, "equivalent"),
            timing("eager", large, 1.001, "equivalent"),
            timing("aoti", small, 1.1, "slower"),  # at one workload only, as it takes long
            timing("onnxruntime", small, 1.5, "slower"),
            timing("onnxruntime", large, 2.5, "slower"),
            timing("ncnn", large, 0.8, "faster"),
        ]
        points = read_back(picture.costs(timings))
        assert points == {
            (panel(timing.case), BY_SLUG[timing.runtime].title): pytest.approx(
                sorted([timing.ratio, *timing.interval])
            )
            for timing in timings
        }
        assert (panel(large), "AOTInductor") not in points
        assert (panel(small), "ncnn") not in points

    def test_a_row_has_the_same_place_in_every_panel(self):
        small, large = (Case(slug=slug, name=slug, shape=(1, 2, 4, 4)) for slug in ("a", "b"))
        timings = [
            timing("aoti", small, 1.1, "slower"),
            timing("eager", small, 1.0, "equivalent"),
            timing("eager", large, 1.0, "equivalent"),
        ]
        first, second = picture.costs(timings).axes
        assert [label.get_text() for label in first.get_yticklabels()] == [
            "AOTInductor",
            "PyTorch eager",
        ]
        assert [axis.containers[-1].lines[0].get_ydata() for axis in (first, second)] == [[1], [1]]


def panel(case):
    """What a workload's panel is called in the CSV."""
    return f"{case.name.replace(',', '')} {'×'.join(map(str, case.shape))}"


def read_back(figure):
    """The numbers of a figure's CSV, in order, by panel and label."""
    read = defaultdict(list)
    for line in csv.DictReader(figure_data.as_csv(figure).splitlines()):
        read[line["panel"], line["y"]] += [float(line[end]) for end in ("x", "low", "high")]
    return {place: sorted(numbers) for place, numbers in read.items()}


def test_the_grid_is_a_line_a_form_and_says_where_no_expand_ran():
    def combination(level, ruled, count):
        return ExporterCombination(
            form="dynamo, static shapes", level=level, ruled=ruled, expansions=int(count > 0),
            bytes_written=count, equal=True,
        )  # fmt: skip

    combinations = [combination("none", False, 2048), combination("all", True, 0)]
    assert onnx_grid.lines(combinations) == [
        {
            "exporter": "dynamo, static shapes",
            "none": "2,048 B",
            onnx_grid.RULED: "no Expand",
        }
    ]
    assert onnx_grid.lines([]) == [{"": "ONNX Runtime did not run here"}]
    record = recording.exporters(Recorder("08_runtimes"), combinations, TINY)
    assert (record.writing, record.tried) == (1, 1)
    assert record.combinations == tuple(combinations)
