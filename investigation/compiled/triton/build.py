"""What the compilers make of each form of the block for one chip, setting by setting."""

from collections.abc import Iterable, Iterator, Sequence

from pydantic import BaseModel, ConfigDict

from investigation.compiled import fusion
from investigation.compiled.codegen import Generated
from investigation.compiled.compile_settings import CompileSetting
from investigation.compiled.kernel_source import GeneratedProgram
from investigation.compiled.triton import targets as triton_targets
from investigation.compiled.triton.coverage import (
    CONTROL_OF,
    FORMS,
    compiled_for,
    has_controls,
    is_shown,
)
from investigation.compiled.triton.targets import Compiled
from investigation.evidence.observation import Form
from investigation.subject.gpu_catalog import Chip


class Text(BaseModel):
    """A generated program as text, kept for the settings that a page shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kernels: tuple[str, ...]
    host: str
    names: tuple[str, ...]

    def program(self) -> GeneratedProgram:
        """Return it as what it was."""
        return GeneratedProgram(self.kernels, self.host, self.names)


class Built(BaseModel):
    """What the compilers make of one variant in one setting for one chip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chip: str
    setting: CompileSetting
    variant: str
    source_sha256: str
    kernels_sha256: str
    kernels: int
    launches: int
    library_calls: tuple[str, ...]
    full_size: int
    scales_alone: bool
    compiled: tuple[Compiled, ...]
    programs: tuple[Text, ...]

    @property
    def assembly_sha256(self) -> tuple[str, ...]:
        """The digest of each kernel's assembly in each configuration."""
        return tuple(kernel.assembly_sha256 for kernel in self.compiled)

    @property
    def binary_sha256(self) -> tuple[str, ...]:
        """The digest of each kernel's binary in each configuration."""
        return tuple(kernel.binary_sha256 for kernel in self.compiled)


def build(chips: Sequence[Chip], setting: CompileSetting, form: Form) -> Iterable[Built]:
    """Yield a form, and its control if the setting has one, for the chips of the setting."""
    chips = compiled_for(setting, chips)
    target = triton_targets.target(*chips)
    for variant in (form, *([CONTROL_OF[form]] if has_controls(setting) else ())):
        generated_per_chip = triton_targets.apart(fusion.made_in(setting, variant, target), chips)
        yield from (
            _built(chip, setting, generated)
            for chip, generated in zip(chips, generated_per_chip, strict=True)
        )


def _built(chip: Chip, setting: CompileSetting, generated: Generated) -> Built:
    shown = is_shown(setting)
    programs = [
        Text(kernels=program.kernels, host=program.host, names=program.names)
        for program in generated.programs
    ]
    return Built(
        chip=chip.slug,
        setting=setting,
        variant=generated.variant,
        source_sha256=generated.digest,
        kernels_sha256=generated.kernel_digest,
        kernels=generated.kernels,
        launches=generated.launches,
        library_calls=generated.library_calls,
        full_size=generated.full_size,
        scales_alone=any(program.scales_alone for program in generated.programs),
        compiled=tuple(_machine_code(generated, chip, shown))
        if _is_compiled(generated.variant)
        else (),
        programs=tuple(programs if shown else ()),
    )


def _is_compiled(variant: str) -> bool:
    return variant in FORMS and triton_targets.COMPILES


def _machine_code(generated: Generated, chip: Chip, shown: bool) -> Iterator[Compiled]:
    """Yield every kernel in every configuration; its assembly is kept if a page shows it.

    A text that occurs in several settings of this process's form is compiled once.
    """
    for text in (text for program in generated.programs for text in program.kernels):
        for kernel in triton_targets.compiled_once(text, chip):
            yield kernel if shown else kernel.model_copy(update={"assembly": ""})
