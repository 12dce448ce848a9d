"""What one version of torch has and another has not: checked here, and nowhere else.

Torch is loaded by the first check, as in `cases`.
"""

import inspect
from importlib import import_module
from typing import Any


class LackingError(RuntimeError):
    """A torch that lacks what an observation needs; the message names it."""


def version() -> str:
    """Return the version of torch that runs, without its build."""
    import torch

    return torch.__version__.partition("+")[0]


def has(name: str) -> bool:
    """Return whether torch has a module, a function or an attribute of this dotted name."""
    try:
        named(name)
    except LackingError:
        return False
    return True


def named(name: str) -> Any:
    """Return what a dotted name means in torch: `torch.library.custom_op`.

    Raises `LackingError` if this version has no such thing.
    """
    module, rest = name.split(".")[0], name.split(".")[1:]
    thing = import_module(module)
    for part in rest:
        module = f"{module}.{part}"
        try:
            thing = getattr(thing, part) if hasattr(thing, part) else import_module(module)
        except ImportError:
            raise LackingError(f"torch {version()} has no {name}") from None
    return thing


def first(*names: str) -> Any:
    """Return what the first of these dotted names means that this version of torch has.

    Raises `LackingError` if it has none of them.
    """
    for name in names:
        if has(name):
            return named(name)
    raise LackingError(f"torch {version()} has no {names[0]}")


def existing_settings(config: str, **settings: Any) -> dict[str, Any]:
    """Return those settings that a module of torch's configuration has."""
    return {name: value for name, value in settings.items() if has(f"{config}.{name}")}


def takes(name: str, parameter: str) -> bool:
    """Return whether a function of torch takes a parameter of this name."""
    return parameter in inspect.signature(named(name)).parameters


def require_parameter(name: str, parameter: str) -> None:
    """Raise `LackingError` if a function of torch takes no parameter of this name."""
    if not takes(name, parameter):
        raise LackingError(f"torch {version()}: {name} takes no {parameter}")


def accelerator() -> str | None:
    """Return the kind of accelerator that torch sees, such as `cuda`, or None.

    Before torch 2.6 there is no `torch.accelerator`, and each backend is checked by its own name.
    """
    import torch

    if has("torch.accelerator"):
        here = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return None if here is None else str(here).partition(":")[0]
    backends = {"cuda": "torch.cuda", "xpu": "torch.xpu", "mps": "torch.backends.mps"}
    available = (
        kind for kind, name in backends.items() if has(name) and named(name).is_available()
    )
    return next(available, None)
