"""Networks that packages release, and whose own code carries the expansion."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

# Eager mode, the compiler, and three runtimes that people deploy on.
RUNTIMES = ("eager", "compile", "onnxruntime", "openvino", "executorch_xnnpack")


class ReleasedNetwork(BaseModel):
    """A network of a released package: how it is made, and the sizes of its input.

    `factory` is `module:function`; what it makes takes one tensor of the sizes `input`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    title: str = Field(min_length=1)
    package: str
    factory: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    input: tuple[int, ...] = Field(min_length=1)
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = {}

    @property
    def module(self) -> str:
        """The module that holds the factory."""
        return self.factory.partition(":")[0]

    @property
    def top(self) -> str:
        """The name that the package is imported by."""
        return self.module.partition(".")[0]
