"""Whether two ways of scaling compute the same bits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import torch
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from torch import Tensor

from investigation.subject.dtypes import DTYPES, dtype_name
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import Scale

# Values that arithmetic treats differently from ordinary numbers.
SPECIALS = {
    "NaN": float("nan"),
    "+infinity": float("inf"),
    "-infinity": float("-inf"),
    "+0": 0.0,
    "-0": -0.0,
    "smallest subnormal": 5e-324,
    "one": 1.0,
    "largest": 1.7976931348623157e308,
}


def bits(tensor: Tensor) -> Tensor:
    """Return the elements' bytes, in logical order, as a flat uint8 tensor."""
    return tensor.resolve_conj().resolve_neg().contiguous().flatten().view(torch.uint8)


def same_bits(tensor: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have one shape, one dtype and the same bits, NaN payloads too."""
    comparable = tensor.shape == other.shape and tensor.dtype == other.dtype
    return comparable and torch.equal(bits(tensor), bits(other))


def alike(tensor: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same bits and strides; an empty one's address nothing."""
    return same_bits(tensor, other) and (tensor.numel() == 0 or tensor.stride() == other.stride())


def random_bits(shape: Sequence[int], dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    """Return a tensor of random bit patterns: every finite value, NaN, infinity, subnormal."""
    if dtype == torch.bool:
        return torch.randint(0, 2, tuple(shape), generator=generator).bool()
    size = dtype.itemsize
    raw = torch.randint(0, 256, (*shape, size), generator=generator, dtype=torch.uint8)
    return raw.view(dtype).squeeze(-1)


# Shapes that reach the vector loop, its remainder, and the path for a gate of one element.
SHAPES = ((2, 3, 5, 7), (4, 16, 16, 16), (3, 5, 1, 33), (2, 16, 1, 1), (1, 1, 16, 16))

BitDifference = Literal["none", "NaN bits", "sign of zero", "numbers", "dtype or shape"]
DIFFERENCES: tuple[BitDifference, ...] = get_args(BitDifference)


def difference(tensor: Tensor, other: Tensor) -> BitDifference:
    """Return the gravest way in which two tensors differ.

    `NaN bits`: both are NaN, with another sign or payload. `sign of zero`: one is +0, the
    other -0. `numbers`: anything that compares unequal.
    """
    if tensor.shape != other.shape or tensor.dtype != other.dtype:
        return "dtype or shape"
    if same_bits(tensor, other):
        return "none"
    left, right = _as_float64(tensor), _as_float64(other)
    both_nan = left.isnan() & right.isnan()
    if not torch.equal(left[~both_nan], right[~both_nan]):
        return "numbers"
    signs_differ = (left.signbit() != right.signbit()) & ~both_nan
    return "sign of zero" if bool(signs_differ.any()) else "NaN bits"


def _as_float64(tensor: Tensor) -> Tensor:
    """Return the numbers of a floating, complex or 32-bit integer tensor, exactly."""
    if tensor.is_complex():
        return torch.view_as_real(tensor.to(torch.complex128).contiguous())
    return tensor.to(torch.float64)


@dataclass(frozen=True)
class DtypeResult:
    """What became of one pair of dtypes: `worst` is None if torch does not multiply it."""

    input_dtype: str
    gate_dtype: str
    output_dtype: str | None
    worst: BitDifference | None
    where: str | None = None
    refusal: str | None = None


def compare_dtypes(
    baseline: Scale, candidate: Scale, pairs: Sequence[tuple[str, str]], seed: int, device: str
) -> list[DtypeResult]:
    """Compare two scales on random bits for each pair of input and gate dtype.

    Each pair is tried at every one of `SHAPES`, contiguous and channels_last; the gravest
    difference is kept with the first place that showed it.
    """
    generator = torch.Generator().manual_seed(seed)
    return [_compare_pair(baseline, candidate, pair, generator, device) for pair in pairs]


def _compare_pair(
    baseline: Scale,
    candidate: Scale,
    pair: tuple[str, str],
    generator: torch.Generator,
    device: str,
) -> DtypeResult:
    worst: tuple[BitDifference, str | None] = ("none", None)
    name = None
    for shape, memory_format in product(SHAPES, FORMATS):
        try:
            x = random_bits(shape, DTYPES[pair[0]], generator).to(device)
            gate = random_bits((*shape[:2], 1, 1), DTYPES[pair[1]], generator).to(device)
            x = x.contiguous(memory_format=FORMATS[memory_format])
            expected = baseline(x, gate)
        except (RuntimeError, TypeError) as refusal:
            return DtypeResult(*pair, None, None, refusal=_first_line(refusal))
        difference_here = difference(expected, candidate(x, gate))
        if DIFFERENCES.index(difference_here) > DIFFERENCES.index(worst[0]):
            worst = (difference_here, f"{shape}, {memory_format}")
        name = dtype_name(expected)
    return DtypeResult(*pair, name, *worst)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def same_dtype_pairs() -> list[tuple[str, str]]:
    """Return every dtype that torch has, paired with itself."""
    return [(name, name) for name in DTYPES]


def mixed_dtype_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return every ordered pair of two different dtypes."""
    return [
        (input_dtype, gate_dtype)
        for input_dtype, gate_dtype in product(names, names)
        if input_dtype != gate_dtype
    ]


def compare_specials(
    baseline: Scale, candidate: Scale, dtype: str, device: str
) -> dict[tuple[str, str], bool]:
    """Compare two scales on each special input value times each special gate value."""
    values = torch.tensor(list(SPECIALS.values()), dtype=torch.float64).to(DTYPES[dtype])
    equal = {}
    for (i, value), (j, gate_value) in product(enumerate(SPECIALS), enumerate(SPECIALS)):
        x = values[i].expand(1, 1, 2, 3).contiguous().to(device)
        gate = values[j].reshape(1, 1, 1, 1).to(device)
        equal[value, gate_value] = same_bits(baseline(x, gate), candidate(x, gate))
    return equal


@dataclass(frozen=True)
class Search:
    """The outcome of a property-based search: how much was tried, and what was found."""

    tried: int
    counterexample: str | None
    differs: str | None = None  # "bits", or "strides" alone


@st.composite
def strided_pairs(draw: st.DrawFn, dtypes: Sequence[tuple[str, str]]) -> tuple[Tensor, Tensor]:
    """Draw an input `(B, C, H, W)` and a gate `(B, C, 1, 1)`, each with strides of its own."""
    batch, channels, height, width = (draw(st.integers(0, 4)) for _ in range(4))
    names = draw(st.sampled_from(dtypes))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    x = _strided((batch, channels, height, width), DTYPES[names[0]], draw, generator)
    gate = _strided((batch, channels, 1, 1), DTYPES[names[1]], draw, generator)
    return x, gate


def _strided(
    shape: tuple[int, ...], dtype: torch.dtype, draw: st.DrawFn, generator: torch.Generator
) -> Tensor:
    """Return a tensor of `shape` cut out of a larger one: permuted, stepped, offset, repeated."""
    order = draw(st.permutations(range(4)))
    repeated = [draw(st.booleans()) and draw(st.booleans()) for _ in shape]
    steps = [draw(st.integers(1, 3)) for _ in shape]
    offsets = [draw(st.integers(0, 2)) for _ in shape]
    sizes = [1 if repeat else size for size, repeat in zip(shape, repeated, strict=True)]
    whole = [size * step + offset for size, step, offset in zip(sizes, steps, offsets, strict=True)]
    memory = random_bits([whole[axis] for axis in order], dtype, generator)
    cuts = zip(offsets, steps, sizes, strict=True)
    window = memory.permute([order.index(axis) for axis in range(4)])[
        tuple(slice(offset, offset + step * size, step) for offset, step, size in cuts)
    ]
    return window.expand(shape)


def search(
    baseline: Scale,
    candidate: Scale,
    dtypes: Sequence[tuple[str, str]],
    examples: int,
    seed_value: int,
) -> Search:
    """Look for an input on which two scales differ, in bits or in a non-empty layout.

    Returns the number of examples tried and the smallest counterexample found, if any.
    """
    tried: list[tuple[Tensor, Tensor]] = []

    @seed(seed_value)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strided_pairs(dtypes))
    def agree(pair: tuple[Tensor, Tensor]) -> None:
        tried.append(pair)
        assert alike(baseline(*pair), candidate(*pair))

    try:
        agree()
    except AssertionError:
        x, gate = tried[-1]
        same = same_bits(baseline(x, gate), candidate(x, gate))
        return Search(len(tried), _described(x, gate), "strides" if same else "bits")
    except HypothesisException as error:
        raise RuntimeError(f"the search itself failed: {error}") from error
    return Search(len(tried), None)


def _described(x: Tensor, gate: Tensor) -> str:
    return (
        f"input {dtype_name(x)} {tuple(x.shape)} with strides {x.stride()}, "
        f"gate {dtype_name(gate)} {tuple(gate.shape)} with strides {gate.stride()}"
    )


def compare_autocast(
    baseline: Scale, candidate: Scale, dtypes: Sequence[str], seed: int, device: str
) -> Iterator[tuple[str, str, str, bool]]:
    """Compare two scales under autocast, on what a linear layer there makes of the gate.

    Yields autocast dtype, gate dtype, output dtype and whether the bits are the same.
    """
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 8, 5, 7, generator=generator).to(device)
    weight = torch.randn(8, 8, generator=generator).to(device)
    for dtype in dtypes:
        with torch.autocast(torch.device(device).type, dtype=DTYPES[dtype]):
            gate = torch.nn.functional.linear(x.mean((2, 3)), weight).sigmoid()[..., None, None]
            expected, actual = baseline(x, gate), candidate(x, gate)
        yield dtype, dtype_name(gate), dtype_name(expected), same_bits(expected, actual)
