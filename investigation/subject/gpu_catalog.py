"""Descriptions of GPUs as data, each with its source: chips to compile for, cards to predict.

Nothing here claims that such a device is present. A chip is what a compiler has to know before
it writes a kernel; a card is a chip with memory of a stated speed.
"""

from dataclasses import dataclass
from typing import Literal

CUDA_GUIDE = "NVIDIA, CUDA C++ Programming Guide, technical specifications per compute capability"


@dataclass(frozen=True)
class Chip:
    """What Inductor and Triton need about a device before they write a kernel for it.

    `example` is a card with this chip.
    """

    backend: Literal["cuda", "hip"]
    architecture: int | str
    example: str
    multiprocessors: int
    warp_size: int
    threads_per_multiprocessor: int
    registers_per_multiprocessor: int
    sources: tuple[str, ...]

    @property
    def capability(self) -> tuple[int, int]:
        """Major and minor number, as torch gives them; of an AMD chip, those of its gfx name."""
        if isinstance(self.architecture, int):
            return divmod(self.architecture, 10)
        return int(self.architecture[3]), int(self.architecture[4])

    @property
    def slug(self) -> str:
        """The name inside a record's id and on the command line: `sm_90`, `gfx942`."""
        return f"sm_{self.architecture}" if self.backend == "cuda" else str(self.architecture)

    @property
    def name(self) -> str:
        """The same with a card that has it: `sm_90 (H100)`."""
        return f"{self.slug} ({self.example})"

    @property
    def assembly(self) -> str:
        """The kind of assembly that Triton makes on the way to this chip's binary."""
        return "ptx" if self.backend == "cuda" else "amdgcn"

    @property
    def binary(self) -> str:
        """The kind of binary that Triton makes for this chip."""
        return "cubin" if self.backend == "cuda" else "hsaco"


def _nvidia(architecture: int, example: str, multiprocessors: int, *sources: str) -> Chip:
    return Chip(
        backend="cuda",
        architecture=architecture,
        example=example,
        multiprocessors=multiprocessors,
        warp_size=32,
        threads_per_multiprocessor=2048,
        registers_per_multiprocessor=2**16,
        sources=(CUDA_GUIDE, *sources),
    )


CHIPS: tuple[Chip, ...] = (
    _nvidia(80, "A100", 108, "NVIDIA A100 Tensor Core GPU Architecture, whitepaper, 2020"),
    _nvidia(90, "H100", 132, "NVIDIA H100 Tensor Core GPU Architecture, whitepaper, 2022"),
    _nvidia(100, "B200", 148, "NVIDIA Blackwell Architecture Technical Brief, 2024"),
    Chip(
        backend="hip",
        architecture="gfx942",
        example="MI300X",
        multiprocessors=304,
        warp_size=64,
        threads_per_multiprocessor=2048,
        registers_per_multiprocessor=2**16,
        sources=("AMD CDNA 3 Architecture, white paper, 2023", "AMD Instinct MI300X data sheet"),
    ),
)


@dataclass(frozen=True)
class Card:
    """A GPU with its memory's speed, in bytes a second as its maker states it.

    `called` are words that a driver's name of it holds, such as `NVIDIA H100 80GB HBM3`.
    """

    name: str
    bandwidth: float
    called: tuple[str, ...]
    source: str

    @property
    def slug(self) -> str:
        """The name inside a record's id."""
        return self.name.lower().replace(" ", "_").replace("-", "_")

    def is_called(self, device_name: str) -> bool:
        """Return whether a driver's name of a device means this card."""
        words = device_name.upper().replace("-", " ").split()
        return all(word in words for word in self.called)


CARDS: tuple[Card, ...] = (
    Card("T4", 0.320e12, ("T4",), "NVIDIA T4 Tensor Core GPU, datasheet, 2019"),
    Card("L4", 0.300e12, ("L4",), "NVIDIA L4 Tensor Core GPU, datasheet, 2023"),
    Card("RTX 4090", 1.008e12, ("RTX", "4090"), "NVIDIA Ada GPU Architecture, whitepaper, 2022"),
    Card(
        "A100-80GB SXM",
        2.039e12,
        ("A100", "SXM4", "80GB"),
        "NVIDIA A100 Tensor Core GPU, datasheet, 2021",
    ),
    Card("H100 SXM", 3.35e12, ("H100", "HBM3"), "NVIDIA H100 Tensor Core GPU, datasheet, 2023"),
    Card("H200", 4.8e12, ("H200",), "NVIDIA H200 Tensor Core GPU, datasheet, 2024"),
    Card("B200", 8.0e12, ("B200",), "NVIDIA Blackwell Architecture Technical Brief, 2024"),
    Card("MI300X", 5.3e12, ("MI300X",), "AMD Instinct MI300X, data sheet, 2023"),
)


def chip(slug: str) -> Chip:
    """Return the chip of this slug. Raises `KeyError` with the slugs that there are."""
    by_slug = {known_chip.slug: known_chip for known_chip in CHIPS}
    if slug not in by_slug:
        raise KeyError(f"{slug}: no such chip; there are {', '.join(by_slug)}")
    return by_slug[slug]


def card_called(device_name: str) -> Card | None:
    """Return the catalogue's card for a driver's name of a device, or None."""
    return next((card for card in CARDS if card.is_called(device_name)), None)
