"""What the launches of eager CUDA show about a claim, beside its verdict: same kernels or not.

Each function returns one sentence or two, whatever the launches were, and never decides a claim.
"""

from collections import Counter
from collections.abc import Sequence

from investigation.evidence.kinds.gpus import Launch, LaunchFamily, SameLaunches
from investigation.evidence.words import listed

# Families that pair layouts of input, gate and gradient, of tensors that have elements.
OF_LAYOUTS: tuple[LaunchFamily, ...] = ("ordinary", "ambiguous", "volumes", "narrow_gate")
UNSHOWN = "Not shown: time, other backends, and a kernel that a library chooses at run time."
# What a difference in the backward pass means with two dtypes or a complex dtype, by its kind.
OF_DTYPES = {
    "another order": "a gate narrower than the product has its gradient rounded at full size",
    "other arguments": "a complex gate is conjugated and written to memory at full size",
}


def same_bits(product: Sequence[SameLaunches]) -> str:
    """V1: is the product the same kernel with the same arguments?"""
    if _differing(product):
        return (
            f"The launch shows otherwise: the product's launches {_difference(product)}. {UNSHOWN}"
        )
    return (
        f"Shown by the launch: in {_tried(product)} settings, also with two dtypes, both forms "
        "launch the same kernel with the same arguments for the product, so the bits are the "
        f"same. {UNSHOWN}"
    )


def same_bits_and_gradients(
    product: Sequence[SameLaunches], gradients: Sequence[SameLaunches]
) -> str:
    """T7: are the product and the gradients the same kernels with the same arguments?"""
    if _differing(product):
        return same_bits(product)
    return (
        f"Shown by the launch: in {_tried(product)} settings, also with two dtypes, both forms "
        "launch the same kernel with the same arguments for the product, so its bits are the "
        f"same. {_of_gradients(gradients)} {UNSHOWN}"
    )


def no_memory(
    product: Sequence[SameLaunches], gradients: Sequence[SameLaunches], launched: Sequence[Launch]
) -> str:
    """T1, C2, P2: does the line launch a copy, or take memory, that `x * y` does not?"""
    copies = sorted({listed(launch.dtypes) for launch in launched if launch.calculates != "mul"})
    if copies:
        return (
            "The launch shows otherwise: with `expand_as` more than the product is launched, for "
            f"{'; '.join(copies)}. {UNSHOWN}"
        )
    if _differing(product):
        return (
            f"The launch shows otherwise: the product's launches {_difference(product)}. {UNSHOWN}"
        )
    return (
        f"Shown by the launch: in {_tried(product)} settings, also with two dtypes, the product "
        "is the same launch at the same addresses in both forms, and `expand_as` launches no "
        f"copy. {_of_gradients(gradients)} {UNSHOWN}"
    )


def same_layouts(launches: Sequence[SameLaunches]) -> str:
    """T4, V2, D4: do the launches, and the results' layouts, depend on the form in any layout?"""
    of_layouts = [record for record in launches if record.family in OF_LAYOUTS]
    if _differing(of_layouts):
        return f"The launch shows otherwise: the launches {_difference(of_layouts)}. {UNSHOWN}"
    return (
        f"Shown by the launch: in {_tried(of_layouts)} settings, every pairing of layouts of "
        "tensors with elements (with one dtype forward and backward, with a gate of lower "
        "precision forward), both forms launch the same kernels with the same strides, and the "
        f"results have the same layout. {UNSHOWN}"
    )


def _of_gradients(gradients: Sequence[SameLaunches]) -> str:
    if not _differing(gradients):
        return "The same holds in the backward pass."
    how = _how(gradients)
    of_dtypes = all(record.family == "dtypes" for record in gradients if record.differing)
    if not of_dtypes or not set(how) <= set(OF_DTYPES):
        return f"Not in the backward pass: its launches {_difference(gradients)}."
    words = listed(
        [f"{OF_DTYPES[difference]} ({count} settings)" for difference, count in how.items()]
    )
    return f"The same holds in the backward pass, except: {words}."


def _tried(launches: Sequence[SameLaunches]) -> str:
    return f"{sum(record.tried for record in launches):,}"


def _differing(launches: Sequence[SameLaunches]) -> int:
    return sum(record.differing for record in launches)


def _how(launches: Sequence[SameLaunches]) -> dict[str, int]:
    """Return how many settings differ in each way."""
    how: Counter[str] = Counter()
    for record in launches:
        how.update(record.differing_by)
    return dict(sorted(how.items()))


def _difference(launches: Sequence[SameLaunches]) -> str:
    """Say in how many settings something differs, how, and in which setting first."""
    named = listed([f"{name} in {count}" for name, count in _how(launches).items()])
    examples = [record.example for record in launches if record.example]
    first = f", such as {examples[0]}" if examples else ""
    return f"differ in {_differing(launches)} of {_tried(launches)} settings ({named}{first})"
