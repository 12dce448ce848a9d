"""Both forms of the block compiled for GPUs, setting by setting, each in a process of its own.

They run in fresh interpreters, because describing a chip patches the process, and with empty
caches in a folder of each, removed afterwards: nothing that was generated or compiled for one form
is used for the other; else an answer would be compared with itself.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from pydantic import TypeAdapter

from investigation.compiled.compile_settings import CompileSetting, Mode
from investigation.compiled.kernel_source import residual
from investigation.compiled.triton import kernel as triton_kernel
from investigation.compiled.triton.agreement import LAYERS, ChipAgreement, CompileLayer
from investigation.compiled.triton.build import Built, build
from investigation.compiled.triton.coverage import FORMS, in_full, is_multiply
from investigation.compiled.triton.installed import require_triton
from investigation.compiled.triton.kernel import Kernel
from investigation.evidence.observation import Form
from investigation.subject import gpu_catalog
from investigation.subject.cases import Level
from investigation.subject.gpu_catalog import Chip
from investigation.timing.processes import Job, in_fresh_processes
from investigation.timing.replicate import KEEPING_MEMORY

CORES = os.cpu_count() or 1
SETTINGS = TypeAdapter(tuple[CompileSetting, ...])
BUILT = TypeAdapter(tuple[Built, ...])


class ProofError(RuntimeError):
    """A process that ended without an answer; the message gives the reason."""


def prove(chips: Sequence[Chip], settings: Sequence[CompileSetting]) -> "Proof":
    """Compile both forms and the controls in every setting, side by side as far as cores reach.

    A setting is compiled for the chips that `build.compiled_for` names. Raises `NoTritonError`
    if Triton is not installed, `ProofError` if a process fails.
    """
    require_triton()
    slugs = [chip.slug for chip in chips]
    what = f"compiling for {' and '.join(slugs)}"
    with TemporaryDirectory() as folder:
        jobs = [
            _job(slugs, share, form, Path(folder, f"{form}{place}"))
            for place, share in enumerate(dealt_out(settings, CORES // len(FORMS)))
            for form in FORMS
        ]
        answers = [
            reply.answer_or(ProofError, what) for reply in in_fresh_processes(jobs, len(jobs))
        ]
    built = [program for answer in answers for program in BUILT.validate_python(answer)]
    places = [setting.slug for setting in settings]
    in_order = sorted(
        built, key=lambda program: (slugs.index(program.chip), places.index(program.setting.slug))
    )
    return Proof(tuple(in_order))


def dealt_out(settings: Sequence[CompileSetting], shares: int) -> list[list[CompileSetting]]:
    """Return the settings in as many shares or fewer, at least one, so that each takes as long."""
    hands: list[list[CompileSetting]] = [[] for _ in range(max(1, min(shares, len(settings))))]
    for index, setting in enumerate(sorted(settings, key=_cost)):
        turn, place = divmod(index, len(hands))
        hands[-1 - place if turn % 2 else place].append(setting)  # dealt to and fro
    return hands


def _cost(setting: CompileSetting) -> tuple[bool, ...]:
    """Order settings by what they take: more chips, symbols, a backward pass, more kernels."""
    return (
        in_full(setting),
        setting.dynamic,
        setting.mode == "training",
        setting.level == "block",
        setting.case.memory_format == "channels_last",
    )


def _job(slugs: Sequence[str], wanted: Sequence[CompileSetting], form: Form, folder: Path) -> Job:
    """Send every cache to a folder of its own, and hide all devices."""
    folder.mkdir()
    isolated = KEEPING_MEMORY | {
        "TORCHINDUCTOR_CACHE_DIR": f"{folder}/inductor",
        "TRITON_CACHE_DIR": f"{folder}/triton",
        "TMPDIR": str(folder),
        "CUDA_VISIBLE_DEVICES": "",
        "HIP_VISIBLE_DEVICES": "",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",  # it may be kept apart from the folder, and stay
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
        "TORCH_DYNAMO_RUN_GC_AFTER_COMPILE": "0",  # torch would after each
    }
    settings = SETTINGS.dump_python(tuple(wanted), mode="json")
    return Job(build_all, {"chips": slugs, "dumped": settings, "form": form}, isolated)


def build_all(
    chips: Sequence[str], dumped: Sequence[Mapping[str, Any]], form: Form
) -> list[dict[str, Any]]:
    """Build a form in this process, for every chip, in every setting; all of it as JSON."""
    built_for = [gpu_catalog.chip(slug) for slug in chips]
    settings = SETTINGS.validate_python(dumped)
    built = [program for setting in settings for program in build(built_for, setting, form)]
    answer: list[dict[str, Any]] = BUILT.dump_python(tuple(built), mode="json")
    return answer


@dataclass(frozen=True)
class Difference:
    """What is left between two forms' kernels: the diff, and what each form's kernels do."""

    setting: CompileSetting
    diff: str
    same_forward: bool
    does: dict[str, dict[str, int]]

    @classmethod
    def between(cls, built: Built, other: Built) -> Self:
        """Compare the text that threads compute, without the kernels' settings."""
        texts = [[triton_kernel.bodies(text.program()) for text in form.programs]
                 for form in (built, other)]  # fmt: skip
        names = (built.variant, other.variant)
        whole = ["\n".join(text) for text in texts]
        return cls(
            built.setting,
            residual(whole[0], whole[1], names, context=1),
            texts[0][0] == texts[1][0],
            dict(zip(names, map(triton_kernel.tally, whole), strict=True)),
        )


