"""Every parameter of the book: its type, its limits and the sentence that refuses a bad one.

A notebook declares those it uses in its `parameters` cell; the command line sets them by
their upper-case names (`make book BUDGET=0.5 SHAPE=8,64,32,32`). Whatever else a person can
type is checked by models of the same kind, so that every refusal reads the same.
"""

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, TypeVar

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from investigation.subject import torch_features
from investigation.subject.cases import LEVELS, Level, Shape
from investigation.subject.gpu_catalog import CHIPS
from investigation.subject.memory_formats import MEMORY_FORMATS, MemoryFormat
from investigation.subject.runtimes import SLUGS

CORES = os.cpu_count() or 1
# No single float32 tensor takes more than an eighth of the machine's memory: a few are alive.
MOST_ELEMENTS = psutil.virtual_memory().total // 8 // 4
DTYPES = ("float32", "float64", "bfloat16", "float16")
CHIP_SLUGS = tuple(chip.slug for chip in CHIPS)
LONGEST_SHOWN = 60  # characters of a value that a refusal repeats

SECONDS = "allowed is a number of seconds above 0 and up to 600"
SEEDS = "allowed is a whole number from 0 to 4294967295"
SIZES = "allowed are four sizes, B,C,H,W, such as 128,64,16,16"
PAIRS = (
    "allowed are dtypes of input and gate, such as float32,float32:bfloat16; "
    f"there are {', '.join(DTYPES)}"
)
FITTING = f"{SIZES}, of at most {MOST_ELEMENTS} elements together on this machine"
# The largest of each count: for sizes, what keeps the largest tensor of the book in memory.
MOST = {
    "threads": CORES,
    "processes": 100_000,
    "batch": MOST_ELEMENTS // (32 * 32 * 32),
    "resnet_batch": MOST_ELEMENTS // (256 * 56 * 56),
    "largest_side": math.isqrt(MOST_ELEMENTS // 16),
    "examples": 100_000,
    "trials": 100_000,
    "epochs": 1_000,
}


Model = TypeVar("Model", bound=BaseModel)


class ParameterError(ValueError):
    """A parameter that cannot be used; the message names it and what is allowed."""


def count(name: str) -> str:
    """Return the sentence with the counts that are allowed."""
    why = {"threads": ", this machine's cores"}.get(name, "")
    return f"allowed is a whole number from 1 to {MOST[name]}{why}"


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
    epochs: int = 3
    dtype: str = "float32"
    dtype_pairs: tuple[str, ...] = ("float32",)
    levels: tuple[Level, ...] = LEVELS
    chips: tuple[str, ...] = CHIP_SLUGS
    memory_format: MemoryFormat = "contiguous"
    runtimes: tuple[str, ...] = SLUGS

    # The refusal of a value that is not even of its field's type.
    allowed: ClassVar[Mapping[str, str]] = {
        "device": "allowed is the name of a device, such as cpu",
        "dtype": f"allowed is {', '.join(DTYPES)}",
        "dtype_pairs": PAIRS,
        "chips": f"allowed are some of {','.join(CHIP_SLUGS)}",
        "levels": f"allowed are {' and '.join(LEVELS)}, or one of them",
        "runtimes": f"allowed are some of {','.join(SLUGS)}",
        "budget_s": SECONDS,
        "network_budget_s": SECONDS,
        "seed": SEEDS,
        "shape": SIZES,
        "memory_format": f"allowed is {' or '.join(MEMORY_FORMATS)}",
        **{name: count(name) for name in MOST},
    }

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool):
            raise ValueError(cls.allowed.get(str(info.field_name), "allowed is no truth value"))
        return value

    @field_validator("device")
    @classmethod
    def _device_is_here(cls, value: str) -> str:
        allowed = available_devices()
        if value not in allowed:
            raise ValueError(f"this machine has {' and '.join(allowed)}")
        return value

    @field_validator("dtype")
    @classmethod
    def _dtype_is_known(cls, value: str) -> str:
        if value not in DTYPES:
            raise ValueError(cls.allowed["dtype"])
        return value

    @field_validator("dtype_pairs", "levels", "runtimes", "chips", mode="before")
    @classmethod
    def _words_are_known(cls, value: Any, info: ValidationInfo) -> Any:
        name = str(info.field_name)
        words = value.split(",") if isinstance(value, str) else value
        words = tuple(map(str, words)) if isinstance(words, list | tuple) else ()
        listed = {"levels": LEVELS, "runtimes": SLUGS, "chips": CHIP_SLUGS}
        is_allowed = listed[name].__contains__ if name in listed else _is_dtype_pair
        if not words or len(set(words)) < len(words) or not all(map(is_allowed, words)):
            raise ValueError(cls.allowed[name])
        return words

    @field_validator("budget_s", "network_budget_s")
    @classmethod
    def _budget_is_positive(cls, value: float) -> float:
        if not (math.isfinite(value) and 0 < value <= 600):
            raise ValueError(SECONDS)
        return value

    @field_validator("seed")
    @classmethod
    def _seed_is_natural(cls, value: int) -> int:
        if not 0 <= value < 2**32:
            raise ValueError(SEEDS)
        return value

    @field_validator(*MOST)
    @classmethod
    def _count_is_positive(cls, value: int, info: ValidationInfo) -> int:
        name = str(info.field_name)
        if not 1 <= value <= MOST[name]:
            raise ValueError(count(name))
        return value

    @field_validator("shape", mode="before")
    @classmethod
    def _shape_has_rank_four(cls, value: Any) -> Any:
        sizes = value.split(",") if isinstance(value, str) else value
        if not isinstance(sizes, list | tuple) or len(sizes) != 4:
            raise ValueError(SIZES)
        return tuple(sizes)

    @field_validator("shape")
    @classmethod
    def _shape_fits_into_memory(cls, value: Shape) -> Shape:
        if math.prod(value) > MOST_ELEMENTS:
            raise ValueError(FITTING)
        return value

    @classmethod
    def check(cls, **given: object) -> Self:
        """Return the validated parameters.

        Raises `ParameterError` with one line that names the first bad parameter, its value
        and what is allowed.
        """
        return checked(cls, given)


