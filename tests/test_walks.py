"""The walks: what their pages tell a reader to run is what the project has."""

import os
import re
import subprocess
import sys

import pytest

from investigation.evidence.parameters import Parameters, typed_name
from pipeline import places
from pipeline.cli.commandline import Directions
from pipeline.cli.commands import commands

WALKS = sorted(places.BOOK.glob("walk_*.md"))
EXAMPLE = places.BOOK / "_examples" / "own_line.py"


@pytest.mark.parametrize("page", WALKS, ids=lambda page: page.stem)
def test_a_walk_names_commands_and_variables_that_exist(page):
    named = re.findall(r"\bmake ([a-z]+)((?: [A-Z_]+=\S+)*)", page.read_text(encoding="utf-8"))
    variables = {typed_name(name) for name in (*Parameters.model_fields, *Directions.model_fields)}
    assert named or page.stem == "walk_your_measurement"
    for command, given in named:
        assert command in {*commands.commands, "test"}
        assert set(re.findall(r"([A-Z_]+)=", given)) <= variables


@pytest.mark.slow
def test_the_example_fits_a_screen_and_says_whether_its_line_is_slower(tmp_path):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 34
    (tmp_path / "own_line.py").write_text(text.replace('"budget_s": 5', '"budget_s": 0.4'))
    done = subprocess.run(
        [sys.executable, "own_line.py"], cwd=tmp_path, capture_output=True, text=True,
        check=True, env=os.environ | {"PYTHONPATH": str(places.HERE)},
    )  # fmt: skip
    control, result = done.stdout.splitlines()
    outcomes = "slower than|faster than|equal within|is undecided|times as long"
    assert control.startswith("control:")
    assert result.startswith("result:")
    assert re.search(outcomes, result), result
