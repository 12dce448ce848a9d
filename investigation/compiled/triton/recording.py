"""What was compiled as records of evidence."""

from collections.abc import Iterator

from investigation.compiled.triton.coverage import FORMS
from investigation.compiled.triton.proof import Proof
from investigation.evidence.kinds.programs import MachineCode
from investigation.subject import gpu_catalog


def machine_code(proof: Proof) -> Iterator[MachineCode]:
    """Yield the kernel of the line alone for the first chip, form by form."""
    chip, setting = gpu_catalog.chip(proof.chips[0]), proof.line
    lines = {
        name: scale_kernel.told() for name, scale_kernel in proof.scale_kernels(setting).items()
    }
    for form in FORMS:
        kernel = proof.variants(chip.slug, setting)[form].compiled[0]
        yield MachineCode(
            statement=f"the line's kernel as machine code, {form}",
            form=form,
            target=chip.slug,
            target_name=chip.name,
            lines=tuple(code for code, _ in lines[form]),
            words=tuple(words for _, words in lines[form]),
            binary_sha256=kernel.binary_sha256,
            binary_bytes=kernel.binary_bytes,
            case=setting.case,
        )
