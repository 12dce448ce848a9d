import re

import numpy as np

from investigation.display import figures, inline


def html_of(figure, drawn="a line", finding="It rises.", reading=""):
    return figures.show(figure, finding=finding, drawn=drawn, reading=reading).data


def test_a_figure_takes_the_pages_colours_and_says_what_it_shows():
    with figures.canvas() as (figure, axis):
        axis.plot([0, 1], [0, 1])
    html = html_of(figure, "a line <up>", "It rises & rises.", "Up is more.")
    assert "currentColor" in html
    assert figures.INK not in html
    assert 'aria-label="a line &lt;up&gt;. It rises &amp; rises."' in html
    assert "<figcaption>It rises &amp; rises. Up is more. <a" in html


def test_two_figures_on_a_page_share_no_id():
    with figures.canvas() as (first, axis):
        axis.plot([0, 1], [0, 1])
    with figures.canvas() as (other, axis):
        axis.plot([0, 1], [0, 1])
    ids = [set(re.findall(r'\bid="([^"]+)"', html_of(figure, drawn))) for figure, drawn in
           ((first, "the first"), (other, "the second"))]  # fmt: skip
    assert ids[0]
    assert not ids[0] & ids[1]


def test_two_panels_of_one_look_share_no_id():
    with figures.canvas(columns=2) as (figure, axes):
        for axis in axes:
            axis.imshow([[0, 1], [1, 0]])
    drawn = inline.svg(figure, "two", "two", figures.STYLE)
    assert drawn.count("<image ") == 2
    ids = re.findall(r'\bid="([^"]+)"', drawn)
    assert len(ids) == len(set(ids))
    referred = re.findall(r'(?:href="#|url\(#)([^")]+)', drawn)
    assert set(referred) <= set(ids)


def test_a_figure_is_the_same_each_time():
    def make():
        with figures.canvas() as (figure, axis):
            figures.bars(axis, {"expand_as": 2.0, "broadcast": 1.0}, "KiB")
        return html_of(figure)

    assert make() == make()


def test_addresses_are_written_into_their_cells():
    with figures.canvas() as (figure, axis):
        figures.address_picture(axis, np.arange(6).reshape(1, 2, 3), "a gate", "#d55e00")
        assert [text.get_text() for text in axis.texts] == list("012345")
    assert "a gate" in html_of(figure)


def test_a_grid_marks_what_differs():
    with figures.canvas() as (_, axis):
        figures.verdict_grid(axis, {("x", "z"): False, ("x", "y"): True}, ["x"], ["y", "z"])
        assert [text.get_text() for text in axis.texts] == ["=", "≠"]


def test_a_bar_says_a_large_number_in_full_and_a_small_one_in_three_digits():
    with figures.canvas() as (figure, axis):
        figures.bars(axis, {"expand_as": 24_576.0, "broadcast": 0.123456}, "KiB")
    shown = html_of(figure)
    assert "24,576 KiB" in shown
    assert "0.123 KiB" in shown


def test_the_verdicts_of_all_panels_are_named_once():
    with figures.canvas(columns=3) as (figure, axes):
        for axis, verdict in zip(axes, ("slower", "equivalent", "slower"), strict=True):
            figures.forest(axis, ["a"], [1.1], [(1.0, 1.2)], [verdict], 0.01)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["slower", "equal"]
