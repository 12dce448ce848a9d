"""Every sentence of a notebook's cell that states an outcome, in that world and in its opposite."""

import re

import pytest
from chapter_worlds import MEASURED, Worlds
from chapter_worlds_of_programs import PROGRAMS
from notebook_cells import told, told_cells

WORLDS: Worlds = MEASURED | PROGRAMS
PLANTED = [(cell, number) for cell, worlds in WORLDS.items() for number in range(len(worlds))]
# What a sentence says of nothing, or of one thing, if nobody thought of it.
NOUNS = "calls|dtypes|elements|guards|kernels|nodes|pairings|places|programs|settings|tensors"
SLIPS = (r"[:,(] ?[.)]", r" \.", r"\band \.", r"\bin [.:]", rf"(?<![\d,] )(?<!of )\b1 (?:{NOUNS})\b",
         r"\bNone\b(?! (?:of|is)\b)", r"\bnan\b", r"\S  +\S", r"\.\.")  # fmt: skip


def test_every_cell_that_states_an_outcome_has_its_worlds_and_no_other():
    assert told_cells() == set(WORLDS)


@pytest.mark.parametrize(("cell", "number"), PLANTED, ids=lambda part: getattr(part, "id", part))
def test_a_cell_tells_what_its_world_holds_and_nothing_of_the_others(cell, number):
    here = WORLDS[cell][number]
    text = told(cell, here.planted)
    for sentence in here.says:
        assert sentence in text
    for sentence in {one for other in WORLDS[cell] for one in other.says} - set(here.says):
        assert sentence not in text
    for slip in SLIPS:
        assert not re.search(slip, text), (slip, text)
