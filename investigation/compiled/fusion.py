"""Whether two forms become the same program, in every setting in which they can be compiled."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from multiprocessing import get_context
from typing import Literal

import torch

from investigation.compiled.codegen import CPU, MODES, Generated, Mode, Target, generate
from investigation.evidence.kinds.correctness import Aspect, Equality
from investigation.evidence.kinds.programs import Agreement, CompiledPair, Layer, ShapeMode
from investigation.subject.cases import LEVELS, Case, Level
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.timing.processes import GARBAGE_AFTER

# Autocast only narrows: a block's gate can be narrower than a float32 input, and not else.
AUTOCAST_FROM, AUTOCAST_TO = "float32", ("bfloat16", "float16")


@dataclass(frozen=True)
class CompileSetting:
    """One way to compile the line: at which level, for which mode, shapes and tensors."""

    level: Level
    mode: Mode
    dynamic: bool
    case: Case

    @property
    def shapes(self) -> ShapeMode:
        """Whether shapes are constants of the program or its arguments."""
        return "dynamic" if self.dynamic else "static"

    @property
    def dtypes(self) -> str:
        """The dtypes of input and gate, in words."""
        gate = self.case.gate_dtype
        if gate in (None, self.case.dtype):
            return self.case.dtype
        joined = "under autocast to" if self.level == "block" else "×"
        return f"{self.case.dtype} {joined} {gate}"

    @property
    def kind(self) -> str:
        """What is compiled, whatever its shapes and layout."""
        return f"{self.level}, {self.mode}, {self.dtypes}"

    @property
    def plain(self) -> bool:
        """Whether shapes are constants and tensors contiguous."""
        return not self.dynamic and self.case.memory_format == "contiguous"

    @property
    def name(self) -> str:
        """The setting in words."""
        return f"{self.kind}, {self.shapes}, {self.case.memory_format}"

    @property
    def parts(self) -> tuple[str, ...]:
        """What distinguishes it from every other setting of its case."""
        gate = f"_{self.case.gate_dtype}" if self.case.gate_dtype else ""
        dtypes = f"{self.case.dtype}{gate}"
        return self.level, self.mode, dtypes, self.shapes, self.case.memory_format

    @property
    def slug(self) -> str:
        """The same as one short name."""
        return ".".join(self.parts)

    def equality(self, aspect: Aspect, statement: str, *, same: bool) -> Equality:
        """Return the record of whether both forms computed the same bits here."""
        return Equality(
            aspect=aspect,
            setting=", ".join(self.parts),
            statement=f"{statement}: {self.kind}",
            tried=1,
            differing=int(not same),
            of="programs",
            case=self.case,
        )


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


def settings(
    case: Case, dtype_pairs: Sequence[str], levels: Sequence[Level] = LEVELS
) -> Iterator[CompileSetting]:
    """Iterate over all settings of a case for these dtypes, each `input` or `input:gate`.

    A block gets its gate's dtype from autocast, so pairs that autocast cannot make are left out.
    """
    for level, mode, pair in product(levels, MODES, dtype_pairs):
        dtype, _, gate = pair.partition(":")
        typed = case.model_copy(update={"dtype": dtype, "gate_dtype": gate or None})
        if level == "block" and gate and not _by_autocast(dtype, gate):
            continue
        for dynamic, memory_format in product((False, True), MEMORY_FORMATS):
            yield CompileSetting(level, mode, dynamic, typed.with_format(memory_format))


def _by_autocast(dtype: str, gate: str) -> bool:
    return dtype == AUTOCAST_FROM and gate in AUTOCAST_TO


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
    gc.set_threshold(GARBAGE_AFTER)
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


def where(differing: Iterable[CompileSetting], tried: Iterable[CompileSetting]) -> list[str]:
    """Say in which of the settings tried something differs, what goes together in one line."""
    all_of = _by_kind(tried)
    lines: dict[str, list[str]] = {}
    for (place, dtypes), layouts in _by_kind(differing).items():
        only = "" if layouts == all_of[place, dtypes] else f", only {' and '.join(layouts)}"
        lines.setdefault(f"{place}{only}", []).append(dtypes)
    return [f"{line}: {', '.join(dtypes)}" for line, dtypes in lines.items()]


def _by_kind(settings: Iterable[CompileSetting]) -> dict[tuple[str, str], list[str]]:
    """Return the shapes and formats of the settings, by level and mode and by dtypes."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for setting in settings:
        key = (f"{setting.level}, {setting.mode}", setting.dtypes)
        kinds.setdefault(key, []).append(f"{setting.shapes} {setting.case.memory_format}")
    return kinds
