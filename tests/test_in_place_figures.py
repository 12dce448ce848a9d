import math

import pytest
from in_place_worlds import STEP_S, record

from investigation.display import figure_data, in_place_figures


def both():
    return {
        "contiguous": record(),
        "channels_last": record("channels_last", share=0.03, verdict="slower"),
    }


def drawn_at(figure, panel, name):
    """The low end, the estimate and the high end of the one interval that stands there."""
    rows = figure_data.points(figure)
    (row,) = (row for row in rows if (row["panel"], row["y"]) == (panel, name))
    return [row["low"], row["x"], row["high"]]


def test_every_slot_and_the_sum_are_drawn_in_microseconds_in_the_panel_of_their_format():
    figure = in_place_figures.line_in_place(both())
    added = 1e6 * 0.0005 * STEP_S / 6
    place = "stage 2, after the pool"
    assert drawn_at(figure, "contiguous", place) == pytest.approx([added - 1, added, added + 1])
    total = drawn_at(figure, "channels_last", in_place_figures.SUM)
    assert total == pytest.approx([1490, 1500, 1510])


def test_the_first_slot_is_drawn_at_the_top_and_the_sum_at_the_bottom():
    for records in (both(), {"contiguous": record()}):
        axis = in_place_figures.line_in_place(records).axes[0]
        labels = [label.get_text() for label in axis.get_yticklabels()]
        assert labels[0] == "stage 1, before the pool"
        assert labels[-1] == in_place_figures.SUM
        assert axis.yaxis_inverted()


def test_the_share_is_drawn_in_percent_under_its_format():
    figure = in_place_figures.line_in_place(dict(reversed(both().items())))
    for name, ends in (("contiguous", [0.03, 0.05, 0.07]), ("channels_last", [2.98, 3, 3.02])):
        panel = f"{name}, {in_place_figures.SHARE}"
        assert drawn_at(figure, panel, in_place_figures.SHARE) == pytest.approx(ends)


def test_the_outcome_is_told_as_it_came_out():
    sentences = {name: in_place_figures.in_words(name, record) for name, record in both().items()}
    assert sentences["contiguous"] == (
        "contiguous: `expand_as` adds +25.00 µs (+15.00 to +35.00) to a step of 50.0 ms, "
        "+0.05 % (+0.03 to +0.07); the step takes the same time within 1 %. "
        "The interval reaches 0.02 % of the step to either side. The estimates of single processes "
        "have a standard deviation of 0.011 % of the step; at most four times as many processes "
        "halve the interval."
    )
    assert sentences["channels_last"].split("; ")[1].startswith("the step is slower.")
    unclear = in_place_figures.in_words("contiguous", record(verdict="inconclusive"))
    assert "; whether the step takes the same time is not decided." in unclear


def test_an_interval_over_pairs_says_nothing_of_processes():
    over_pairs = in_place_figures.in_words("contiguous", record(over="pairs"))
    assert over_pairs.endswith("The interval reaches 0.02 % of the step to either side.")


def test_the_finding_has_each_share_with_its_outcome_and_the_reading_how_sure_they_are():
    assert in_place_figures.found(both()) == (
        "contiguous: expand_as adds +0.05 % (+0.03 to +0.07) to a step; the step takes the same "
        "time within 1 %. channels_last: expand_as adds +3.00 % (+2.98 to +3.02) to a step; the "
        "step is slower."
    )
    faster = in_place_figures.found({"contiguous": record(share=-0.03, verdict="faster")})
    assert faster.endswith("expand_as adds −3.00 % (−3.02 to −2.98) to a step; the step is faster.")
    assert "97.5 % intervals over 8 processes" in in_place_figures.reading(both())


def test_both_clocks_are_shown_and_the_one_that_decides_is_named():
    rows = in_place_figures.clock_rows({"contiguous": record()})
    assert [row["clock"] for row in rows] == ["processor (decides)", "wall"]
    assert {row["pairs of steps"] for row in rows} == {160}


def test_an_interval_without_ends_is_drawn_as_its_estimate_alone():
    endless = record(half=math.inf, verdict="inconclusive")
    figure = in_place_figures.line_in_place({"contiguous": endless})
    panel = f"contiguous, {in_place_figures.SHARE}"
    finite = [end for end in drawn_at(figure, panel, in_place_figures.SHARE) if math.isfinite(end)]
    assert finite == pytest.approx([0.05])
    assert in_place_figures.in_words("contiguous", endless) == (
        "contiguous: `expand_as` adds +25.00 µs (too few processes for an interval) to a step of "
        "50.0 ms, +0.05 %; whether the step takes the same time is not decided."
    )
