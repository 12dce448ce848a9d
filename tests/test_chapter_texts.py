"""Every sentence of a notebook's cell that states an outcome, in that world and in its opposite."""

import ast
import re

import pytest
from chapter_worlds import MEASURED, Worlds
from chapter_worlds_of_deployments import DEPLOYED
from chapter_worlds_of_figures import CAPTIONS
from chapter_worlds_of_programs import PROGRAMS
from notebook_cells import code_cells, never_shown, states_an_outcome, told, told_cells

from pipeline import places

WORLDS: Worlds = MEASURED | PROGRAMS | DEPLOYED | CAPTIONS
PLANTED = [(cell, number) for cell, worlds in WORLDS.items() for number in range(len(worlds))]
NOUNS = "calls|dtypes|elements|guards|kernels|nodes|pairings|places|programs|settings|tensors"
# What a sentence looks like if nobody thought of nothing, of one thing, or of no number.
SLIPS = (
    r"[:,(] ?[.)]",
    r"\S +\.(?: |$)",
    r"\b(?:and|in|of) ?[.;]",
    rf"(?<!\bof )(?<![\d,.])\b1 (?:{NOUNS})\b",
    r"\bNone\b(?! (?:of|is)\b)",
    r"\b(?:nan|inf)\b",
    r"\S {2,}\S",
    r"\.\.",
)


def test_every_cell_that_states_an_outcome_has_its_worlds():
    missing = [f"{cell.notebook}, cell {cell.id}" for cell in told_cells() - set(WORLDS)]
    assert missing == [], "states an outcome, and no world is planted for it"


def test_no_world_is_of_a_cell_that_is_gone_or_states_nothing():
    left_over = [f"{cell.notebook}, cell {cell.id}" for cell in set(WORLDS) - told_cells()]
    assert left_over == []


@pytest.mark.parametrize("notebook", sorted(path.stem for path in places.NOTEBOOKS.glob("*.ipynb")))
def test_every_cell_shows_what_it_makes_for_display(notebook):
    lost = {name: never_shown(cell) for name, cell in code_cells(notebook).items()}
    assert {name: texts for name, texts in lost.items() if texts} == {}


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("say('a')\ntable(rows)", ["say('a')"]),
        ("for row in rows:\n    figures.show(row)", ["figures.show(row)"]),
        ("table(rows) if rows else say('none')\na = 1", ["table(rows) if rows else say('none')"]),
        ("rows and table(rows)\na = 1", ["rows and table(rows)"]),
        ("display(say('a'))\nshown = table(rows)\nsay('b')", []),
    ],
)
def test_what_is_made_for_display_and_not_shown_is_found(text, lost):
    assert never_shown(ast.parse(text)) == lost


@pytest.mark.parametrize("cell", WORLDS, ids=lambda cell: cell.id)
def test_a_cell_has_two_worlds_or_more_and_each_shows_something_else(cell):
    sentences = [one.sentences for one in WORLDS[cell]]
    assert len(set(sentences)) >= 2


@pytest.mark.parametrize(("cell", "number"), PLANTED, ids=lambda part: getattr(part, "id", part))
def test_a_cell_tells_what_its_world_holds_and_nothing_of_the_others(cell, number):
    here = WORLDS[cell][number]
    text = told(cell, here.planted)
    assert bool(text) == bool(here.sentences)
    for sentence in here.sentences:
        assert sentence in text
    for sentence in {one for other in WORLDS[cell] for one in other.sentences} - set(
        here.sentences
    ):
        assert sentence not in text
    prose = re.sub(r"`[^`]+`", "code", text)
    assert [slip for slip in SLIPS if re.search(slip, prose)] == [], text


@pytest.mark.parametrize(
    "text",
    [
        "say('a' if x else 'b')",
        "say(f'{names}' or 'none')",
        "say('a' + ' warned' * bool(x))",
        "say(f'a{x}' * y)",
        "say(f'it is {WORDS[x]}')",
        "say(', '.join(a for a in b if a))",
        "if x:\n    display(say('a'))",
        "figures.show(figure, finding='a', drawn='b', reading='c' if x else 'd')",
        "figures.show(figure, finding=f'{x} of 9', drawn='a')",
        "figures.show(figure, finding=told, drawn='a')",
        "figures.show(figure, finding=words.told(x), drawn='a')",
        "table(rows) if rows else say('nothing')",
        "told = 'a' if x else 'b'\nsay(told)",
    ],
)
def test_a_condition_in_what_is_shown_is_found(text):
    assert states_an_outcome(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "say('a')",
        "say(f'{x!r}.')",
        "say(f'{100 * x:.2g} % and {names[-1]}')",
        "a = 1 if x else 2",
        "figures.show(figure, finding='a', drawn='b', reading='c')",
    ],
)
def test_a_text_without_a_condition_needs_no_world(text):
    assert not states_an_outcome(ast.parse(text))


def test_a_text_that_an_earlier_cell_chose_or_whose_function_it_defined_is_found_by_its_name():
    assert states_an_outcome(ast.parse("say(f'It is {word}.')"), chosen={"word"})
    assert states_an_outcome(ast.parse("draw(graphs)"), tellers={"draw"})
    assert not states_an_outcome(ast.parse("draw(word)"), chosen={"word"})


@pytest.mark.parametrize(
    "text",
    ["in 0: .", "a and .", "1 tensors", "12 and 1 calls", "a  b", "none ()", "by nan %", "a .."],
)
def test_a_slip_is_noticed(text):
    assert any(re.search(slip, text) for slip in SLIPS)


@pytest.mark.parametrize("text", ["0 of 1 tensors", "11 tensors", "2.1 calls", "None is slower."])
def test_what_is_written_well_is_no_slip(text):
    assert not any(re.search(slip, text) for slip in SLIPS)
