"""What is run: shapes, dtypes, memory formats and seeds, as data.

Torch takes a second to load and is loaded with the first tensor: code that only reads cases, such
as a build with nothing to do, does not need it.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

from investigation.subject.memory_formats import MemoryFormat

if TYPE_CHECKING:
    from torch import Tensor

# The multiply alone, and the SE block around it.
Level = Literal["multiply", "block"]
LEVELS: tuple[Level, ...] = ("multiply", "block")

Shape = tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt]


class Case(BaseModel):
    """One setting of the scale step: an input `(B, C, H, W)` and its gate `(B, C, 1, 1)`.

    `gate_dtype` is the input's unless named. `slug` is the name inside a record's id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    name: str
    shape: Shape
    dtype: str = "float32"
    gate_dtype: str | None = None
    memory_format: MemoryFormat = "contiguous"
    reduction: PositiveInt = 4
    seed: int = 0

    @property
    def elements(self) -> int:
        """Number of elements of the input."""
        batch, channels, height, width = self.shape
        return batch * channels * height * width

    @property
    def bytes_moved(self) -> int:
        """Bytes that the scale step cannot avoid: read the input once, write the output once."""
        import torch

        return 2 * self.elements * int(getattr(torch, self.dtype).itemsize)

    @property
    def gate_itemsize(self) -> int:
        """Bytes of an element of the gate."""
        import torch

        return int(getattr(torch, self.gate_dtype or self.dtype).itemsize)

    def with_format(self, memory_format: MemoryFormat) -> "Case":
        """Return the same case in another memory format."""
        return self.model_copy(update={"memory_format": memory_format})

    def with_gate(self, gate_dtype: str) -> "Case":
        """Return the same case with a gate of another dtype."""
        return self.model_copy(update={"gate_dtype": gate_dtype})

    def with_wider_gate(self) -> "Case":
        """Return the same case with a bfloat16 input and a float32 gate."""
        return self.model_copy(update={"dtype": "bfloat16", "gate_dtype": "float32"})

    def tensors(self, device: str = "cpu") -> "tuple[Tensor, Tensor]":
        """Return a random input `(B, C, H, W)` and a gate `(B, C, 1, 1)` inside (0, 1)."""
        import torch

        from investigation.subject.torch_formats import FORMATS

        generator = torch.Generator().manual_seed(self.seed)
        dtype = getattr(torch, self.dtype)
        x = torch.randn(self.shape, generator=generator).to(device, dtype)
        gate = torch.rand((*self.shape[:2], 1, 1), generator=generator)
        gate = gate.to(device, getattr(torch, self.gate_dtype or self.dtype))
        return x.contiguous(memory_format=FORMATS[self.memory_format]), gate


def case_of_run(shape: Shape, seed: int) -> Case:
    """Return the case whose shape and seed are parameters of a run."""
    return Case(slug="reader", name="the shape of this run", shape=shape, seed=seed)


def each_once(*cases: Case) -> tuple[Case, ...]:
    """Return cases in their order without those that an earlier one repeats under another name.

    The shape of a run may be that of a named workload. Timed twice, it would count twice.
    """
    seen: dict[Case, Case] = {}
    for case in cases:
        seen.setdefault(case.model_copy(update={"slug": "", "name": "", "seed": 0}), case)
    return tuple(seen.values())


def host_workloads(batch: int, base_channels: int = 32, stages: int = 3) -> tuple[Case, ...]:
    """Return the inputs of the SE blocks in the host network, two per stage.

    Source: the code under investigation trains on CIFAR-10, 32×32 pixels, at batch 128.
    """
    cases = []
    for index in range(stages):
        channels, side = base_channels * 2**index, 32 // 2**index
        for where, size in (("before", side), ("after", side // 2)):
            name = f"host stage {index + 1}, {where} the pool"
            slug = f"host{index + 1}_{where}"
            cases.append(Case(slug=slug, name=name, shape=(batch, channels, size, size)))
    return tuple(cases)


def resnet_workloads(batch: int) -> tuple[Case, ...]:
    """Return the inputs of the SE blocks in SE-ResNet-50 at 224×224 pixels, reduction 16.

    Source: Hu et al., Squeeze-and-Excitation Networks, table 1.
    """
    sizes = ((256, 56), (512, 28), (1024, 14), (2048, 7))
    return tuple(
        Case(
            slug=f"resnet{index}",
            name=f"SE-ResNet-50 stage {index}",
            shape=(batch, channels, side, side),
            reduction=16,
        )
        for index, (channels, side) in enumerate(sizes, start=2)
    )


def workloads_of_run(reader: Case, batch: int, resnet_batch: int) -> tuple[Case, ...]:
    """Return every workload of a run, each once: its own shape, and those of both networks."""
    return each_once(reader, *host_workloads(batch), *resnet_workloads(resnet_batch))
