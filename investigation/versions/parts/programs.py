"""What Inductor generates for a CPU, and when: chapter 06 under another torch."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product

import torch

from investigation.compiled import codegen, compile_settings, fusion
from investigation.compiled.recompilation import compilations, guards
from investigation.evidence.kinds.programs import (
    FullSizeTensors,
    FusedAway,
    Guards,
    Recompilations,
    ShapeMode,
)
from investigation.evidence.observation import Observation
from investigation.evidence.parameters import Parameters
from investigation.versions.reader import reader

SHAPE_MODES: tuple[ShapeMode, ...] = ("static", "dynamic")


@cache
def _pairings(settings: Parameters) -> list[fusion.Pairing]:
    """Generate both forms in every setting, once."""
    torch.set_num_threads(settings.threads)  # the generated source depends on it
    tried = list(compile_settings.every(reader(settings), settings.dtype_pairs, settings.levels))
    return fusion.pairings(tried)


def both_forms(settings: Parameters) -> Iterator[Observation]:
    """Count the settings in which both forms agree, in source and in what runs."""
    pairings = _pairings(settings)
    yield from (pairing.record() for pairing in pairings)
    for layer in ("kernels", "source", "elided"):
        yield fusion.agreement(pairings, layer)


def fused(settings: Parameters) -> Iterator[Observation]:
    """Count the settings in which the scale step shares a kernel with its neighbours."""
    yield fusion.agreement(_pairings(settings), "fused")


def copies(settings: Parameters) -> Iterator[Observation]:
    """Observe which full-size tensors a program writes that its source requests or implies."""
    case = reader(settings)
    programs = {form: codegen.generate(form, case) for form in ("materialized", "broadcast")}
    yield FusedAway(
        target="cpu",
        statement="the program of materialized is that of broadcast: "
        "the copy that was asked for is not made",
        tried=1,
        fused_away=int(programs["materialized"].digest == programs["broadcast"].digest),
        case=case,
    )
    mixed = codegen.generate("expand_as", case.with_gate("bfloat16"))
    yield FullSizeTensors(
        program="multiply_of_two_dtypes",
        statement="tensors that compiled expand_as allocates for a multiply of two dtypes, "
        "its output included",
        count=mixed.buffers,
        case=mixed.case,
    )


def conditions(settings: Parameters) -> Iterator[Observation]:
    """Compare the conditions on inputs under which a program is used again."""
    case = reader(settings)
    for shapes in SHAPE_MODES:
        dynamic = shapes == "dynamic"
        guards_of = {
            form: guards(form, case, dynamic=dynamic) for form in ("expand_as", "broadcast")
        }
        yield Guards(
            shapes=shapes,
            statement=f"both forms ask the same of their inputs, {shapes} shapes",
            same=guards_of["expand_as"] == guards_of["broadcast"],
            guards=guards_of["expand_as"],
            case=case,
        )


def recompilations(settings: Parameters) -> Iterator[Observation]:
    """Count the series of changing sizes over which both forms are compiled equally often."""
    case = reader(settings)
    batch, channels, height, width = settings.shape
    changes = (
        [(batch * k, channels, height, width) for k in (1, 2, 3)],
        [(batch, channels, height * k, width * k) for k in (1, 2, 3)],
        [settings.shape, (1, channels, height, width)],
    )
    equal = []
    for shapes, dynamic in product(changes, (None, False, True)):
        cases = [case.model_copy(update={"shape": shape}) for shape in shapes]
        forms = [compilations(form, cases, dynamic=dynamic) for form in ("broadcast", "expand_as")]
        equal.append(forms[0] == forms[1])
    yield Recompilations(
        statement="series of changing sizes over which both forms are compiled equally often",
        tried=len(equal),
        equal=sum(equal),
    )


OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "both forms in every setting": both_forms,
    "what is fused": fused,
    "copies": copies,
    "guards": conditions,
    "recompilations": recompilations,
}
