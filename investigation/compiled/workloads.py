"""Compiled forms to run: built for real, each in a frame of its own, and what they return."""

from collections.abc import Callable, Sequence
from functools import partial
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from investigation.compiled.codegen import generate, step
from investigation.compiled.compile_settings import Mode
from investigation.observe.equality import same_bits
from investigation.subject.cases import Case, Level
from investigation.subject.workloads import Maker, Makers, made_with
from investigation.timing.comparison import Comparison
from investigation.timing.errors import BudgetError
from investigation.timing.measure import compare


def compiled_makers(case: Case, level: Level, mode: Mode, baseline: str, candidate: str) -> Makers:
    """Return makers of two callables that run a compiled form over operands of their own.

    A form runs forward, and in training backward as well. It is compiled here, once: compiling it
    for each preparation would take the whole budget, and give the same code.
    """
    return Makers(*(_maker(case, level, mode, variant) for variant in (baseline, candidate)))


def _maker(case: Case, level: Level, mode: Mode, variant: str) -> Maker:
    run, inputs = step(variant, case, level, mode)
    function = _over(torch.compile(in_own_frame(run), fullgraph=True), inputs[0], case.seed, mode)
    with torch.set_grad_enabled(mode == "training"):
        function(*inputs)
    return made_with(function, *inputs)


def _over(
    run: Callable[..., Any], x: Tensor, seed: int, mode: Mode
) -> Callable[..., tuple[Tensor, ...]]:
    """Return what a form computes of its inputs: its output, and in training the gradients."""
    if mode == "inference":
        return lambda *inputs: (run(*inputs),)
    generator = torch.Generator().manual_seed(seed)
    upstream = torch.randn(x.shape, generator=generator).to(x.detach())

    def forward_and_backward(*inputs: Tensor) -> tuple[Tensor, ...]:
        output = run(*inputs)
        return (output.detach(), *torch.autograd.grad(output, inputs, upstream.to(output)))

    return forward_and_backward


def outputs(
    case: Case, level: Level, mode: Mode, *, compiled: bool = True
) -> list[tuple[Tensor, ...]]:
    """Return what broadcast and expand_as compute: the output, and in training the gradients."""
    results = []
    for variant in ("broadcast", "expand_as"):
        run, inputs = step(variant, case, level, mode)
        function = torch.compile(in_own_frame(run), fullgraph=True) if compiled else run
        with torch.set_grad_enabled(mode == "training"):
            results.append(_over(function, inputs[0], case.seed, mode)(*inputs))
    return results


def compare_compiling(case: Case, *, budget_s: float, **settings: Any) -> Comparison:
    """Time the way from the multiply to its generated source, broadcast first.

    The budget doubles until six pairs fit: with fewer, nothing has been compared.
    """
    arms = (partial(generate, variant, case) for variant in ("broadcast", "expand_as"))
    try:
        return compare(*arms, budget_s=budget_s, **settings)
    except BudgetError:
        return compare_compiling(case, budget_s=2 * budget_s, **settings)


def apart(ones: Sequence[Tensor], others: Sequence[Tensor]) -> str:
    """Say how far two lists of tensors of the same shapes are apart.

    In bits, or by the largest difference in percent of the largest number of its tensor.
    """
    pairs = list(zip(ones, others, strict=True))
    if all(same_bits(tensor, other) for tensor, other in pairs):
        return "the same bits"
    shares = (float((tensor - other).abs().max() / other.abs().max()) for tensor, other in pairs)
    return f"differ by up to {100 * max(shares):.2g} % of the largest"


def in_own_frame(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls `run`, with code that no other function shares.

    Compiled programs are attached to code objects: torch looks up two programs of one code object
    one after the other, and the second would pay for the guards of the first.
    """

    def call(*inputs: Tensor) -> Any:
        return run(*inputs)

    code = call.__code__.replace()
    return FunctionType(code, call.__globals__, call.__name__, None, call.__closure__)
