"""What each form allocates and calls: chapter 02 under another torch, and the forward of 05."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product

import torch

from investigation.evidence.kinds.layouts import View
from investigation.evidence.kinds.resources import Calls, Memory, MixedMultiplies
from investigation.evidence.observation import Dtypes, Form, Observation
from investigation.evidence.parameters import Parameters
from investigation.observe import memory
from investigation.subject.cases import Case
from investigation.subject.host import HostNetwork
from investigation.subject.variants import SCALES
from investigation.versions.reader import reader

FORMS: tuple[Form, ...] = ("expand_as", "broadcast")
ALL_FORMS: tuple[Form, ...] = (*FORMS, "materialized")


def view(settings: Parameters) -> Iterator[Observation]:
    """Observe what `gate.expand_as(x)` returns."""
    case = reader(settings)
    x, gate = case.tensors()
    expanded = gate.expand_as(x)
    yield View(
        statement="what gate.expand_as(x) returns",
        case=case,
        is_view=memory.place(expanded).is_view and expanded is not gate,
        shares_storage=memory.shares_storage(expanded, gate),
        stride=expanded.stride(),
        bytes_allocated=memory.bytes_allocated(lambda: gate.expand_as(x)),
    )


def _cases(settings: Parameters) -> Mapping[Dtypes, Case]:
    case = reader(settings)
    return {"same": case, "mixed": case.with_gate("bfloat16")}


def beside_the_output(settings: Parameters) -> Iterator[Observation]:
    """Count what the line allocates beside its output, with one dtype and with two."""
    for (dtypes, case), form in product(_cases(settings).items(), ALL_FORMS):
        x, gate = case.tensors()
        bytes_allocated = memory.bytes_allocated(partial(SCALES[form], x, gate))
        yield Memory(
            statement=f"bytes asked for beside the output, {dtypes} dtype, {form}",
            phase="line",
            form=form,
            dtypes=dtypes,
            bytes=bytes_allocated - x.numel() * x.element_size(),
            case=case,
        )


def calls(settings: Parameters) -> Iterator[Observation]:
    """List the ATen calls of the line."""
    case = reader(settings)
    for form in FORMS:
        profiled = memory.profiled_calls(partial(SCALES[form], *case.tensors()))
        names = tuple(call.name for call in profiled)
        yield Calls(statement=f"ATen calls of the line, {form}", form=form, calls=names, case=case)


def mixed_multiplies(settings: Parameters) -> Iterator[Observation]:
    """Count the host network's multiplies of two dtypes under autocast."""
    torch.manual_seed(settings.seed)
    host, images = HostNetwork("expand_as").eval(), torch.randn(2, 3, 32, 32)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        multiplied = memory.multiplied_dtypes(lambda: host(images))
    yield MixedMultiplies(
        statement="multiplies of two dtypes in the host network under autocast",
        tried=len(multiplied),
        mixed=sum(dtype != other for dtype, other in multiplied),
    )


OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "the view": view,
    "bytes beside the output": beside_the_output,
    "calls": calls,
    "multiplies under autocast": mixed_multiplies,
}
