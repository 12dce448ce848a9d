"""The numbers behind a figure are those that it draws."""

import csv
import io
from urllib.parse import unquote

from bs4 import BeautifulSoup
from worlds import multiply

from investigation.display import figure_data, figures, timing_figures


def rows(figure):
    return list(csv.DictReader(io.StringIO(figure_data.as_csv(figure))))


def test_bars_come_with_their_names_and_values():
    with figures.canvas() as (figure, axis):
        figures.bars(axis, {"expand_as": 2.5, "broadcast": 1.0, "materialized": 7.0}, "KiB")
    assert [(row["y"], float(row["x"])) for row in rows(figure)] == [
        ("expand_as", 2.5), ("broadcast", 1.0), ("materialized", 7.0)]  # fmt: skip


def test_intervals_come_with_their_ends_and_the_label_of_their_line():
    figure = timing_figures.comparisons({"first": multiply(1.05, "slower", width=0.01)}, 0.01)
    (row,) = rows(figure)
    assert (row["y"], row["series"]) == ("first", "slower")
    assert [round(float(row[end]), 6) for end in ("low", "x", "high")] == [4.0, 5.0, 6.0]


def test_error_bars_come_once_each_with_both_ends():
    with figures.canvas() as (figure, axis):
        axis.set_title("cost")
        axis.errorbar([1, 2], [10, 20], yerr=[[1, 2], [3, 4]], capsize=2, label="measured")
    assert rows(figure) == [
        {
            "panel": "cost",
            "series": "measured",
            "x": "1.0",
            "y": "10.0",
            "low": "9.0",
            "high": "13.0",
        },
        {
            "panel": "cost",
            "series": "measured",
            "x": "2.0",
            "y": "20.0",
            "low": "18.0",
            "high": "24.0",
        },
    ]


def test_a_grid_comes_cell_by_cell():
    with figures.canvas() as (figure, axis):
        figures.verdict_grid(axis, {("x", "z"): False, ("x", "y"): True}, ["x"], ["y", "z"])
    assert [(row["x"], row["y"], row["series"]) for row in rows(figure)] == [
        ("y", "x", "1.0"), ("z", "x", "0.0")]  # fmt: skip


def test_the_lines_that_only_guide_the_eye_and_a_diagram_have_no_numbers():
    with figures.canvas() as (guide, axis):
        axis.axvline(3)
        axis.axhspan(-1, 1)
        axis.plot([], [], label="for the legend")
    assert figure_data.as_csv(guide) == ""
    with figures.canvas(columns=3) as (diagram, axes):
        figures.broadcast_picture(axes, (1, 2, 2, 2))
    shown = figures.show(diagram, finding="A gate scales a plane.", drawn="a diagram").data
    assert "figure-data" not in shown


def test_the_caption_carries_them():
    with figures.canvas() as (figure, axis):
        axis.plot([1, 2], [3, 4], label="100 % & more")
    shown = figures.show(figure, finding="It rises.", drawn="A line!").data
    link = BeautifulSoup(shown, "lxml").select_one("a")
    assert link["download"] == "a-line.csv"
    assert unquote(link["href"]).endswith(figure_data.as_csv(figure))
