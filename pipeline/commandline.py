"""The words of the command line: make's own variables, checked before anything runs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from investigation.evidence.manifest import machine_folders
from investigation.evidence.parameters import (
    CORES,
    Model,
    ParameterError,
    Parameters,
    checked,
    explain_unknown,
    shown,
    typed_name,
)
from pipeline import places
from pipeline.faults import BuildError

# Make's own and the Makefile's, which a person may override for reasons of their own.
OF_MAKE = ("PYTHON", "SHELL", "MAKE", "MAKEFLAGS", "VENV")


class Directions(BaseModel):
    """What the variables say that are no notebook's parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notebook: str | None = None
    time_limit_s: float | None = None  # of each notebook
    machine: str | None = None
    base: Path | None = None
    head: Path = places.BUILD
    spec: Path | None = None
    scheduler: str | None = None
    workers: int = 2
    port: int = 8000

    allowed: ClassVar[Mapping[str, str]] = {
        "notebook": "allowed is the name of a chapter, such as 01_broadcasting",
        "time_limit_s": "allowed is a number of seconds from 1 to 86400",
        "machine": "allowed is the name of a folder in results",
        "base": "allowed is a folder or a zip that holds a run's evidence",
        "head": "allowed is a folder or a zip that holds a run's evidence, such as build",
        "spec": "allowed is a file that describes a sweep, such as sweeps/example.toml",
        "scheduler": "allowed is an address such as tcp://10.0.0.1:8786",
        "workers": f"allowed is a whole number from 1 to {CORES * 2}, two a core",
        "port": "allowed is a whole number from 1 to 65535",
    }

    @field_validator("base", "head", "spec", mode="before")
    @classmethod
    def _something_is_named(cls, value: Path | str, info: ValidationInfo) -> Path | str:
        if value == "":
            raise ValueError(f"nothing is named; {cls.allowed[str(info.field_name)]}")
        return value

    @field_validator("notebook")
    @classmethod
    def _notebook_is_here(cls, value: str) -> str:
        known = [notebook.stem for notebook in places.discover()]
        if value not in known:
            raise ValueError(f"there are {', '.join(known)}")
        return value

    @field_validator("machine")
    @classmethod
    def _machine_is_here(cls, value: str) -> str:
        known = [folder.name for folder in machine_folders(places.RECORDED)]
        if value not in known:
            raise ValueError(f"there are {', '.join(known) or 'none'} in results")
        return value

    @field_validator("base", "head")
    @classmethod
    def _run_is_here(cls, value: Path, info: ValidationInfo) -> Path:
        if not (value.is_dir() or (value.is_file() and value.suffix == ".zip")):
            raise ValueError(cls._allowed(info, value))
        return value

    @field_validator("spec")
    @classmethod
    def _spec_is_here(cls, value: Path, info: ValidationInfo) -> Path:
        if not value.is_file():
            raise ValueError(cls._allowed(info, value))
        return value

    @field_validator("scheduler")
    @classmethod
    def _scheduler_is_an_address(cls, value: str, info: ValidationInfo) -> str:
        port = re.fullmatch(r"(?:tcp|tls|ws|wss)://[\w.\[\]:-]+:(\d{1,5})", value, re.ASCII)
        if port is None or not 0 < int(port[1]) < 2**16:
            raise ValueError(cls.allowed[str(info.field_name)])
        return value

    @field_validator("time_limit_s", "workers", "port")
    @classmethod
    def _is_in_range(cls, value: float, info: ValidationInfo) -> float:
        name = str(info.field_name)
        low, high = {"time_limit_s": (1, 86400), "workers": (1, CORES * 2), "port": (1, 65535)}[
            name
        ]
        if not low <= value <= high:
            raise ValueError(cls.allowed[name])
        return value

    @classmethod
    def _allowed(cls, info: ValidationInfo, path: Path) -> str:
        there = "no such file or folder" if not path.exists() else "another kind of file"
        return f"{there}; {cls.allowed[str(info.field_name)]}"


@dataclass(frozen=True)
class Command:
    """What a command takes behind it; `needs` are those it cannot do without."""

    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    parameters: bool = False


COMMANDS: Mapping[str, Command] = {
    "book": Command(takes=("notebook", "time_limit_s"), parameters=True),
    "rerun": Command(takes=("notebook", "time_limit_s"), needs=("notebook",), parameters=True),
    "compare": Command(takes=("base", "head"), needs=("base",)),
    "sweep": Command(takes=("spec", "scheduler", "workers"), needs=("spec",)),
    "gpu": Command(takes=("time_limit_s",), parameters=True),
    "record": Command(),
    "seal": Command(takes=("machine",), needs=("machine",)),
    "audit": Command(),
    "serve": Command(takes=("port",)),
}


@dataclass(frozen=True)
class Request:
    """One command with everything that was typed behind it, validated."""

    command: str
    directions: Directions
    parameters: Mapping[str, object]


def request(words: list[str], makeflags: str = "") -> Request:
    """Return what a person asked for, in words and in make's variables.

    Raises `BuildError` with one line that names the word and what is allowed.
    """
    name, *rest = words or [""]
    if name not in COMMANDS:
        raise BuildError(f"{shown(name) or 'nothing'}: no such command; there are {_listed()}")
    command, given = COMMANDS[name], variables(makeflags, rest)
    directions = {
        one: given.pop(typed_name(one)) for one in command.takes if typed_name(one) in given
    }
    missing = [one for one in command.needs if one not in directions]
    if missing:
        raise BuildError(
            f"{name} needs {typed_name(missing[0])}=: {Directions.allowed[missing[0]]}"
        )
    return Request(name, _checked(Directions, directions), parameters(given, command))


def _listed() -> str:
    *first, last = COMMANDS
    return f"{', '.join(first)} and {last}"


def variables(makeflags: str, words: Iterable[str] = ()) -> dict[str, str]:
    """Return the `NAME=value` pairs that a person typed after `make`, or after the command.

    make hands its command line on in MAKEFLAGS, after `--`, with a backslash before each blank
    and backslash and with `$` doubled; read there, no shell sees it. Raises `BuildError` for a
    word that is no such pair.
    """
    _, _, overrides = f" {makeflags}".partition(" -- ")
    escaped = re.findall(r"(?:\\.|[^\\ \t])+", overrides.replace("$$", "$"), re.DOTALL)
    typed = [*(re.sub(r"\\(.)", r"\1", word, flags=re.DOTALL) for word in escaped), *words]
    pairs = {}
    for word in typed:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise BuildError(f"{shown(word)}: allowed is NAME=value, such as BUDGET=1")
        pairs[name] = value
    return {name: value for name, value in pairs.items() if name not in OF_MAKE}


def parameters(given: Mapping[str, str], command: Command = COMMANDS["book"]) -> dict[str, object]:
    """Return the notebooks' parameters among the variables, validated and by their own names.

    Raises `BuildError` with one line that names the variable and what is allowed.
    """
    fields = tuple(Parameters.model_fields) if command.parameters else ()
    names = {typed_name(field): field for field in fields}
    for name in given:
        if name not in names:
            raise BuildError(explain_unknown(name, (*names, *map(typed_name, command.takes))))
    typed = {names[name]: value for name, value in given.items()}
    return _checked(Parameters, typed).model_dump(mode="json", include=set(typed))


def _checked(model: type[Model], given: Mapping[str, object]) -> Model:
    try:
        return checked(model, given)
    except ParameterError as error:
        raise BuildError(str(error)) from None