@dataclass(frozen=True)
class Proof:
    """All that was built, and what follows from it."""

    built: tuple[Built, ...]

    @property
    def chips(self) -> tuple[str, ...]:
        """The slugs of the chips that were compiled for, in the order of the request."""
        return tuple(dict.fromkeys(program.chip for program in self.built))

    def against(
        self, other: str, variant: str = "expand_as", layers: Sequence[CompileLayer] = LAYERS
    ) -> list[ChipAgreement]:
        """Compare a variant with another one, a row a chip."""
        return [
            _agreement(chip, variant, self._pairs(chip, variant, other), layers)
            for chip in self.chips
        ]

    def fused(self, chip: str) -> list[tuple[CompileSetting, bool]]:
        """Return by setting whether both forms run as many kernels and the scale shares one.

        In a block it has others to share with; the multiply alone has none.
        """
        return [
            (
                program.setting,
                program.kernels == plain.kernels
                and not (_in_block(program) and program.scales_alone),
            )
            for program, plain in self._pairs(chip, "expand_as", "broadcast")
        ]

    def elided(self, chip: str) -> list[tuple[CompileSetting, bool]]:
        """Return by setting whether `expand_as` has no kernel and no full-size tensor more."""
        pairs = self._pairs(chip, "expand_as", "broadcast")
        return [
            (one.setting, one.kernels <= plain.kernels and one.full_size <= plain.full_size)
            for one, plain in pairs
        ]

    def variants(self, chip: str, setting: CompileSetting) -> dict[str, Built]:
        """Return what was built for a chip in a setting, by variant."""
        place = (chip, setting)
        built_there = (built for built in self.built if (built.chip, built.setting) == place)
        return {built.variant: built for built in built_there}

    def shown(self, setting: CompileSetting) -> dict[str, Built]:
        """Return what was built in a setting for the first chip, by variant."""
        return self.variants(self.chips[0], setting)

    @property
    def block(self) -> CompileSetting:
        """The block's training step in its plainest setting."""
        return self._plainest("block", "training")

    @property
    def multiply(self) -> CompileSetting | None:
        """The multiply of two dtypes, if there is one."""
        settings = (program.setting for program in self.built if is_multiply(program.setting))
        return next(settings, None)

    @property
    def line(self) -> CompileSetting:
        """The multiply alone, forward, in its plainest setting: the line and nothing beside it."""
        return self._plainest("multiply", "inference")

    def scale_kernels(self, setting: CompileSetting) -> dict[str, Kernel]:
        """Return the kernel that multiplies, of the forward program for the first chip."""
        return {
            name: triton_kernel.scale_kernel(program.programs[0].program())
            for name, program in self.shown(setting).items()
        }

    def first_difference(self) -> "Difference | None":
        """Return what differs between both forms' kernels in the first setting where it does.

        Looked for among the settings whose kernels' texts were kept.
        """
        rows = self.against("broadcast", layers=("kernels",))
        places = ((row.chip, setting) for row in rows for setting in row.differing["kernels"])
        for chip, setting in places:
            forms = self.variants(chip, setting)
            if forms["expand_as"].programs:
                return Difference.between(forms["broadcast"], forms["expand_as"])
        return None

    def _plainest(self, level: Level, mode: Mode) -> CompileSetting:
        """Return the first setting of a level and mode with constant sizes, contiguous."""
        settings = (program.setting for program in self.built)
        return next(
            setting
            for setting in settings
            if setting.plain and (setting.level, setting.mode) == (level, mode)
        )

    def _pairs(self, chip: str, variant: str, other: str) -> list[tuple[Built, Built]]:
        """Return the variant's results on a chip, each with the other's in its setting."""
        here = [program for program in self.built if program.chip == chip]
        others = {program.setting.slug: program for program in here if program.variant == other}
        return [
            (program, others[program.setting.slug])
            for program in here
            if program.variant == variant
        ]


def _agreement(
    chip: str, variant: str, pairs: Sequence[tuple[Built, Built]], layers: Sequence[CompileLayer]
) -> ChipAgreement:
    differing = {
        layer: tuple(program.setting for program, other in pairs if _differ(program, other, layer))
        for layer in layers
    }
    return ChipAgreement(
        chip=chip,
        variant=variant,
        tried=tuple(program.setting for program, _ in pairs),
        same={layer: len(pairs) - len(settings) for layer, settings in differing.items()},
        differing=differing,
    )


def _differ(built: Built, other: Built, layer: CompileLayer) -> bool:
    mine, theirs = _digest(built, layer), _digest(other, layer)
    if mine == theirs == ():  # two that were not compiled are not the same for that
        raise ProofError(f"neither form was compiled: {built.setting.name}")
    return bool(mine != theirs)


def _digest(built: Built, layer: CompileLayer) -> object:
    return {
        "source": built.source_sha256,
        "kernels": built.kernels_sha256,
        "assembly": built.assembly_sha256,
        "binary": built.binary_sha256,
    }[layer]


def _in_block(built: Built) -> bool:
    return built.setting.level == "block"
