"""Which bits both forms compute, and which shapes they take: chapter 01 under another torch."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import torch

from investigation.evidence.kinds.correctness import Acceptance, Equality, ScalarGate, Shapes
from investigation.evidence.observation import Observation
from investigation.evidence.parameters import Parameters
from investigation.observe import acceptance, equality
from investigation.observe.equality import DtypeResult
from investigation.subject.dtypes import DTYPES
from investigation.subject.variants import broadcast, expand_as
from investigation.versions.reader import reader


def reference(settings: Parameters) -> Iterator[Observation]:
    """Compare the product with a loop over images and channels."""
    x, gate = reader(settings).tensors()
    by_hand = torch.empty_like(x)
    for image in range(x.shape[0]):
        for channel in range(x.shape[1]):
            by_hand[image, channel] = x[image, channel] * gate[image, channel].item()
    yield Equality(
        aspect="reference",
        statement="x * y has the bits of a loop over images and channels",
        of="products",
        tried=1,
        differing=int(not equality.same_bits(broadcast(x, gate), by_hand)),
    )


@cache
def _alone(seed: int) -> list[DtypeResult]:
    """Return every dtype that this torch multiplies, with itself."""
    with warnings.catch_warnings():  # torch warns that some dtypes are on their way in or out
        warnings.simplefilter("ignore")
        pairs = equality.same_dtype_pairs()
        results = equality.compare_dtypes(expand_as, broadcast, pairs, seed, "cpu")
    return [result for result in results if result.worst is not None]


def same_dtype(settings: Parameters) -> Iterator[Observation]:
    """Compare on random bits, with input and gate of one dtype."""
    results = _alone(settings.seed)
    yield Equality(
        aspect="same_dtype",
        statement="with input and gate of one dtype, both forms have the same bits",
        of="dtypes",
        tried=len(results),
        differing=sum(result.worst != "none" for result in results),
        among=tuple(result.input_dtype for result in results),
    )


def _floating(seed: int) -> list[str]:
    names = (result.input_dtype for result in _alone(seed))
    return [name for name in names if DTYPES[name].is_floating_point]


def special_values(settings: Parameters) -> Iterator[Observation]:
    """Multiply each special value by each other one."""
    wide = [dtype for dtype in _floating(settings.seed) if not dtype.startswith("float8")]
    equal = [
        alike
        for dtype in wide
        for alike in equality.compare_specials(expand_as, broadcast, dtype, "cpu").values()
    ]
    yield Equality(
        aspect="special_values",
        statement="each special value times each other has the same bits in both forms",
        of="products",
        tried=len(equal),
        differing=equal.count(False),
        among=tuple(equality.SPECIALS),
    )


def mixed_dtypes(settings: Parameters) -> Iterator[Observation]:
    """Compare on random bits, with every pair of two dtypes."""
    names = [result.input_dtype for result in _alone(settings.seed)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = equality.mixed_dtype_pairs(names)
        results = equality.compare_dtypes(expand_as, broadcast, pairs, settings.seed, "cpu")
    tried = [result for result in results if result.worst is not None]
    kinds = equality.DIFFERENCES
    yield Equality(
        aspect="mixed_dtypes",
        statement="pairs of two dtypes whose products differ in some bits",
        of="pairs",
        tried=len(tried),
        differing=sum(result.worst != "none" for result in tried),
        differing_by={kind: sum(result.worst == kind for result in tried) for kind in kinds},
    )
    real = set(_floating(settings.seed))
    of_numbers = [result for result in tried if {result.input_dtype, result.gate_dtype} <= real]
    yield Equality(
        aspect="mixed_floating_dtypes",
        statement="pairs of two real floating dtypes whose products differ as numbers",
        of="pairs",
        tried=len(of_numbers),
        differing=sum(result.worst == "numbers" for result in of_numbers),
    )


def under_autocast(settings: Parameters) -> Iterator[Observation]:
    """Compare under autocast, on what a linear layer makes of the gate."""
    half = ("bfloat16", "float16")
    results = list(equality.compare_autocast(expand_as, broadcast, half, settings.seed, "cpu"))
    yield Equality(
        aspect="autocast",
        statement="under autocast both forms have the same bits",
        of="dtypes",
        tried=len(half),
        differing=sum(not equal for *_, equal in results),
        among=half,
    )


def search(settings: Parameters) -> Iterator[Observation]:
    """Look for an input of one dtype on which the forms differ."""
    pairs = [(result.input_dtype, result.gate_dtype) for result in _alone(settings.seed)]
    searched = equality.search(expand_as, broadcast, pairs, settings.examples, settings.seed)
    yield Equality(
        aspect="search",
        setting="one dtype",
        statement="a search over shapes and strides, one dtype, for a counterexample",
        of="examples",
        tried=searched.tried,
        differing=int(searched.counterexample is not None),
        example=searched.counterexample,
    )


def accepted_shapes(settings: Parameters) -> Iterator[Observation]:
    """List the gate shapes that only the plain product accepts."""
    del settings
    compared = acceptance.compare_acceptance(expand_as, broadcast)
    grown = [shapes for shapes in compared if shapes.silently_grown]
    yield Acceptance(
        statement="gate shapes that expand_as refuses and broadcasting accepts with a larger "
        "output",
        tried=len(compared),
        grown=tuple(Shapes(input=shapes.input_shape, gate=shapes.gate_shape) for shapes in grown),
    )


def gate_without_dimensions(settings: Parameters) -> Iterator[Observation]:
    """Observe the output's dtype if the gate is a single number."""
    del settings
    x, number = torch.ones(1, 1, 2, 2), torch.tensor(2.0, dtype=torch.float64)
    with_it, dropped = (str(scale(x, number).dtype) for scale in (expand_as, broadcast))
    yield ScalarGate(
        statement="the output's dtype for a float32 input and a float64 number",
        operands="float32 input, float64 gate",
        expand_as=with_it.removeprefix("torch."),
        broadcast=dropped.removeprefix("torch."),
    )


OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "a loop as the reference": reference,
    "one dtype": same_dtype,
    "special values": special_values,
    "two dtypes": mixed_dtypes,
    "autocast": under_autocast,
    "a search for a counterexample": search,
    "shapes that are accepted": accepted_shapes,
    "a gate without dimensions": gate_without_dimensions,
}
