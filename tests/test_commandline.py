import subprocess
import sys

import pytest
from asking import request

from pipeline import places
from pipeline.__main__ import main
from pipeline.cli import commandline
from pipeline.cli.commands import commands
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
        request(["book", *(f"{name}={value}" for name, value in typed.items())])
    assert str(refused.value).startswith(expected)
    assert "\n" not in str(refused.value)


def test_a_notebook_is_chosen_by_its_name():
    parsed = request(["rerun", "NOTEBOOK=02_strides", "SEED=1"])
    assert parsed.directions.notebook == "02_strides"
    assert parsed.parameters == {"seed": 1}
    assert request(["book"]).directions.notebook is None
    with pytest.raises(BuildError, match="NOTEBOOK=03: there are 00_instrument, 01_broadcasting"):
        request(["rerun", "NOTEBOOK=03"])


def help_of(words, capsys):
    assert main([*words, "--help"]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_help_lists_every_command_with_its_first_line(capsys):
    shown = help_of([], capsys)
    for name, command in commands.commands.items():
        first = (command.help or "").partition("\n")[0]
        assert first
        assert f"{name} {first}" in shown


@pytest.mark.parametrize("name", commands.commands)
def test_a_commands_help_says_what_may_be_typed_behind_it(name, capsys):
    shown, command = help_of([name], capsys), commands.commands[name]
    assert shown.startswith(f"Usage: python -m pipeline {name} ")
    for variable in (*command.directions, *command.parameters):
        assert f" {variable}= " in shown
    for needed in command.needs:
        assert f"{needed.upper()}=value" in shown


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["book", "BUDGET=-1"], 1, "BUDGET=-1: allowed is a number of seconds above 0"),
        (["compare"], 2, "compare needs BASE=: allowed is a folder or a zip"),
        (["--colour"], 1, "--colour: no such command; there are book, rerun"),
        (["book", "--colour"], 1, "--colour: allowed is NAME=value, such as BUDGET=1"),
        (["book", "--help=yes"], 1, "Option '--help' does not take a value."),
    ],
)
def test_a_refusal_is_one_line_and_the_commands_own_status(words, status, message, capsys):
    assert main(words) == status
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1


def test_what_make_was_given_counts(monkeypatch, capsys):
    monkeypatch.setenv("MAKEFLAGS", " -- THREADS=all")
    assert main(["book"]) == 1
    assert capsys.readouterr().err.startswith("error: THREADS=all: allowed is a whole number")


def test_an_interruption_has_a_status_of_its_own(monkeypatch, capsys):
    def stop(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands.commands["audit"], "callback", stop)
    assert main(["audit"]) == 130
    assert capsys.readouterr().err.startswith("error: stopped; what had finished is kept")


def test_a_command_starts_without_what_it_may_not_need():
    """A build with nothing to do, a comparison or a refusal would wait seconds for these."""
    slow = {"torch", "pandas", "matplotlib", "papermill", "nbformat", "distributed", "scipy"}
    command = "import pipeline.__main__, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", command], cwd=places.HERE, capture_output=True,
                            text=True, check=True).stdout.split()  # fmt: skip
    assert "pipeline.cli.commandline" in loaded
    assert slow.isdisjoint(loaded)
