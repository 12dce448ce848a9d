"""Whether two forms become the same program, in every setting in which they can be compiled."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from typing import Literal

import torch

from investigation.compiled.codegen import CPU, Generated, Target, generate
from investigation.compiled.compile_settings import CompileSetting, where
from investigation.evidence.kinds.programs import Agreement, CompiledPair, Layer
from investigation.interpreter import end_without_looking, look_for_garbage_seldom, with_room


@dataclass(frozen=True)
class Pairing:
    """What the two forms became in one setting."""

    setting: CompileSetting
    baseline: Generated
    candidate: Generated

    @cached_property
    def same_kernels(self) -> bool:
        """Whether the kernels are the same text, their names aside."""
        return self.baseline.kernel_digest == self.candidate.kernel_digest

    @cached_property
    def same_source(self) -> bool:
        """Whether all of the program is, the host's part too."""
        return self.baseline.digest == self.candidate.digest

    @property
    def same_count(self) -> bool:
        """Whether as many kernels run, generated or from a library."""
        return self.baseline.kernels == self.candidate.kernels

    @property
    def elided(self) -> bool:
        """Whether the candidate has no kernel and no tensor of the input's size more.

        To write the expansion out it would need such a tensor.
        """
        return (
            self.candidate.kernels <= self.baseline.kernels
            and self.candidate.full_size <= self.baseline.full_size
        )

    @property
    def fused(self) -> bool:
        """Whether as many kernels run, and the scale step of a block has none of its own.

        The multiply alone has nothing to share a kernel with.
        """
        alone = any(program.scales_alone for program in self.candidate.programs)
        return self.same_count and (self.setting.level == "multiply" or not alone)

    def record(self) -> CompiledPair:
        """Return what is kept of both programs."""
        setting = self.setting
        return CompiledPair(
            statement=f"the same kernels: {setting.name}",
            level=setting.level,
            mode=setting.mode,
            shapes=setting.shapes,
            same_kernels=self.same_kernels,
            same_source=self.same_source,
            baseline=self.baseline.summary(),
            candidate=self.candidate.summary(),
            case=setting.case,
        )


# What the two forms can have in common, in words and as a test.
AGREEING: Mapping[Layer, tuple[str, Callable[[Pairing], bool]]] = {
    "kernels": ("the kernels are the same", lambda pairing: pairing.same_kernels),
    "source": ("all of the source is the same", lambda pairing: pairing.same_source),
    "elided": (
        "expand_as has no kernel and no tensor of the input's size more",
        lambda pairing: pairing.elided,
    ),
    "fused": ("as many kernels run, fused alike", lambda pairing: pairing.fused),
}
# Which tensors a layer counts.
TENSORS: Mapping[Layer, Literal["full_size"]] = {"elided": "full_size"}


@with_room
def pairing(
    setting: CompileSetting,
    baseline: str = "broadcast",
    candidate: str = "expand_as",
    target: Target = CPU,
) -> Pairing:
    """Generate both forms in one setting."""
    generated = (made_in(setting, variant, target) for variant in (baseline, candidate))
    return Pairing(setting, *generated)


def pairings(settings: Sequence[CompileSetting], processes: int = 2) -> list[Pairing]:
    """Generate both forms in every setting, in some fresh processes side by side.

    Each process works with as many threads as this one has, since the source depends on it. The
    standard library's pool is enough here: no process needs an environment of its own.
    """
    with ProcessPoolExecutor(
        processes,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(torch.get_num_threads(),),
    ) as pool:
        return list(pool.map(pairing, settings))


def _begin(threads: int) -> None:
    """Compute with so many threads; look for garbage seldom, and at the end not at all."""
    look_for_garbage_seldom()
    end_without_looking()
    torch.set_num_threads(threads)


def made_in(setting: CompileSetting, variant: str, target: Target = CPU) -> Generated:
    """Generate one variant in one setting."""
    return generate(
        variant,
        setting.case,
        setting.level,
        setting.mode,
        dynamic=setting.dynamic,
        target=target,
    )


def plainest(pairings: Iterable[Pairing]) -> list[Pairing]:
    """Return the pairings with static shapes and contiguous tensors, one of each kind."""
    return [pairing for pairing in pairings if pairing.setting.plain]


def agreement(pairings: Sequence[Pairing], layer: Layer) -> Agreement:
    """Count the settings in which both forms agree in a layer of `AGREEING`; name the others.

    Raises `ValueError` if the pairings are not all for one target.
    """
    words, held = AGREEING[layer]
    tried = [pairing.setting for pairing in pairings]
    differ = [pairing.setting for pairing in pairings if not held(pairing)]
    (target,) = {pairing.baseline.target for pairing in pairings}
    return Agreement(
        statement=f"settings in which {words}",
        layer=layer,
        target=target,
        target_name=target,
        tried=len(tried),
        agreeing=len(tried) - len(differ),
        differ=tuple(where(differ, tried)),
        tensors=TENSORS.get(layer),
    )
