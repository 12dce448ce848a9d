"""The words of the command line: make's own variables, checked before anything runs."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from investigation.parameters import ParameterError, Parameters, explain_unknown, typed_name
from pipeline.faults import BuildError

# Variables that say what to do; the others are parameters of the notebooks.
DIRECTIONS = ("NOTEBOOK", "PORT")
# Make's own and the Makefile's, which a person may override for reasons of their own.
OF_MAKE = ("PYTHON", "SHELL", "MAKE", "MAKEFLAGS", "VENV")


def variables(makeflags: str, words: Iterable[str] = ()) -> dict[str, str]:
    """Return the `NAME=value` pairs that a person typed after `make`, or after the command.

    make hands its command line on in MAKEFLAGS, after `--`; read there, no shell sees it.
    """
    _, _, overrides = f" {makeflags}".partition(" -- ")
    typed = [*shlex.split(overrides.replace("$$", "$")), *words]
    pairs = (word.partition("=") for word in typed)
    return {name: value for name, sign, value in pairs if sign and name not in OF_MAKE}


def parameters(given: Mapping[str, str]) -> dict[str, object]:
    """Return the notebooks' parameters among the variables, validated and by their own names.

    Raises `BuildError` with one line that names the variable and what is allowed.
    """
    names = {typed_name(field): field for field in Parameters.model_fields}
    typed = {name: value for name, value in given.items() if name not in DIRECTIONS}
    for name in typed:
        if name not in names:
            raise BuildError(explain_unknown(name, (*names, *DIRECTIONS)))
    try:
        checked = Parameters.check(**{names[name]: value for name, value in typed.items()})
    except ParameterError as error:
        raise BuildError(str(error)) from None
    return checked.model_dump(mode="json", include={names[name] for name in typed})


def one_notebook(given: Mapping[str, str], notebooks: list[Path]) -> Path | None:
    """Return the notebook that `NOTEBOOK=` names, or None.

    Raises `BuildError` where there is none of that name.
    """
    wanted = given.get("NOTEBOOK")
    if wanted is None:
        return None
    by_name = {notebook.stem: notebook for notebook in notebooks}
    if wanted not in by_name:
        raise BuildError(f"NOTEBOOK={wanted}: there are {', '.join(by_name)}")
    return by_name[wanted]
