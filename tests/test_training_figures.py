import re

from investigation.display import figures, training_figures
from investigation.observe.autograd_graph import Gradient, Node

FULL, SMALL = Gradient((2, 3, 4, 5), "float32"), Gradient((2, 3, 1, 1), "float32")
GRAPH = (
    Node("MulBackward", FULL, (1, 2)),
    Node("gradient of x", FULL, ()),
    Node("ExpandBackward", FULL, (3,)),
    Node("gradient of gate", SMALL, ()),
)


def html_of(figure):
    return figures.show(figure, finding="It rises.", drawn="a line").data


def test_a_graph_is_drawn_from_the_top_with_what_arrives_in_each_box():
    with figures.canvas() as (figure, axis):
        training_figures.backward_graph(axis, GRAPH, "expand_as", marked="Expand")
        boxes = {text.get_text().split("\n")[0]: text for text in axis.texts if text.get_text()}
    heights = {name: text.get_position()[1] for name, text in boxes.items()}
    assert heights["MulBackward"] > heights["ExpandBackward"] > heights["gradient of gate"]
    assert heights["gradient of x"] == heights["ExpandBackward"]
    edge = {name: text.get_bbox_patch().get_edgecolor() for name, text in boxes.items()}
    assert edge["ExpandBackward"] != edge["MulBackward"]
    assert "(2, 3, 1, 1) float32" in html_of(figure)


def test_a_graph_takes_the_pages_colours_in_the_dark_too():
    with figures.canvas() as (figure, axis):
        training_figures.backward_graph(axis, GRAPH, "expand_as", marked="Expand")
    colours = set(re.findall(r"(?:fill|stroke): (#\w+)", html_of(figure)))
    assert colours == {figures.COLOURS["expand_as"]}


def test_errors_are_drawn_a_panel_a_dtype():
    errors = {dtype: {"expand_as": [0.2, 0.1], "broadcast": [0.1, 0.1]} for dtype in ("a", "b")}
    html = html_of(training_figures.gradient_errors([1e-3, 1e-2], errors, (2e-3, 5e-3)))
    assert "a gate" in html
    assert "b gate" in html


def test_runs_that_never_part_leave_no_mark_among_the_differences():
    curves = {"broadcast": [3.0, 2.0], "expand_as": [3.0, 2.0], "another seed": [2.9, 1.0]}
    figure = training_figures.loss_curves(curves, {"together": [0.0, 0.0], "apart": [0.0, 0.5]})
    together, apart = figure.axes[1].get_lines()
    assert len(together.get_xdata()) == 0
    assert list(apart.get_xdata()) == [2]
    assert "another seed" in html_of(figure)


def test_one_form_is_drawn_as_points_on_the_line_of_the_other_in_any_order():
    curves = {"another seed": [2.9, 1.0], "expand_as": [3.0, 2.0], "broadcast": [3.0, 2.0]}
    lines = training_figures.loss_curves(curves, {"apart": [0.0, 1.0]}).axes[0].get_lines()
    drawn_with = {line.get_label(): (line.get_marker(), line.get_linestyle()) for line in lines}
    assert drawn_with["expand_as"] == ("o", "None")
    assert drawn_with["broadcast"] == drawn_with["another seed"] == ("None", "-")
