import subprocess
import sys

import pytest

from pipeline import commandline, places
from pipeline.faults import BuildError


@pytest.mark.parametrize(
    ("makeflags", "expected"),
    [
        ("", {}),
        ("s -j2", {}),
        (" -- DEVICE=cpu BUDGET=0.5", {"DEVICE": "cpu", "BUDGET": "0.5"}),
        ("s -- SHAPE=1,2,3,4", {"SHAPE": "1,2,3,4"}),
        (r" -- DEVICE=a\ b", {"DEVICE": "a b"}),
        (" -- DEVICE=$$HOME", {"DEVICE": "$HOME"}),
        (" -- PYTHON=python3.12 SEED=1", {"SEED": "1"}),
        (" -- DEVICE=it's", {"DEVICE": "it's"}),
        (r" -- BASE=a\\b\ c", {"BASE": r"a\b c"}),
    ],
)
def test_variables_are_read_from_makes_own_flags(makeflags, expected):
    assert commandline.variables(makeflags) == expected


def test_words_behind_the_command_count_too():
    assert commandline.variables("", ["SEED=1"]) == {"SEED": "1"}


def test_parameters_take_the_notebooks_names_and_types():
    typed = {"BUDGET": "0.5", "SHAPE": "1,2,3,4"}
    assert commandline.parameters(typed) == {"budget_s": 0.5, "shape": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"DEVICE": "banana"}, "DEVICE=banana: this machine has cpu"),
        ({"BUDGET": "-1"}, "BUDGET=-1: allowed is a number of seconds above 0"),
        ({"SHAPE": "3,4"}, "SHAPE=3,4: allowed are four sizes"),
        ({"DEVISE": "cpu"}, "DEVISE: no such parameter; there are DEVICE, THREADS, BUDGET"),
        ({"budget": "1"}, "budget: no such parameter; there are DEVICE"),
    ],
)
def test_a_bad_variable_is_refused_by_the_name_it_was_typed_under(typed, expected):
    with pytest.raises(BuildError) as refused:
        commandline.parameters(typed)
    assert str(refused.value).startswith(expected)
    assert "\n" not in str(refused.value)


def test_a_notebook_is_chosen_by_its_name():
    asked = commandline.request(["rerun", "NOTEBOOK=02_strides", "SEED=1"])
    assert asked.directions.notebook == "02_strides"
    assert asked.parameters == {"seed": 1}
    assert commandline.request(["book"]).directions.notebook is None
    with pytest.raises(BuildError, match="NOTEBOOK=03: there are 00_instrument, 01_broadcasting"):
        commandline.request(["rerun", "NOTEBOOK=03"])


def test_a_command_starts_without_what_it_may_not_need():
    """A build with nothing to do, a comparison or a refusal would wait seconds for these."""
    slow = {"torch", "pandas", "matplotlib", "papermill", "nbformat", "distributed", "scipy"}
    command = "import pipeline.__main__, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", command], cwd=places.HERE, capture_output=True,
                            text=True, check=True).stdout.split()  # fmt: skip
    assert "pipeline.commandline" in loaded
    assert slow.isdisjoint(loaded)
