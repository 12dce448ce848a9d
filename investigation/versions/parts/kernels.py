"""What Triton compiles for GPUs that are not here: the second part of chapter 07."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from investigation.compiled import compile_settings, fusion
from investigation.compiled.compile_settings import CompileSetting
from investigation.compiled.triton import coverage, proof, targets
from investigation.evidence.kinds.programs import Agreement, FusedAway, Layer
from investigation.evidence.kinds.resources import Traffic
from investigation.evidence.observation import Observation
from investigation.evidence.parameters import Parameters
from investigation.subject import gpu_catalog, torch_features
from investigation.versions.reader import reader

# What is compared: machine code too, if this torch can compile it.
LAYERS: tuple[Literal["source", "kernels", "binary"], ...] = (
    ("source", "kernels", "binary") if targets.COMPILES else ("source", "kernels")
)


def kernels(settings: Parameters) -> Iterator[Observation]:
    """Compile both forms for every chip in every setting, and count the settings that agree.

    The names of kernels show what is fused, but older releases shorten them: the programs for
    a CPU show it instead.
    """
    torch_features.named(targets.LOWERING)
    chips = [gpu_catalog.chip(chip) for chip in settings.chips]
    every = compile_settings.every(reader(settings), settings.dtype_pairs)
    built = proof.prove(chips, [setting for setting in every if _is_tried(setting)])
    for row in built.against("broadcast", layers=LAYERS):
        for layer in LAYERS:
            yield _agreement(row.chip, layer, row.tried, row.differing[layer])
        more = [setting for setting, held in built.elided(row.chip) if not held]
        yield _agreement(row.chip, "elided", row.tried, more)
    yield _fused_away(built)
    yield from _traffic(built, settings)


def _is_tried(setting: CompileSetting) -> bool:
    """Return whether a setting is the block's training step, or a plain multiply of two dtypes.

    If the dtypes differ, sizes as constants are enough.
    """
    training = (setting.level, setting.mode) == ("block", "training")
    open_sizes = setting.dynamic and setting.case.gate_dtype is not None
    return (training and not open_sizes) or coverage.is_multiply(setting)


def _agreement(
    chip: str, layer: Layer, tried: Sequence[CompileSetting], differ: Sequence[CompileSetting]
) -> Agreement:
    name = gpu_catalog.chip(chip).name
    return Agreement(
        statement=f"settings in which both forms agree, {layer}, {name}",
        layer=layer,
        target=chip,
        target_name=name,
        tried=len(tried),
        agreeing=len(tried) - len(differ),
        differ=tuple(compile_settings.where(differ, tried)),
        tensors=fusion.TENSORS.get(layer),
    )


def _fused_away(built: proof.Proof) -> FusedAway:
    removed = built.against("expand_as", "materialized", ("source",))
    return FusedAway(
        statement="programs of materialized that are those of expand_as: "
        "the copy that was asked for is gone",
        target="gpu",
        tried=sum(len(row.tried) for row in removed),
        fused_away=sum(row.same["source"] for row in removed),
    )


def _traffic(built: proof.Proof, settings: Parameters) -> Iterator[Traffic]:
    kernels = built.scale_kernels(built.block)
    for form in coverage.FORMS:
        statement = f"bytes that the scale kernel moves, {form}"
        moved = kernels[form].bytes_moved
        yield Traffic(statement=statement, case=reader(settings), form=form, bytes=moved)


def machine_code(settings: Parameters) -> Iterator[Observation]:
    """Yield nothing: the kernels' machine code is compared together with them, if there is any."""
    del settings
    torch_features.named(targets.OPTIONS)
    yield from ()


OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "both forms for every chip": kernels,
    "machine code": machine_code,
}
