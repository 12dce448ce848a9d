"""What a compiled form checks of its inputs at each call, and when it is compiled anew."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch._dynamo.eval_frame import _debug_get_cache_entry_list

from investigation.compiled.codegen import step
from investigation.subject.cases import Case

# A line of the guard tree: its kind, a colon, the condition, and its origin in a comment.
GUARD = re.compile(r"\+- ([A-Z_]+): (.*?)\s*(?:#.*)?$")
OF_INPUTS = ("L['x']", "L['gate']")


def guards(variant: str, case: Case, *, dynamic: bool) -> tuple[str, ...]:
    """Return the conditions on input and gate under which the compiled multiply is used again."""
    torch._dynamo.reset()
    run, inputs = step(variant, case, "multiply", "inference")
    torch.compile(run, backend="eager", dynamic=dynamic)(*inputs)
    (entry,) = _debug_get_cache_entry_list(run.__code__)
    matches = (GUARD.search(line) for line in str(entry.guard_manager).splitlines())
    conditions = (match[2] for match in matches if match)
    return tuple(
        sorted(
            condition for condition in conditions if any(name in condition for name in OF_INPUTS)
        )
    )


def compilations(variant: str, cases: Sequence[Case], *, dynamic: bool | None) -> tuple[int, ...]:
    """Return how many times the multiply had been compiled after each of these cases in turn.

    `dynamic` is as in `torch.compile`; None starts static and goes dynamic when a size changes.
    """
    torch._dynamo.reset()
    compiled: list[torch.fx.GraphModule] = []

    def backend(traced: torch.fx.GraphModule, _: list[Any]) -> Callable[..., Any]:
        compiled.append(traced)
        return traced.forward

    counts = []
    run, _ = step(variant, cases[0], "multiply", "inference")
    again = torch.compile(run, backend=backend, dynamic=dynamic)
    for case in cases:
        again(*case.tensors())
        counts.append(len(compiled))
    return tuple(counts)
