"""Whatever a figure draws stands under the name of its own evidence, in any order of it.

Each figure's published numbers are read back and compared with the evidence, label by label.
"""

import csv
import io
import itertools
from types import SimpleNamespace

import published as on_pages
import pytest
from worlds import CASE, MIXED, block_in, multiply, network, timed

from investigation.display import (
    compiled_figures,
    figure_data,
    gpu_figures,
    runtime_figures,
    timing_figures,
)
from investigation.evidence.kinds.timings import MARGIN, Timing
from investigation.evidence.words import OUTCOMES
from investigation.subject.cases import Case

CASES = [
    CASE.model_copy(
        update={"slug": f"case{size}", "name": f"case {size}", "shape": (1, 16, size, 1)}
    )
    for size in (1, 2, 3)
]


def published(figure):
    """The rows of the CSV that a page offers under a figure."""
    return list(csv.DictReader(io.StringIO(figure_data.as_csv(figure))))


def percent(value):
    return 100 * (value - 1)


def micro(timing):
    return [
        1e6 * seconds
        for seconds in (timing.single.difference_s, *timing.single.difference_interval_s)
    ]


def in_percent(timing):
    return [percent(ratio) for ratio in (timing.ratio, *timing.interval)]


def as_it_is(timing):
    return [timing.ratio, *timing.interval]


def some_multiplies():
    """A timing of each outcome, and each with numbers of its own."""
    timings = [multiply(1.2, "slower", case=CASES[0]), multiply(0.8, "faster", case=CASES[1]),
            multiply(1.001, "equivalent", case=CASES[2]),
            multiply(1.02, "inconclusive", width=0.03, case=CASES[2].with_format("channels_last")),
            multiply(2.5, "slower", case=CASES[0].with_gate("bfloat16"))]  # fmt: skip
    return [
        timing.model_copy(update={"alone": timed(timing.ratio, timing.verdict)})
        for timing in timings
    ]


BY_LABEL = {
    "comparisons": (lambda timings: timing_figures.comparisons(timings, MARGIN), in_percent),
    "multiples": (timing_figures.multiples, as_it_is),
    "additions": (timing_figures.additions, micro),
    "few comparisons": (
        lambda timings: compiled_figures.few_comparisons(timings, MARGIN),
        in_percent,
    ),
}


@pytest.mark.parametrize("name", BY_LABEL)
@pytest.mark.parametrize("left_out", [None, 0, 2, 4])
def test_a_row_has_the_numbers_and_the_outcome_of_the_timing_that_its_label_names(name, left_out):
    draw, numbers = BY_LABEL[name]
    timings = [timing for number, timing in enumerate(some_multiplies()) if number != left_out]
    expected = {timing_figures.label(timing): timing for timing in timings}
    for order in (timings, timings[::-1], timings[1:] + timings[:1]):
        rows = {row["y"]: row for row in published(draw(timing_figures.labelled(order)))}
        assert rows.keys() == expected.keys()
        for label, timing in expected.items():
            shown = [float(rows[label][end]) for end in ("x", "low", "high")]
            assert shown == pytest.approx(numbers(timing))
            assert rows[label]["series"] == OUTCOMES[timing.outcome]


def test_two_timings_of_one_label_are_refused():
    timing = multiply(1.2, "slower")
    twin = multiply(1.3, "slower", case=CASE.model_copy(update={"slug": "twin"}))
    with pytest.raises(ValueError, match="two timings for one row: host stage 1, before the pool"):
        timing_figures.labelled([timing, twin])


def test_labels_tell_formats_dtypes_and_networks_apart():
    assert timing_figures.label(multiply(case=MIXED)).endswith("float32 × bfloat16")
    whole = [record for record in network() if isinstance(record, Timing)]
    assert [timing_figures.label(timing) for timing in whole] == ["contiguous", "channels_last"]


@pytest.mark.parametrize("turned", [False, True])
def test_a_cost_by_size_stands_at_the_elements_of_its_own_case(turned):
    timings = [multiply(1.1 + size / 10, "slower", case=case) for size, case in enumerate(CASES)]
    rows = published(timing_figures.cost_by_size(timings[::-1] if turned else timings, MARGIN))
    panels = {
        "share of the multiply": in_percent,
        "added to a call": lambda timing: [1e3 * added for added in micro(timing)],
    }
    for panel, numbers in panels.items():
        by_elements = {float(row["x"]): row for row in rows if row["panel"] == panel}
        assert by_elements.keys() == {timing.case.elements for timing in timings}
        for timing in timings:
            row = by_elements[timing.case.elements]
            assert [float(row[end]) for end in ("y", "low", "high")] == pytest.approx(
                numbers(timing)
            )


