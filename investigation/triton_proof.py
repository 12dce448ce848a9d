"""Both forms of the block compiled for GPUs, setting by setting, in fresh processes.

A chip's settings run in an interpreter of their own, because describing a chip patches the
process, and with empty caches in a folder that is removed afterwards, because a compiler's
cache would compare an answer with itself.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from investigation import fusion, gpu_catalog, triton_kernel, triton_targets
from investigation.cases import Case
from investigation.codegen import Generated
from investigation.fusion import Setting
from investigation.gpu_catalog import Chip
from investigation.kernel_source import Program, residual
from investigation.triton_kernel import Kernel
from investigation.triton_targets import Compiled

FORMS = ("expand_as", "broadcast")
# `materialized` is what an eager mode would write out in full; `opaque` cannot be fused away.
CONTROLS = ("materialized", "opaque")


class ProofError(RuntimeError):
    """A process that ended without an answer; the message has its last line."""


def settings(case: Case, dtype_pairs: Sequence[str]) -> Iterator[Setting]:
    """Iterate over the block's training step in every setting, and multiplies of two dtypes.

    The training step is forward and backward. Where dtypes differ, static sizes are enough.
    """
    for one in fusion.settings(case, dtype_pairs):
        if one.case.gate_dtype is not None and one.dynamic:
            continue
        if (one.level, one.mode) == ("block", "training") or is_multiply(one):
            yield one


def is_multiply(setting: Setting) -> bool:
    """Tell whether a setting is the multiply alone, forward, of two dtypes."""
    two = setting.case.gate_dtype is not None
    return two and setting.plain and (setting.level, setting.mode) == ("multiply", "inference")


def is_shown(setting: Setting) -> bool:
    """Tell whether a page shows this setting's kernels; its forms are then compiled afresh."""
    return setting.case.dtype == "float32" and not setting.dynamic


def has_controls(setting: Setting) -> bool:
    """Tell whether the controls are made in this setting; under autocast one layout is enough."""
    return is_shown(setting) and (setting.case.gate_dtype is None or setting.plain)


class Text(BaseModel):
    """A generated program as text, kept for the settings that a page shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kernels: tuple[str, ...]
    host: str
    names: tuple[str, ...]

    def program(self) -> Program:
        """Return it as what it was."""
        return Program(self.kernels, self.host, self.names)


class Built(BaseModel):
    """What the compilers make of one variant in one setting for one chip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chip: str
    setting: Setting
    variant: str
    source_sha256: str
    kernels_sha256: str
    kernels: int
    launches: int
    library_calls: tuple[str, ...]
    buffers: int
    scales_alone: bool
    compiled: tuple[Compiled, ...]
    programs: tuple[Text, ...]

    @property
    def assembly_sha256(self) -> tuple[str, ...]:
        """The digest of each kernel's assembly in each configuration."""
        return tuple(one.assembly_sha256 for one in self.compiled)

    @property
    def binary_sha256(self) -> tuple[str, ...]:
        """The digest of each kernel's binary in each configuration."""
        return tuple(one.binary_sha256 for one in self.compiled)


class Question(BaseModel):
    """What one process is asked."""

    chips: tuple[str, ...]
    settings: tuple[Setting, ...]


class Answer(BaseModel):
    """What it answers."""

    built: tuple[Built, ...]


def prove(chips: Sequence[Chip], asked: Sequence[Setting], processes: int = 2) -> "Proof":
    """Compile both forms and the controls for every chip, in `processes` at a time.

    Raises `NoTritonError` where Triton is not installed, `ProofError` where a process fails.
    """
    triton_targets.require_triton()
    groups = [tuple(one.slug for one in chips[start::processes]) for start in range(processes)]
    questions = [Question(chips=names, settings=tuple(asked)) for names in groups if names]
    with ThreadPoolExecutor(processes) as pool:
        answers = list(pool.map(_in_fresh_process, questions))
    built = [one for answer in answers for one in answer.built]
    order = [one.slug for one in chips]
    return Proof(tuple(sorted(built, key=lambda one: order.index(one.chip))))


