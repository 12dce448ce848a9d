"""Every figure states its finding, computed from the evidence, in both of its texts."""

import ast
from collections.abc import Iterator

import published
import pytest
from bs4 import BeautifulSoup
from notebook_cells import Cell, code_cells

from investigation.display import figures
from investigation.display.figure_texts import file_name, texts
from pipeline import places

# A diagram draws no evidence: what it shows is its finding.
DIAGRAMS = {Cell("01_broadcasting", "01-04")}
NOTEBOOKS = sorted(path.stem for path in places.NOTEBOOKS.glob("*.ipynb"))


def test_the_alternative_text_is_what_is_drawn_and_the_finding_and_the_caption_how_to_read_it():
    alternative, caption = texts(finding="It rises.", drawn="A line", reading="Up is more.")
    assert alternative == "A line. It rises."
    assert caption == "It rises. Up is more."
    assert texts(finding="It rises.", drawn="A line").caption == "It rises."


@pytest.mark.parametrize("missing", ["finding", "drawn"])
def test_a_figure_without_a_finding_or_without_what_is_drawn_is_refused_in_one_line(missing):
    words = {"finding": "It rises.", "drawn": "A line", missing: " "}
    with pytest.raises(ValueError, match=rf"^a figure needs words for `{missing}`, not ' '$"):
        texts(**words)


def test_the_finding_of_a_published_figure_is_read_from_its_two_texts():
    def published_finding(**words):
        with figures.canvas() as (figure, axis):
            axis.plot([0, 1], [0, 1])
        soup = BeautifulSoup(figures.show(figure, **words).data, "lxml")
        return published.finding(soup.figure)

    words = {"finding": "It rises. By 1 & more.", "drawn": "A line", "reading": "Up is more."}
    assert published_finding(**words) == "It rises. By 1 & more."
    without = '<svg aria-label="A line. It rises."></svg><figcaption>A line</figcaption>'
    bare = BeautifulSoup(f"<figure>{without}</figure>", "lxml")
    assert published.finding(bare.figure) == ""


def test_the_file_of_the_numbers_is_named_after_what_is_drawn():
    assert file_name("Bars of the bytes, per form!") == "bars-of-the-bytes-per-form"


def figure_cells() -> Iterator[tuple[Cell, ast.Call]]:
    """Iterate over every call of a notebook that has the words of a figure."""
    for notebook in NOTEBOOKS:
        for name, cell in code_cells(notebook).items():
            for node in ast.walk(cell):
                if isinstance(node, ast.Call) and (
                    ast.unparse(node.func) == "figures.show" or "drawn" in keywords(node)
                ):
                    yield Cell(notebook, name), node


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {str(keyword.arg): keyword.value for keyword in call.keywords}


def is_computed(value: ast.expr, cell: ast.Module) -> bool:
    """Whether a value depends on anything but texts that the cell itself types."""
    typed = {
        target.id
        for node in ast.walk(cell)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    return bool(names - typed)


def findings() -> list[tuple[Cell, ast.expr]]:
    return [(cell, keywords(call)["finding"]) for cell, call in figure_cells()
            if ast.unparse(call.func) == "figures.show"]  # fmt: skip


def test_the_finding_of_every_figure_is_computed_unless_it_is_a_diagram():
    typed = {
        cell
        for cell, finding in findings()
        if not is_computed(finding, code_cells(cell.notebook)[cell.id])
    }
    assert typed == DIAGRAMS


@pytest.mark.parametrize(
    ("text", "computed"),
    [
        ("show(finding='a')", False),
        ("show(finding=f'a' 'b')", False),
        ("told = 'a'\nshow(finding=told)", False),
        ("show(finding=told)", True),
        ("show(finding=f'{x} of 9')", True),
        ("show(finding=words.told(x))", True),
    ],
)
def test_a_finding_that_is_typed_is_told_from_one_that_is_computed(text, computed):
    cell = ast.parse(text)
    assert is_computed(cell.body[-1].value.keywords[0].value, cell) == computed


def drawn_texts(notebook: str) -> list[str]:
    """What the figures of a notebook say is drawn; a function that draws takes it as given."""
    values = [keywords(call).get("drawn") for cell, call in figure_cells()
              if cell.notebook == notebook]  # fmt: skip
    return [ast.literal_eval(value) for value in values if not isinstance(value, ast.Name)]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_what_is_drawn_is_typed_and_no_other_figure_of_the_page_says_the_same(notebook):
    names = [file_name(drawn) for drawn in drawn_texts(notebook)]
    assert len(set(names)) == len(names)


def test_most_notebooks_have_figures():
    assert sum(bool(drawn_texts(notebook)) for notebook in NOTEBOOKS) >= 12