def blocks(left_out=()):
    """The block in three runtimes at two workloads, all ratios different, some left out."""
    slugs, cases = ("eager", "onnxruntime", "tvm"), (CASES[0], CASES[2])
    return [
        block_in(slug, 1.1 + number / 10, "slower").model_copy(update={"case": case})
        for number, (slug, case) in enumerate(itertools.product(slugs, cases))
        if (slug, case.slug) not in left_out
    ]


@pytest.mark.parametrize("left_out", [(), (("eager", "case1"),), (("onnxruntime", "case3"),)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_cost_stands_under_its_runtime_and_workload_also_beside_a_missing_one(left_out, turned):
    timings = blocks(left_out)
    rows = published(runtime_figures.costs(timings[::-1] if turned else timings))
    by_place = {(row["panel"], row["y"]): row for row in rows}
    expected = {
        (_panel(timing.case), runtime_figures.BY_SLUG[timing.runtime].title): timing
        for timing in timings
    }
    assert by_place.keys() == expected.keys()
    for place, timing in expected.items():
        shown = [float(by_place[place][end]) for end in ("x", "low", "high")]
        assert shown == pytest.approx(as_it_is(timing))


def _panel(case: Case) -> str:
    return f"{case.name} {'×'.join(map(str, case.shape))}"


def test_two_costs_of_one_place_are_refused():
    with pytest.raises(ValueError, match="two timings of one runtime at one workload"):
        runtime_figures.costs([*blocks(), blocks()[0]])


def tried(kind):
    case = SimpleNamespace(memory_format="contiguous")
    return SimpleNamespace(kind=kind, shapes="static", case=case)


def agreement(chip, *kinds, differing=()):
    settings = {kind: tried(kind) for kind in kinds}
    differ = tuple(settings[kind] for kind in differing)
    return SimpleNamespace(chip=chip, tried=tuple(settings.values()), differing={"binary": differ})


def test_a_grid_of_chips_marks_the_setting_and_the_chip_that_differ_also_beside_a_missing_one():
    rows = [agreement("sm_80", "b"), agreement("sm_90", "a", "b", differing="b")]
    for order in (rows, rows[::-1]):
        marks = {(row["panel"], row["y"]): float(row["series"])
                 for row in published(gpu_figures.agreement_grid(order, "binary"))
                 if row["series"] not in ("nan", "--")}  # fmt: skip
        assert marks == {
            ("sm_80 (A100)", "b"): 1,
            ("sm_90 (H100)", "a"): 1,
            ("sm_90 (H100)", "b"): 0,
        }


def compiled(kind, shapes="static", kernels=True):
    case = SimpleNamespace(memory_format="contiguous")
    setting = SimpleNamespace(kind=kind, shapes=shapes, case=case)
    return SimpleNamespace(setting=setting, same_source=False, same_kernels=kernels)


def test_a_grid_of_programs_marks_each_setting_in_its_own_cell():
    rows = [compiled("one"), compiled("two", kernels=False), compiled("one", "dynamic"),
            compiled("two", "dynamic")]  # fmt: skip
    for order in (rows, [rows[1], rows[0], *rows[2:]]):
        marks = {(row["y"], row["x"]): int(float(row["series"]))
                 for row in published(compiled_figures.program_grid(order))}  # fmt: skip
        names = list(compiled_figures.MARKS)
        assert [place for place, mark in marks.items() if names[mark] == "≠"] == [
            ("two", "static, contiguous")
        ]


def test_two_programs_of_one_cell_are_refused():
    with pytest.raises(ValueError, match="two pairings for one cell"):
        compiled_figures.program_grid([compiled("one"), compiled("one")])


def matches(rows, timings):
    """Whether each row has the numbers of a timing that may stand there, as in the built book."""
    marks = [mark for timing in timings for mark in on_pages.marks(timing)]
    return [
        any(on_pages.place(row) == place and on_pages.values(row) == pytest.approx(numbers)
            for place, numbers in marks)
        for row in rows
    ]  # fmt: skip


def test_the_check_of_the_built_pages_finds_labels_that_changed_places():
    slower, other = multiply(1.2, "slower", case=CASES[0]), multiply(0.8, "faster", case=CASES[1])
    right = timing_figures.labelled([slower, other])
    wrong = dict(zip(right, reversed(right.values()), strict=True))
    assert (
        matches(published(timing_figures.comparisons(right, MARGIN)), [slower, other]) == [True] * 2
    )
    assert (
        matches(published(timing_figures.comparisons(wrong, MARGIN)), [slower, other])
        == [False] * 2
    )


def test_the_check_of_the_built_pages_finds_runtimes_that_changed_places():
    timings = blocks()
    rows = published(runtime_figures.costs(timings))
    turned = [row | {"y": other["y"]} for row, other in zip(rows, rows[::-1], strict=True)]
    assert all(matches(rows, timings))
    assert not all(matches(turned, timings))
