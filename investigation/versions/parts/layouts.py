"""Which memory formats come out of both forms: chapter 03 under another torch."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Literal

from investigation.evidence.kinds.layouts import BlockLayouts, Layouts
from investigation.evidence.observation import Observation
from investigation.evidence.parameters import Parameters
from investigation.observe import layout
from investigation.observe.layout import LayoutPairing
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import broadcast, expand_as

Group = Literal["ordinary", "ambiguous", "volumes", "empty", "channels_last"]


def pairings(settings: Parameters) -> Iterator[Observation]:
    """Compare the outputs' strides and bits over every pairing of layouts."""
    seed = settings.seed
    tried: dict[Group, list[LayoutPairing]] = {
        "ordinary": _compared((layout.ORDINARY,), seed),
        "ambiguous": _compared(layout.AMBIGUOUS, seed),
        "volumes": list(layout.compare_volumes(expand_as, broadcast, seed)),
        "empty": _compared(layout.EMPTY, seed),
    }
    every = (pairing for name, of_group in tried.items() if name != "empty" for pairing in of_group)
    tried["channels_last"] = [
        pairing for pairing in every if "channels_last" in pairing.input_layout
    ]
    yield from (_counted(name, of_group) for name, of_group in tried.items())


def _compared(sizes: tuple[layout.Sizes, ...], seed: int) -> list[LayoutPairing]:
    return list(layout.compare_layouts(expand_as, broadcast, sizes, seed))


def _counted(group: Group, pairings: Iterable[LayoutPairing]) -> Layouts:
    alike = [pairing.same_layout and pairing.same_values for pairing in pairings]
    return Layouts(
        statement=f"pairings of layouts whose outputs differ between the forms: {group}",
        group=group,
        tried=len(alike),
        differing=alike.count(False),
    )


def blocks(settings: Parameters) -> Iterator[Observation]:
    """Compare the block's output and gradients in both formats, detached or not."""
    for name, detached in product(FORMATS, (False, True)):
        tensors = layout.compare_blocks(
            "expand_as", "broadcast", FORMATS[name], detached, settings.seed
        )
        alike = [tensor.same_layout and tensor.same_values for tensor in tensors]
        yield BlockLayouts(
            statement="tensors of the block's forward and backward that differ: "
            f"{name}{', detached' if detached else ''}",
            memory_format=name,
            detached=detached,
            tried=len(alike),
            differing=alike.count(False),
        )


OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "pairings of layouts": pairings,
    "the block, forward and backward": blocks,
}