def _is_dtype_pair(text: str) -> bool:
    names = text.split(":")
    return len(names) <= 2 and all(name in DTYPES for name in names)


def available_devices() -> tuple[str, ...]:
    """Return the devices that torch can use here, the processor first."""
    kind = torch_features.accelerator()  # torch takes a second to load; most need none
    return ("cpu",) if kind is None else ("cpu", kind)


def checked(model: type[Model], given: Mapping[str, object]) -> Model:
    """Return what was given as a validated `model`, whose `allowed` has what its fields take.

    Raises `ParameterError` with one line that names the first bad value and what is allowed.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ParameterError(explain(model, given, error)) from None


def explain(model: type[BaseModel], given: Mapping[str, object], error: ValidationError) -> str:
    """Return the first complaint of a validation as one line: name, value, what is allowed."""
    first = error.errors()[0]
    if not first["loc"]:  # of the whole, not of one field
        return first["msg"].removeprefix("Value error, ")
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return explain_unknown(name, model.model_fields)
    if first["type"] == "missing":
        return f"{typed_name(name)} is missing: {_allowed(model, name, first['msg'])}"
    message = first["msg"].removeprefix("Value error, ")
    reason = message if first["type"] == "value_error" else _allowed(model, name, message)
    return f"{typed_name(name)}={shown(given[name])}: {reason}"


def _allowed(model: type[BaseModel], name: str, otherwise: str) -> str:
    sentences: Mapping[str, str] = getattr(model, "allowed", {})
    return sentences.get(name, otherwise)


def explain_unknown(name: str, allowed: Iterable[str]) -> str:
    """Return the error for a name that is no parameter."""
    return f"{shown(name)}: no such parameter; there are {', '.join(allowed) or 'none here'}"


def typed_name(parameter: str) -> str:
    """Return the name that a person types for a parameter: `BUDGET` for `budget_s`."""
    return parameter.removesuffix("_s").upper()


def shown(value: object) -> str:
    """Return a value as a person would have typed it, on one line and not without end."""
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    line = "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
    return line if len(line) <= LONGEST_SHOWN else line[: LONGEST_SHOWN - 1] + "…"
