"""In any order, with a missing case or a second one of a name, nothing stands in another's place.

A missing case leaves its place empty; a second one of the same name is refused.
"""

import itertools

import figures_and_evidence
import published as on_pages
import pytest
from in_place_worlds import record as line_in_place
from test_figures_by_key import CASES, agreement, compiled, published, tried
from worlds import memory_record, multiply, released

from investigation.display import (
    compiled_figures,
    contest_figures,
    figures,
    gpu_figures,
    in_place_figures,
    runtime_figures,
    setting_figures,
    timing_figures,
    training_figures,
    wild_figures,
)
from investigation.evidence.kinds.timings import MARGIN
from investigation.evidence.words import OUTCOMES
from investigation.gpu.prediction import Prediction
from investigation.subject import gpu_catalog


def by_place(figure, *names, value="x"):
    """The published numbers of a figure by some of their labels, each label once."""
    rows = published(figure)
    places = [tuple(row[name] for name in names) for row in rows]
    assert len(set(places)) == len(places)
    return {place: float(row[value]) for place, row in zip(places, rows, strict=True)}


def orders(world):
    """A mapping as it is, in reverse, and without its first, a middle or its last entry."""
    items = list(world.items())
    yield from (dict(items), dict(items[::-1]))
    for gone in (0, len(items) // 2, len(items) - 1):
        yield dict(items[:gone] + items[gone + 1 :])


def test_a_bar_stands_beside_its_own_name():
    for values in orders({"expand_as": 2.5, "broadcast": 1.0, "materialized": 7.0}):
        with figures.canvas() as (figure, axis):
            figures.bars(axis, values, "KiB")
        assert by_place(figure, "y") == {(name,): value for name, value in values.items()}


PAIRS = {("a", "x"): True, ("a", "y"): False, ("b", "x"): False, ("b", "y"): True}


@pytest.mark.parametrize("rows", [["a", "b"], ["b", "a"]])
@pytest.mark.parametrize("columns", [["x", "y"], ["y", "x"]])
def test_a_mark_of_a_grid_stands_in_the_cell_of_its_pairing(rows, columns):
    for pairs in orders(PAIRS):
        with figures.canvas() as (figure, axis):
            figures.verdict_grid(axis, pairs, rows, columns)
        assert by_place(figure, "y", "x", value="series") == pairs
        signs = {text.get_position(): text.get_text() for text in axis.texts}
        assert signs == {
            (columns.index(column), rows.index(row)): "=" if alike else "≠"
            for (row, column), alike in pairs.items()
        }


def test_a_grid_refuses_a_name_that_comes_twice_and_a_pairing_without_a_cell():
    with figures.canvas() as (_, axis):
        with pytest.raises(ValueError, match="two rows of one name: a"):
            figures.verdict_grid(axis, PAIRS, ["a", "b", "a"], ["x", "y"])
        with pytest.raises(ValueError, match="two columns of one name: y"):
            figures.verdict_grid(axis, PAIRS, ["a", "b"], ["x", "y", "y"])
        with pytest.raises(ValueError, match="not in list"):
            figures.verdict_grid(axis, PAIRS, ["a"], ["x", "y"])


def test_a_grid_of_programs_leaves_the_cell_of_a_missing_setting_empty():
    rows = [compiled("one"), compiled("two", kernels=False), compiled("one", "dynamic")]
    for order in (rows, rows[::-1]):
        figure = compiled_figures.program_grid(order)
        assert by_place(figure, "y", "x", value="series") == {
            ("one", "static, contiguous"): 1,
            ("two", "static, contiguous"): 2,
            ("one", "dynamic, contiguous"): 1,
        }


def test_two_results_of_one_chip_or_of_one_setting_are_refused():
    with pytest.raises(ValueError, match="two chips of one name: sm_90"):
        gpu_figures.agreement_grid([agreement("sm_90", "a"), agreement("sm_90", "b")], "binary")
    twice = agreement("sm_90", "a")
    twice.tried = (tried("a"), tried("a"))
    with pytest.raises(ValueError, match="two settings of one name"):
        gpu_figures.agreement_grid([twice], "binary")


def predictions():
    """The device's time on two cards in three cases, each time another one."""
    places = itertools.product(gpu_catalog.CARDS[:2], CASES)
    return {
        (card.name, case.name): Prediction(card=card, case=case, device_s=number / 1e6, host_s=None)
        for number, (card, case) in enumerate(places, start=1)
    }


def test_a_prediction_stands_in_the_row_of_its_case_with_the_mark_of_its_card():
    for world in orders(predictions()):
        figure = gpu_figures.bounds(list(world.values()), None)
        expected = {place: 1e6 * one.device_s for place, one in world.items()}
        assert by_place(figure, "series", "y") == pytest.approx(expected)
    with pytest.raises(ValueError, match="two predictions of one name"):
        gpu_figures.bounds([*predictions().values(), *predictions().values()], None)


def test_workloads_of_one_size_keep_the_order_in_which_they_come():
    alike = [CASES[0].model_copy(update={"slug": name, "name": name}) for name in "abcdefgh"]
    for cases in (alike, alike[::-1]):
        card = gpu_catalog.CARDS[0]
        drawn = [Prediction(card=card, case=case, device_s=1e-6, host_s=None) for case in cases]
        names = [row["y"] for row in published(gpu_figures.bounds(drawn, None))]
        assert names == [case.name for case in cases]


def test_a_measured_time_has_the_name_of_its_workload_in_the_panel_of_its_machine():
    for world in orders({f"case {size}": (size / 1e6, 2 * size / 1e6) for size in (1, 2, 3)}):
        times = {"one": world, "two": dict.fromkeys(world, (3e-6, 9e-6))}
        rows = published(gpu_figures.predicted_and_measured(times))
        drawn = {
            (row["panel"], row["series"]): [float(row["x"]), float(row["y"])]
            for row in rows
            if row["series"] != "as predicted"
        }
        assert drawn == {
            (machine, name): pytest.approx([1e6 * predicted, 1e6 * measured])
            for machine, of_machine in times.items()
            for name, (predicted, measured) in of_machine.items()
        }


SHARES = {
    "compare": {"slower": {0.0: 0.1, 1.0: 0.9}, "equivalent": {0.0: 0.9, 1.0: 0.1}},
    "another": {"slower": {0.0: 0.3, 1.0: 0.7}, "equivalent": {0.0: 0.7, 1.0: 0.3}},
    "a third, with a comma": {"slower": {1.0: 1.0}, "equivalent": {1.0: 0.0}},
}
SEEN = {"found": "a difference found"}
FOUND = {
    "compare": {0.0: 0.2, 1.0: 0.8},
    "another": {0.0: 0.4, 1.0: 0.6},
    "a third, with a comma": {1.0: 0.5},
}
DOSES = {0.0: "0 %", 1.0: "+1 %"}


@pytest.mark.parametrize("doses", [[0.0, 1.0], [1.0, 0.0]])
def test_a_share_of_verdicts_stands_at_its_dose_in_the_panel_of_its_method(doses):
    for methods in orders(SHARES):
        figure = contest_figures.by_planted_difference(doses, methods, FOUND)
        words = {method: {**shares, "found": FOUND[method]} for method, shares in methods.items()}
        assert by_place(figure, "panel", "series", "y") == {
            (method, (OUTCOMES | SEEN)[verdict], DOSES[dose]): pytest.approx(share)
            for method, shares in words.items()
            for verdict, at_dose in shares.items()
            for dose, share in at_dose.items()
        }
    with pytest.raises(ValueError, match="two doses of one name"):
        contest_figures.by_planted_difference([0.0, 1.0, 1.0], SHARES, FOUND)


def in_place(memory_format, slots, first):
    """A line in place with these of its slots; slot 0 adds `first` µs, each other one more."""
    whole = line_in_place(memory_format)
    given = [
        whole.slots[slot].model_copy(
            update={"difference_s": (first + slot) * 1e-6, "interval_s": (0.0, 1e-3)}
        )
        for slot in slots
    ]
    return whole.model_copy(update={"slots": tuple(given)})


@pytest.mark.parametrize("slots", [(0, 1, 2), (2, 1, 0), (0, 2), (1,)])
def test_a_slot_stands_in_its_own_row_beside_a_format_with_other_slots(slots):
    records = {
        "contiguous": in_place("contiguous", (0, 1, 2), 1),
        "channels_last": in_place("channels_last", slots, 11),
    }
    for world in (records, dict(reversed(records.items()))):
        drawn = by_place(in_place_figures.line_in_place(world), "panel", "y")
        for name, record in records.items():
            for slot in record.slots:
                place = (name, slot.case.name.removeprefix("host "))
                assert drawn.pop(place) == pytest.approx(1e6 * slot.difference_s)
        assert {label for _, label in drawn} == {in_place_figures.SUM, in_place_figures.SHARE}


def test_two_slots_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two slots of one name: stage 1, before the pool"):
        in_place_figures.line_in_place({"contiguous": in_place("contiguous", (0, 0), 1)})


def test_two_timings_of_one_size_are_refused():
    with pytest.raises(ValueError, match="two timings of one name"):
        timing_figures.cost_by_size([multiply(case=CASES[0]), multiply(case=CASES[0])], MARGIN)


SIZES = [1e-2, 1e-3, 1e-4]


def errors_of(dtype, sizes):
    """An error of each form at each size, all of them different."""
    scale = {"bfloat16": 1.0, "float16": 100.0}[dtype]
    parts = {"expand_as": 3, "broadcast": 5}
    return {form: [scale * part * size for size in sizes] for form, part in parts.items()}


@pytest.mark.parametrize("dtypes", [("bfloat16", "float16"), ("float16", "bfloat16"), ("float16",)])
@pytest.mark.parametrize("sizes", [SIZES, SIZES[::-1], SIZES[1:]])
def test_an_error_stands_at_its_size_in_the_panel_of_its_dtype(dtypes, sizes):
    errors = {dtype: errors_of(dtype, sizes) for dtype in dtypes}
    figure = training_figures.gradient_errors(sizes, errors, (1e-3, 1e-2))
    assert by_place(figure, "panel", "series", "x", value="y") == {
        (f"{dtype} gate", form, str(size)): pytest.approx(error)
        for dtype, by_form in errors.items()
        for form, values in by_form.items()
        for size, error in zip(sizes, values, strict=True)
    }
    with pytest.raises(ValueError, match="two sizes of one name"):
        training_figures.gradient_errors([*sizes, sizes[0]], errors, (1e-3, 1e-2))


def test_a_loss_stands_at_its_step_under_its_run_and_in_the_panel_of_what_it_is():
    curves = {"broadcast": [3.0, 2.0], "expand_as": [3.0, 2.5], "another seed": [4.0, 1.0]}
    apart = {"float32": [0.0, 0.5], "another seed": [1.0, 1.5]}
    for shown, differing in zip(orders(curves), orders(apart), strict=True):
        figure = training_figures.loss_curves(shown, differing)
        panels = {training_figures.LOSSES: shown, training_figures.APART: differing}
        assert by_place(figure, "panel", "series", "x", value="y") == {
            (panel, name, str(float(step))): value
            for panel, lines in panels.items()
            for name, values in lines.items()
            for step, value in enumerate(values, start=1)
            if value > 0
        }


def networks():
    """Two networks in two runtimes, each ratio another one."""
    places = itertools.product(("one_net", "other_net"), ("eager", "onnxruntime"))
    timed = [released(*place, 1.1 + number / 10) for number, place in enumerate(places)]
    return {(one.network, runtime_figures.BY_SLUG[one.runtime].title): one for one in timed}


def test_a_network_stands_in_its_panel_and_in_the_row_of_its_runtime():
    for world in orders(networks()):
        figure = wild_figures.ratios(list(world.values()))
        expected = {place: timing.ratio for place, timing in world.items()}
        assert by_place(figure, "panel", "y") == pytest.approx(expected)
    with pytest.raises(ValueError, match="two timings of one name: one_net, eager"):
        wild_figures.ratios([*networks().values(), *networks().values()])


def mark(label, ratio):
    return setting_figures.Mark(label, ratio, (1.0, 2.0), "slower")


SETTINGS = {
    "eager": (mark("small", 1.1), mark("large", 1.2)),
    "compiled": (mark("small", 1.3), mark("large", 1.4)),
    "exported": (mark("small", 1.5),),
}


@pytest.mark.parametrize("narrow", [False, True])
def test_a_mark_of_the_first_picture_stands_in_the_row_of_its_setting(narrow):
    for world in orders(SETTINGS):
        rows = [setting_figures.SettingRow(name, "", marks) for name, marks in world.items()]
        figure = setting_figures.settings_figure(rows, MARGIN, narrow=narrow)
        assert by_place(figure, "y", "series") == {
            (name, one.label): one.ratio for name, marks in world.items() for one in marks
        }


def drawn(page, alt, values):
    with figures.canvas() as (figure, axis):
        figures.bars(axis, values, "KiB")
    return on_pages.Drawn(page, alt, published(figure))


def test_a_bar_under_another_name_or_left_out_is_found_in_the_built_pages():
    records = (memory_record("expand_as", count=0), memory_record("broadcast", count=1024))
    right = {f"{one.form}, {one.dtypes} dtype": one.bytes / 2**10 for one in records}
    wrong = dict(zip(right, reversed(right.values()), strict=True))
    few = dict(list(right.items())[:1])
    alt = "Bars of what is allocated beyond the output. Two."
    figures_and_evidence.allocated(drawn("02_strides", alt, right), records)
    for values in (wrong, few):
        shown = drawn("02_strides", alt, values)
        assert figures_and_evidence.reader_of(shown) is figures_and_evidence.allocated
        with pytest.raises(AssertionError):
            figures_and_evidence.allocated(shown, records)


def test_a_label_that_is_drawn_twice_is_found_in_the_built_pages():
    row = {"x": "1.0", "y": "expand_as"}
    with pytest.raises(AssertionError, match="drawn twice"):
        figures_and_evidence.keyed([row, row], "y", value="x")


def test_a_figure_that_nothing_compares_and_a_name_without_a_figure_are_found():
    unknown = drawn("01_broadcasting", "Bars of a new kind", {"a": 1.0})
    by_picker = figures_and_evidence.BY_THE_PICKER
    names = (*figures_and_evidence.COMPARED, *figures_and_evidence.NOWHERE, by_picker)
    known = [on_pages.Drawn(page, f"{words} and more", unknown.rows) for page, words in names]
    assert figures_and_evidence.without_reader(known) == []
    assert figures_and_evidence.names_without_figure(known) == []
    assert figures_and_evidence.without_reader([unknown]) == [(unknown.page, unknown.alt)]
    assert figures_and_evidence.names_without_figure(known[:-1]) == [by_picker]
