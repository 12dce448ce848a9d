"""In how many settings two forms became the same code for a chip, layer by layer."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from investigation.compiled.compile_settings import CompileSetting

CompileLayer = Literal["source", "kernels", "assembly", "binary"]
LAYERS: tuple[CompileLayer, ...] = ("source", "kernels", "assembly", "binary")


class ChipAgreement(BaseModel):
    """On one chip: in how many settings a variant has another's digests, layer by layer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chip: str
    variant: str
    tried: tuple[CompileSetting, ...]
    same: dict[CompileLayer, int]
    differing: dict[CompileLayer, tuple[CompileSetting, ...]]
