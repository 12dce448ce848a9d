"""The way of a function through Dynamo, AOTAutograd and Inductor, up to its source.

Newer releases of torch lower the backward pass together with the forward pass, by a setting.
Before torch 2.9 it is lowered when it first runs: there the forward pass runs as the graph that
Inductor was given, so that a backward pass begins, which ends once it is lowered.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch._functorch import config as aot_config
from torch._inductor import config as inductor_config
from torch._inductor.compile_fx import compile_fx
from torch._inductor.graph import GraphLowering
from torch.fx import Graph, GraphModule

from investigation.compiled import kernel_source
from investigation.compiled.kernel_source import GeneratedProgram
from investigation.subject import torch_features

AT_ONCE = {"force_non_lazy_backward_lowering": True}
LOWERS_AT_ONCE = bool(torch_features.existing_settings(aot_config.__name__, **AT_ONCE))


class _Lowered(Exception):  # noqa: N818  # nothing has gone wrong
    """The backward pass is lowered, which was the only reason to begin it."""


def lowered(
    run: Callable[..., Tensor], inputs: tuple[Tensor, ...], dynamic: bool, *, training: bool
) -> tuple[tuple[GeneratedProgram, ...], dict[str, tuple[str, ...]]]:
    """Compile `run` up to its source; return the programs and each graph's operations."""
    programs: list[GeneratedProgram] = []
    graphs: dict[str, tuple[str, ...]] = {}
    begins = training and not LOWERS_AT_ONCE

    def backend(traced: GraphModule, given: list[Any]) -> Callable[..., Any]:
        graphs["dynamo"] = operations(traced.graph)
        compiled: Any = compile_fx(traced, given)
        return compiled if begins else traced.forward  # the source is all that is wanted

    torch._dynamo.reset()
    with _keeping(programs, graphs), torch.set_grad_enabled(training):
        output = torch.compile(run, backend=backend, dynamic=dynamic, fullgraph=True)(*inputs)
        if begins:
            with suppress(_Lowered):
                output.backward(torch.ones_like(output))
    return tuple(programs), graphs


@contextmanager
def _keeping(
    programs: list[GeneratedProgram], graphs: dict[str, tuple[str, ...]]
) -> Iterator[None]:
    """Keep each graph's operations and each file's source, and build nothing.

    Inductor's caches are off, since a graph that is found there is not lowered again.
    """

    def keep(lowering: GraphLowering) -> Any:
        backward = bool(getattr(lowering, "is_backward", programs))
        direction = "backward" if backward else "forward"
        graphs[f"inductor {direction}"] = operations(lowering.graph)
        generated: Any = lowering.codegen()[0]  # a text until torch 2.7, then one with its lines
        programs.append(kernel_source.normalise(getattr(generated, "value", generated)))
        module = mock.Mock(spec=["call", "__file__"])
        module.call = _end if backward else partial(_run, lowering.module)
        return module

    def keep_aten(graph: Graph) -> None:
        graphs["aten"] = operations(graph)

    with (
        mock.patch.object(GraphLowering, "compile_to_module", keep),
        _patched(inductor_config, fx_graph_cache=False, joint_custom_pre_pass=keep_aten),
        _patched(aot_config, enable_autograd_cache=False, **AT_ONCE),
    ):
        yield


def _run(graph: torch.nn.Module, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Run a graph as it was given to Inductor."""
    return tuple(torch.fx.Interpreter(graph).run(*inputs))


def _end(inputs: Sequence[Any]) -> None:
    del inputs
    raise _Lowered


def _patched(config: Any, **settings: Any) -> AbstractContextManager[Any]:
    """Patch the settings that this torch has; a torch without a cache has nothing to switch off."""
    existing = torch_features.existing_settings(config.__name__, **settings)
    return config.patch(**existing) if existing else nullcontext()


def operations(graph: Graph) -> tuple[str, ...]:
    """Return the operations of a graph in order, such as `aten.expand.default`."""
    calls = (node.target for node in graph.nodes if node.op.startswith("call"))
    return tuple(_name(target) for target in calls)


def _name(target: Any) -> str:
    if isinstance(target, str | torch._ops.OpOverload):
        return str(target)
    return str(getattr(target, "__name__", target))
