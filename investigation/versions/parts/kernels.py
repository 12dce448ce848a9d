"""What Triton compiles for GPUs that are not here: the second part of chapter 07."""

from collections.abc import Callable, Iterator, Mapping

from investigation.compiled import fusion
from investigation.compiled.triton import build, proof
from investigation.evidence.kinds.programs import Agreement, FusedAway
from investigation.evidence.kinds.resources import Traffic
from investigation.evidence.observation import Observation
from investigation.evidence.parameters import Parameters
from investigation.subject import gpu_catalog
from investigation.versions.reader import reader


def kernels(settings: Parameters) -> Iterator[Observation]:
    """Compile both forms for every chip in every setting, and count where they agree."""
    chips = [gpu_catalog.chip(one) for one in settings.chips]
    tried = list(build.settings(reader(settings), settings.dtype_pairs))
    found = proof.prove(chips, tried)
    for row in found.against("broadcast"):
        differing = {layer: row.differing[layer] for layer in ("source", "kernels", "binary")}
        differing["fused"] = tuple(one for one, held in found.fused(row.chip) if not held)
        name = gpu_catalog.chip(row.chip).name
        for layer, differ in differing.items():
            yield Agreement(
                says=f"settings in which both forms agree, {layer}, {name}",
                layer=layer,
                target=row.chip,
                target_name=name,
                tried=len(row.tried),
                agreeing=len(row.tried) - len(differ),
                differ=tuple(fusion.where(differ, row.tried)),
            )
    yield _fused_away(found)
    yield from _traffic(found, settings)


def _fused_away(found: proof.Proof) -> FusedAway:
    removed = found.against("expand_as", "materialized", ("source",))
    return FusedAway(
        says="programs of materialized that are those of expand_as: "
        "the copy that was asked for is gone",
        target="gpu",
        tried=sum(len(row.tried) for row in removed),
        fused_away=sum(row.same["source"] for row in removed),
    )


def _traffic(found: proof.Proof, settings: Parameters) -> Iterator[Traffic]:
    for name, kernel in found.scale_kernels(found.block).items():
        says = f"bytes that the scale kernel moves, {name}"
        yield Traffic(says=says, case=reader(settings), form=name, bytes=kernel.bytes_moved)


OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "both forms for every chip": kernels,
}
