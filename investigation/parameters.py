"""Every parameter of the book: its type, its limits and the sentence that refuses a bad one.

A notebook declares those it uses in its `parameters` cell; the command line sets them by
their upper-case names (`make book BUDGET=0.5 SHAPE=8,64,32,32`).
"""

import math
import os
from collections.abc import Iterable
from typing import Any, Self

import torch
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from investigation.cases import Shape


class ParameterError(ValueError):
    """A parameter that cannot be used; the message names it and what is allowed."""


class Parameters(BaseModel):
    """The parameters of a run, validated; each notebook uses some of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = "cpu"
    threads: int = 1
    budget_s: float = 0.6
    network_budget_s: float = 5.0
    processes: int = 8
    seed: int = 20241227
    shape: Shape = (128, 64, 16, 16)
    batch: int = 128
    resnet_batch: int = 8
    largest_side: int = 512
    examples: int = 1000
    trials: int = 8

    @field_validator("device")
    @classmethod
    def _device_is_here(cls, value: str) -> str:
        allowed = available_devices()
        if value not in allowed:
            raise ValueError(f"this machine has {' and '.join(allowed)}")
        return value

    @field_validator("threads")
    @classmethod
    def _threads_fit(cls, value: int) -> int:
        cores = os.cpu_count() or 1
        if not 1 <= value <= cores:
            raise ValueError(f"allowed is a whole number from 1 to {cores}, this machine's cores")
        return value

    @field_validator("budget_s", "network_budget_s")
    @classmethod
    def _budget_is_positive(cls, value: float) -> float:
        if not (math.isfinite(value) and 0 < value <= 600):
            raise ValueError("allowed is a number of seconds above 0 and up to 600")
        return value

    @field_validator("seed")
    @classmethod
    def _seed_is_natural(cls, value: int) -> int:
        if not 0 <= value < 2**32:
            raise ValueError("allowed is a whole number from 0 to 4294967295")
        return value

    @field_validator("processes", "batch", "resnet_batch", "largest_side", "examples", "trials")
    @classmethod
    def _count_is_positive(cls, value: int) -> int:
        if not 1 <= value <= 100_000:
            raise ValueError("allowed is a whole number from 1 to 100000")
        return value

    @field_validator("shape", mode="before")
    @classmethod
    def _shape_has_rank_four(cls, value: Any) -> Any:
        sizes = value.split(",") if isinstance(value, str) else value
        if not isinstance(sizes, list | tuple) or len(sizes) != 4:
            raise ValueError("allowed are four sizes, B,C,H,W, such as 128,64,16,16")
        return tuple(sizes)

    @classmethod
    def check(cls, **given: object) -> Self:
        """Return the validated parameters.

        Raises `ParameterError` with one line that names the first bad parameter, its value
        and what is allowed.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ParameterError(explain(error)) from None


def available_devices() -> tuple[str, ...]:
    """Return the devices that torch can use here, the processor first."""
    if not torch.accelerator.is_available():
        return ("cpu",)
    return ("cpu", str(torch.accelerator.current_accelerator()).split(":")[0])


def explain(error: ValidationError) -> str:
    """Return the first complaint of a validation as one line: name, value, what is allowed."""
    first = error.errors()[0]
    name = str(first["loc"][0])
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return explain_unknown(name, Parameters.model_fields)
    return f"{typed_name(name)}={shown(first['input'])}: {reason}"


def explain_unknown(name: str, allowed: Iterable[str]) -> str:
    """Return the line that refuses a name which is no parameter."""
    return f"{name}: no such parameter; there are {', '.join(allowed)}"


def typed_name(parameter: str) -> str:
    """Return the name that a person types for a parameter: `BUDGET` for `budget_s`."""
    return parameter.removesuffix("_s").upper()


def shown(value: object) -> str:
    """Return a value as a person would have typed it."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
