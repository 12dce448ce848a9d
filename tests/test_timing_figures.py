import numpy as np
import pytest
from worlds import multiply, network, timed

from investigation.display import figure_data, figures, timing_figures
from investigation.evidence.kinds.timings import MARGIN


def html_of(figure):
    return figures.show(figure, finding="It rises.", drawn="a line").data


def drawn_at(figure, name):
    """What stands in the row of a name, from low to high."""
    (row,) = (row for row in figure_data.points(figure) if row["y"] == name)
    return [row["low"], row["x"], row["high"]]


def two():
    return {"first": multiply(1.05, "slower"), "second": multiply(1.0, "equivalent")}


def test_comparisons_are_drawn_in_percent_with_their_verdicts_in_the_legend():
    figure = timing_figures.comparisons(two(), MARGIN)
    np.testing.assert_allclose(drawn_at(figure, "first"), [4.8, 5, 5.2])
    np.testing.assert_allclose(drawn_at(figure, "second"), [-0.2, 0, 0.2], atol=1e-9)
    html = html_of(figure)
    assert "slower" in html
    assert "equal" in html


def test_a_timing_stays_in_the_row_of_its_name_in_any_order():
    timings = two()
    turned = dict(reversed(timings.items()))
    for draw in (timing_figures.multiples, timing_figures.additions):
        figure, other = draw(timings), draw(turned)
        for name in timings:
            assert drawn_at(figure, name) == drawn_at(other, name)


def test_multiples_are_drawn_as_they_are():
    figure = timing_figures.multiples({"a workload": multiply(2.3, "slower")})
    np.testing.assert_allclose(drawn_at(figure, "a workload"), [2.298, 2.3, 2.302])
    assert "slower" in html_of(figure)


def test_what_a_candidate_adds_is_drawn_in_microseconds():
    of_a_call = timed(1.05, "slower", width=0.025, seconds=4e-5)
    timing = multiply(1.05, "slower").model_copy(update={"alone": of_a_call})
    figure = timing_figures.additions({"a check": timing})
    np.testing.assert_allclose(drawn_at(figure, "a check"), [1, 2, 3])
    assert "a check" in html_of(figure)


def test_what_was_measured_in_several_processes_has_no_one_difference_to_draw():
    record = network()[0]
    several = record.model_copy(update={"alone": None, "processes": (record.alone,)})
    with pytest.raises(ValueError, match=r"network\S*: measured in several processes"):
        timing_figures.additions({"the network": several})


def test_a_cost_stands_at_the_size_of_its_case_in_nanoseconds_and_as_a_share():
    timings = [multiply(1.05, "slower"), multiply(1.0, "equivalent")]
    small = timings[0].case.model_copy(update={"shape": (1, 16, 2, 2)})
    timings[0] = timings[0].model_copy(update={"case": small})
    figure = timing_figures.cost_by_size(timings, MARGIN)
    rows = [(row["x"], round(row["y"], 6)) for row in figure_data.points(figure)]
    large = timings[1].case.elements
    assert rows == [(64, 5000.0), (large, 0.0), (64, 5.0), (large, 0.0)]
