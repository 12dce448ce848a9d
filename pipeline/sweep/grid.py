"""What a sweep measures: a grid of settings, read from a file, and its cells.

A cell is one notebook with one choice of each axis. Its key is a digest of all that its result
depends on, so that every sweep finds a cell that was measured before.
"""

import hashlib
import itertools
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from investigation.evidence.parameters import ParameterError, Parameters, checked, shown
from investigation.evidence.provenance import source_sha256
from pipeline import places
from pipeline.chapters import freshness
from pipeline.chapters.notebooks import declared_parameters
from pipeline.faults import BuildError
from pipeline.sweep import environments
from pipeline.sweep.cells import Cell

MOST_CELLS = 10_000
LARGEST_BYTES = 2**20
TORCH = "torch"  # the axis that is no parameter, but an environment
ELSEWHERE = ("cpu", "cuda", "xpu", "mps")  # what another machine may have
AXES = ("torch", *Parameters.model_fields)


class Spec(BaseModel):
    """A sweep as its file describes it: `grid` varies, `fixed` does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notebooks: tuple[str, ...]
    grid: dict[str, tuple[Any, ...]]
    fixed: dict[str, Any] = {}

    allowed: ClassVar[Mapping[str, str]] = {
        "notebooks": 'allowed is a list of names, such as ["one_setting"]',
        "grid": 'allowed is a table of lists, such as dtype = ["float32", "bfloat16"]',
        "fixed": "allowed is a table of parameters, such as budget_s = 0.5",
    }

    @field_validator("notebooks")
    @classmethod
    def _notebooks_are_here(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = measuring()
        unknown = [name for name in value if name not in names]
        if unknown or not value:
            raise ValueError(f"there are {', '.join(names)}")
        return value

    @field_validator("grid")
    @classmethod
    def _axes_have_values(cls, value: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        for axis, choices in value.items():
            if axis not in AXES:
                raise ValueError(f"no axis {shown(axis)}; there are {', '.join(AXES)}")
            if not choices:
                raise ValueError(f"{axis} has no values; allowed is a list of one or more")
            if len({json.dumps(choice) for choice in choices}) < len(choices):
                raise ValueError(f"{axis} names a value twice")
        if math.prod(map(len, value.values())) > MOST_CELLS:
            raise ValueError(f"more than {MOST_CELLS} cells")
        return value

    @model_validator(mode="after")
    def _nothing_is_both(self) -> Self:
        both = sorted(self.grid.keys() & self.fixed.keys())
        if both:
            raise ValueError(f"{both[0]} is in grid and in fixed; allowed is one of them")
        return self

    @property
    def varied(self) -> tuple[str, ...]:
        """The axes with more than one value."""
        return tuple(axis for axis, choices in self.grid.items() if len(choices) > 1)


def measuring() -> dict[str, Path]:
    """Return the notebooks that a sweep may execute, by name: the chapters and those of sweeps."""
    return {path.stem: path for path in sorted(places.NOTEBOOKS.glob("*.ipynb"))}


def read(path: Path, *, elsewhere: bool = False) -> Spec:
    """Read a sweep's file; `elsewhere` is true if other machines than this one will measure.

    Raises `BuildError` with the file, the value and what is allowed.
    """
    try:
        spec = checked(Spec, _toml(path))
        for axis, choices in spec.grid.items():
            for choice in choices:
                _check_value(axis, choice, elsewhere)
        for name, value in spec.fixed.items():
            _check_value(name, value, elsewhere)
    except ParameterError as error:
        raise BuildError(f"{path}: {error}") from None
    return spec


def _toml(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise BuildError(f"{path}: {size} bytes; allowed are {LARGEST_BYTES}")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BuildError(f"{path}: not a TOML file ({error})") from None


def _check_value(axis: str, value: object, elsewhere: bool) -> None:
    if axis == TORCH:
        if not (isinstance(value, str) and re.fullmatch(r"\d+\.\d+\.\d+", value, re.ASCII)):
            raise ParameterError(f'torch={shown(value)}: allowed is a version, such as "2.13.0"')
    elif axis == "device" and elsewhere:
        if value not in ELSEWHERE:
            raise ParameterError(f"DEVICE={shown(value)}: allowed is {', '.join(ELSEWHERE)}")
    elif not (axis == "threads" and elsewhere and isinstance(value, int) and 0 < value <= 1024):
        Parameters.check(**{axis: value})


def cells(spec: Spec) -> list[Cell]:
    """Return the cells of a sweep, each once.

    Raises `BuildError` for an axis that none of its notebooks declares.
    """
    by_key = {cell.key: cell for name in spec.notebooks for cell in _of_notebook(spec, name)}
    _refuse_idle_axes(spec)
    return list(by_key.values())


def _of_notebook(spec: Spec, name: str) -> Iterator[Cell]:
    path = measuring()[name]
    declared = declared_parameters(path) | {TORCH}
    axes = {axis: choices for axis, choices in spec.grid.items() if axis in declared}
    fixed = {key: value for key, value in spec.fixed.items() if key in declared}
    code = _code(path)
    for choice in itertools.product(*axes.values()):
        given = {**fixed, **dict(zip(axes, choice, strict=True))}
        torch = given.pop(TORCH, environments.installed())
        yield Cell(notebook=name, torch=torch, parameters=given, key=_key(code, str(torch), given))


def cell(notebook: str, torch: str, packages: tuple[str, ...]) -> Cell:
    """Return a notebook's cell under one torch, in an environment of these packages alone."""
    code = {**_code(measuring()[notebook]), "packages": repr(packages)}
    key = _key(code, torch, {})
    return Cell(notebook=notebook, torch=torch, parameters={}, packages=packages, key=key)


def _code(path: Path) -> dict[str, str]:
    return {"source": source_sha256(path), "package": freshness.code_sha256(path)}


def _refuse_idle_axes(spec: Spec) -> None:
    declared = {TORCH}.union(
        *(declared_parameters(measuring()[notebook]) for notebook in spec.notebooks)
    )
    idle = [axis for axis in (*spec.grid, *spec.fixed) if axis not in declared]
    if idle:
        names = ", ".join(sorted(declared))
        raise BuildError(f"{idle[0]}: none of the sweep's notebooks has it; there are {names}")


def _key(code: Mapping[str, str], torch: str, parameters: Mapping[str, Any]) -> str:
    """Return a digest of all that a cell's result depends on, but for the machine."""
    depends = {
        **code,
        "lock": hashlib.sha256(places.LOCK.read_bytes()).hexdigest(),
        "torch": torch,
        "parameters": parameters,
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:32]