def _in_fresh_process(question: Question) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder, "question.json"), Path(folder, "answer.json")
        asked.write_text(question.model_dump_json(), encoding="utf-8")
        ended = subprocess.run(
            [sys.executable, "-c", _START, json.dumps(sys.path), str(asked), str(answer)],
            env=os.environ | _isolated(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode or not answer.exists():
            raise ProofError(_failure(question, ended))
        return Answer.model_validate_json(answer.read_text(encoding="utf-8"))


_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from investigation.triton_proof import answer_to; answer_to(*sys.argv[2:])"
)


def _isolated(folder: str) -> dict[str, str]:
    """Send every cache to a folder of this run, and hide what devices there are."""
    return {
        "TORCHINDUCTOR_CACHE_DIR": f"{folder}/inductor",
        "TRITON_CACHE_DIR": f"{folder}/triton",
        "TMPDIR": folder,
        "CUDA_VISIBLE_DEVICES": "",
        "HIP_VISIBLE_DEVICES": "",
        "PYTHONHASHSEED": "0",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }


def _failure(question: Question, ended: "subprocess.CompletedProcess[str]") -> str:
    lines = [line for line in ended.stderr.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else f"exit status {ended.returncode}, no message"
    return f"compiling for {' and '.join(question.chips)} failed: {last}"


def answer_to(question: str, answer: str) -> None:
    """Do in this process what the file `question` asks, and write the result to `answer`."""
    asked = Question.model_validate_json(Path(question).read_text(encoding="utf-8"))
    built = tuple(
        one
        for name in asked.chips
        for setting in asked.settings
        for one in build(gpu_catalog.chip(name), setting)
    )
    Path(answer).write_text(Answer(built=built).model_dump_json(), encoding="utf-8")


def build(chip: Chip, setting: Setting) -> Iterable[Built]:
    """Yield both forms, and the controls where the setting has them."""
    target = triton_targets.target(chip)
    for variant in FORMS + (CONTROLS if has_controls(setting) else ()):
        yield _built(chip, setting, fusion.made_in(setting, variant, target))


def _built(chip: Chip, setting: Setting, made: Generated) -> Built:
    shown = is_shown(setting)
    programs = [Text(kernels=one.kernels, host=one.host, names=one.names) for one in made.programs]
    return Built(
        chip=chip.slug,
        setting=setting,
        variant=made.variant,
        source_sha256=made.digest,
        kernels_sha256=made.kernel_digest,
        kernels=made.kernels,
        launches=made.launches,
        library_calls=made.library_calls,
        buffers=made.buffers,
        scales_alone=any(one.scales_alone for one in made.programs),
        compiled=tuple(_machine_code(made, chip, shown)) if made.variant in FORMS else (),
        programs=tuple(programs if shown else ()),
    )


def _machine_code(made: Generated, chip: Chip, shown: bool) -> Iterator[Compiled]:
    """Yield every kernel in every configuration.

    In a shown setting each form is compiled afresh, whatever was compiled before; in the others
    a text that was compiled for one form is not compiled again for the other.
    """
    for text in (text for program in made.programs for text in program.kernels):
        if shown:
            yield from triton_targets.compiled(text, chip)
        else:
            kept = triton_targets.compiled_once(text, chip)
            yield from (one.model_copy(update={"assembly": ""}) for one in kept)


Layer = Literal["source", "kernels", "assembly", "binary"]
LAYERS: tuple[Layer, ...] = ("source", "kernels", "assembly", "binary")


class Agreement(BaseModel):
    """On one chip: in how many settings a variant has another's digests, layer by layer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chip: str
    variant: str
    tried: tuple[Setting, ...]
    same: dict[Layer, int]
    differing: dict[Layer, tuple[Setting, ...]]


@dataclass(frozen=True)
class Difference:
    """What is left between two forms' kernels: the diff, and what each form's kernels do."""

    setting: Setting
    diff: str
    same_forward: bool
    does: dict[str, dict[str, int]]

    @classmethod
    def between(cls, one: Built, other: Built) -> Self:
        """Compare the text that threads compute, without the kernels' settings."""
        texts = [[triton_kernel.bodies(text.program()) for text in form.programs]
                 for form in (one, other)]  # fmt: skip
        names = (one.variant, other.variant)
        whole = ["\n".join(text) for text in texts]
        return cls(
            one.setting,
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
        """The slugs of the chips that were compiled for, in the order in which they were asked."""
        return tuple(dict.fromkeys(one.chip for one in self.built))

    def against(
        self, other: str, variant: str = "expand_as", layers: Sequence[Layer] = LAYERS
    ) -> list[Agreement]:
        """Compare a variant with another one, a row a chip."""
        return [
            _agreement(one, variant, self._pairs(one, variant, other), layers) for one in self.chips
        ]

    def fused(self, chip: str) -> list[tuple[Setting, bool]]:
        """Tell for each setting whether both forms run as many kernels and the scale shares one.

        In a block it has others to share with; the multiply alone has none.
        """
        return [
            (
                one.setting,
                one.kernels == plain.kernels and not (_in_block(one) and one.scales_alone),
            )
            for one, plain in self._pairs(chip, "expand_as", "broadcast")
        ]

    def variants(self, chip: str, setting: Setting) -> dict[str, Built]:
        """Return what was built for a chip in a setting, by variant."""
        found = (one for one in self.built if (one.chip, one.setting) == (chip, setting))
        return {one.variant: one for one in found}

    def shown(self, setting: Setting) -> dict[str, Built]:
        """Return what was built in a setting for the first chip, by variant."""
        return self.variants(self.chips[0], setting)

    @property
    def block(self) -> Setting:
        """The block's training step in its plainest setting."""
        return next(one.setting for one in self.built if _in_block(one) and one.setting.plain)

    @property
    def multiply(self) -> Setting | None:
        """The multiply of two dtypes, where one was asked for."""
        found = (one.setting for one in self.built if is_multiply(one.setting))
        return next(found, None)

    def scale_kernels(self, setting: Setting) -> dict[str, Kernel]:
        """Return the kernel that multiplies, of the forward program for the first chip."""
        return {
            name: triton_kernel.scale_kernel(one.programs[0].program())
            for name, one in self.shown(setting).items()
        }

    def first_difference(self) -> "Difference | None":
        """Return what differs between both forms' kernels in the first setting where it does.

        Looked for among the settings whose kernels' texts were kept.
        """
        rows = self.against("broadcast", layers=("kernels",))
        places = ((row.chip, one) for row in rows for one in row.differing["kernels"])
        for chip, setting in places:
            forms = self.variants(chip, setting)
            if forms["expand_as"].programs:
                return Difference.between(forms["broadcast"], forms["expand_as"])
        return None

    def _pairs(self, chip: str, variant: str, other: str) -> list[tuple[Built, Built]]:
        """Return the variant's results on a chip, each with the other's in its setting."""
        here = [one for one in self.built if one.chip == chip]
        others = {one.setting.slug: one for one in here if one.variant == other}
        return [(one, others[one.setting.slug]) for one in here if one.variant == variant]


def _agreement(
    chip: str, variant: str, pairs: Sequence[tuple[Built, Built]], layers: Sequence[Layer]
) -> Agreement:
    differing = {
        layer: tuple(one.setting for one, other in pairs if _differ(one, other, layer))
        for layer in layers
    }
    return Agreement(
        chip=chip,
        variant=variant,
        tried=tuple(one.setting for one, _ in pairs),
        same={layer: len(pairs) - len(found) for layer, found in differing.items()},
        differing=differing,
    )


def _differ(one: Built, other: Built, layer: Layer) -> bool:
    return bool(_digest(one, layer) != _digest(other, layer))


def _digest(one: Built, layer: Layer) -> object:
    return {
        "source": one.source_sha256,
        "kernels": one.kernels_sha256,
        "assembly": one.assembly_sha256,
        "binary": one.binary_sha256,
    }[layer]


def _in_block(one: Built) -> bool:
    return one.setting.level == "block"
