"""The words of the command line: make's own variables, checked before anything runs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import click
from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

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
from investigation.evidence.sealed import manifest
from pipeline import places
from pipeline.faults import BuildError

# Make's own and the Makefile's, which a person may override for reasons of their own.
OF_MAKE = ("PYTHON", "SHELL", "MAKE", "MAKEFLAGS", "VENV")
PARAMETERS = {typed_name(field): field for field in Parameters.model_fields}


class Directions(BaseModel):
    """The variables that are no notebook's parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notebook: str | None = None
    time_limit_s: float | None = None  # of each notebook
    machine: str | None = None
    base: Path | None = None
    head: Path = places.BUILD
    spec: Path | None = None
    torch: tuple[str, ...] = ()
    scheduler: str | None = None
    workers: int = 2
    port: int = 8000
    src: Path | None = None
    apply: Literal["0", "1"] = "0"
    keep_going: Literal["0", "1"] = "0"

    allowed: ClassVar[Mapping[str, str]] = {
        "notebook": "allowed is the name of a chapter, such as 01_broadcasting",
        "time_limit_s": "allowed is a number of seconds from 1 to 86400",
        "machine": "allowed is the name of a folder in results",
        "base": "allowed is a folder or a zip that holds a run's evidence",
        "head": "allowed is a folder or a zip that holds a run's evidence, such as build",
        "spec": "allowed is a file that describes a sweep, such as sweeps/example.toml",
        "torch": "allowed are releases of sweeps/versions.toml, such as TORCH=2.13.0,2.15.0",
        "scheduler": "allowed is an address such as tcp://10.0.0.1:8786",
        "workers": f"allowed is a whole number from 1 to {CORES * 2}, two a core",
        "port": "allowed is a whole number from 1 to 65535",
        "src": "allowed is a Python file or a folder of them, such as SRC=src",
        "keep_going": "allowed is 1, to go on after a notebook that fails or warns, or 0",
        "apply": "allowed is 1, to write what is shown, or 0",
    }

    @field_validator("base", "head", "spec", "src", mode="before")
    @classmethod
    def _something_is_named(cls, value: Path | str, info: ValidationInfo) -> Path | str:
        if value == "":
            raise ValueError(f"nothing is named; {cls.allowed[str(info.field_name)]}")
        return value

    @field_validator("torch", mode="before")
    @classmethod
    def _releases_are_named(cls, value: str) -> tuple[str, ...]:
        return tuple(value.split(","))

    @field_validator("notebook")
    @classmethod
    def _notebook_is_here(cls, value: str) -> str:
        names = [notebook.stem for notebook in places.discover()]
        if value not in names:
            raise ValueError(f"there are {', '.join(names)}")
        return value

    @field_validator("machine")
    @classmethod
    def _machine_is_here(cls, value: str) -> str:
        names = [folder.name for folder in manifest.folders(places.RECORDED)]
        if value not in names:
            raise ValueError(f"there are {', '.join(names) or 'none'} in results")
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

    @field_validator("src")
    @classmethod
    def _code_is_here(cls, value: Path, info: ValidationInfo) -> Path:
        root = value.expanduser()
        if not (root.is_dir() or (root.is_file() and root.suffix == ".py")):
            raise ValueError(cls._allowed(info, root))
        return root

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
class Request:
    """A person's request to a command; `parameters` are the notebooks'."""

    directions: Directions
    parameters: Mapping[str, object]


class Command(click.Command):
    """A command behind which a person types variables, `NAME=value`.

    It `takes` some directions, `needs` those it cannot do without, and where it executes
    notebooks takes their `parameters` too. Its function is given a `Request`.
    """

    def __init__(
        self,
        name: str,
        *,
        takes: tuple[str, ...] = (),
        needs: tuple[str, ...] = (),
        parameters: bool = False,
        **declared: Any,
    ) -> None:
        words = {"ignore_unknown_options": True, "allow_extra_args": True}
        super().__init__(name, context_settings=words, **declared)
        needed = " ".join(f"{typed_name(parameter)}=value" for parameter in needs)
        more = "[NAME=value]..." if takes or parameters else ""
        self.options_metavar = f"{needed} {more}".strip()
        self.directions = {typed_name(parameter): parameter for parameter in (*needs, *takes)}
        self.needs = needs
        self.parameters = PARAMETERS if parameters else {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, and make's variables, which `main` has put into the context."""
        words = super().parse_args(ctx, args)
        ctx.params["request"] = self.request(variables(ctx.obj or "", words))
        return words

    def request(self, given: Mapping[str, str]) -> Request:
        """Return the request.

        Raises `BuildError` with one line that names the variable and what is allowed.
        """
        for name in given:
            if name not in {**self.parameters, **self.directions}:
                raise BuildError(explain_unknown(name, (*self.parameters, *self.directions)))
        for parameter in self.needs:
            if typed_name(parameter) not in given:
                raise BuildError(
                    f"{self.name} needs {typed_name(parameter)}=: {Directions.allowed[parameter]}"
                )
        typed = {name: given[name] for name in self.directions if name in given}
        return Request(directions(typed), parameters(given))

    def get_short_help_str(self, limit: int = 0) -> str:
        """Return the first line of its help, whatever the width."""
        del limit
        return (self.help or "").partition("\n")[0]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what is allowed of each variable."""
        allowed = {**Directions.allowed, **Parameters.allowed}
        rows = [
            (f"{name}=", re.sub("^allowed (is|are) ", "", allowed[field]))
            for name, field in (*self.directions.items(), *self.parameters.items())
        ]
        if rows:
            with formatter.section("Variables"):
                formatter.write_dl(rows)
        super().format_options(ctx, formatter)


class Commands(click.Group):
    """All commands, in the order of their declaration."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        del ctx
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Return one. Raises `BuildError` with one line that lists the commands."""
        if cmd_name not in self.commands:
            *first, last = self.list_commands(ctx)
            there = f"{', '.join(first)} and {last}"
            raise BuildError(f"{shown(cmd_name) or 'nothing'}: no such command; there are {there}")
        return self.commands[cmd_name]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command's name; without a word it is an empty name."""
        return super().parse_args(ctx, args or [""])


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


def directions(given: Mapping[str, str]) -> Directions:
    """Return the variables that are no notebook's parameters, validated.

    Raises `BuildError` with one line that names the variable and what is allowed.
    """
    named = {typed_name(name): name for name in Directions.model_fields}
    return _checked(Directions, {named[name]: value for name, value in given.items()})


def parameters(given: Mapping[str, str]) -> dict[str, object]:
    """Return the notebooks' parameters among the variables, validated and by their own names.

    Raises `BuildError` with one line that names the variable and what is allowed.
    """
    typed = {field: given[name] for name, field in PARAMETERS.items() if name in given}
    return _checked(Parameters, typed).model_dump(mode="json", include=set(typed))


def _checked(model: type[Model], given: Mapping[str, object]) -> Model:
    try:
        return checked(model, given)
    except ParameterError as error:
        raise BuildError(str(error)) from None
