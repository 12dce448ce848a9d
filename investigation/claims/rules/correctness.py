"""Rules about what is computed and what is accepted."""

from collections.abc import Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported
from investigation.evidence.kinds.correctness import Acceptance, Equality
from investigation.evidence.kinds.layouts import View

# The shape check is judged for any gate; the ticket's own block can never fail it.
IN_THE_BLOCK: Row = (
    "in the ticket's own block",
    "the gate is reshaped with the input's batch and channels, so it always fits",
)


def counted(words: str, equalities: Sequence[Equality]) -> Row:
    """Return a row of how many differ of those tried, over some records."""
    differing, tried = (
        sum(getattr(equality, name) for equality in equalities) for name in ("differing", "tried")
    )
    return words, f"{differing:,} of {tried:,} {equalities[0].of} differ"


def unnecessary_view(view: Sequence[View], same_dtype: Sequence[Equality]) -> Verdict:
    """T2: is a view created that the product does not need?"""
    table = [
        ("what `expand_as` returns", "a view" if view[0].is_view else "no view"),
        counted("the product without it, one dtype", same_dtype),
    ]
    if not view[0].is_view:
        return refuted("`expand_as` does not return a view.", table)
    if not same_dtype[0].same:
        return refuted("The product without the view has other bits.", table)
    return supported(
        "`expand_as` returns a view. With one dtype the product has the same bits without it.",
        table,
    )


def handled_natively(reference: Sequence[Equality]) -> Verdict:
    """T3: does broadcasting compute the product that was meant?"""
    table = [counted("`x * y` against an explicit loop over images and channels", reference)]
    if reference[0].same:
        return supported(
            "`x * y` has the same bits as an explicit loop over images and channels.", table
        )
    return refuted("`x * y` differs from an explicit loop over images and channels.", table)


def equivalent_fix(
    same_dtype: Sequence[Equality],
    mixed_dtypes: Sequence[Equality],
    gradients: Sequence[Equality],
    second_gradients: Sequence[Equality],
    accepted: Sequence[Acceptance],
) -> Verdict:
    """T7: is `x * y` equivalent?"""
    grown, mixed = len(accepted[0].grown), mixed_dtypes[0]
    first, second = (
        sum(equality.differing for equality in equalities)
        for equalities in (gradients, second_gradients)
    )
    table = [
        counted("outputs, one dtype", same_dtype),
        counted("outputs, two dtypes", mixed_dtypes),
        *(counted(f"gradients, {equality.setting} dtypes", [equality]) for equality in gradients),
        counted("where a gradient is differentiated again, one dtype", second_gradients),
        ("gate shapes that only `expand_as` refuses", f"{grown} of {accepted[0].tried}"),
        IN_THE_BLOCK,
    ]
    if not same_dtype[0].same:
        return refuted("The outputs differ for input and gate of one dtype.", table)
    pairs = sum(equality.tried for equality in gradients)
    differ = {
        f"{mixed.differing} of {mixed.tried} pairs of two dtypes": mixed.differing,
        f"gradients in {first} of {pairs} pairs of dtypes": first,
        f"{second} tensors where a gradient is differentiated again": second,
    }
    but = [words for words, count in differ.items() if count]
    if not but and not grown:
        return supported("The bits are the same, forward and backward, and so is the check.", table)
    bits = f" Different bits: {'; '.join(but)}." if but else ""
    check = f" `x * y` accepts {grown} more gate shapes, with a larger output." if grown else ""
    return qualified(f"With one dtype the output bits are the same.{bits}{check}", table)


def documents_intent(accepted: Sequence[Acceptance]) -> Verdict:
    """P4: does the longer line express an intent that `x * y` alone does not?"""
    grown, tried = len(accepted[0].grown), accepted[0].tried
    table = [
        ("gate shapes with which `x * y` is larger than the input", f"{grown} of {tried}"),
        IN_THE_BLOCK,
    ]
    if grown:
        table.insert(
            1, ("the same shapes with `expand_as`", "refused: it also enforces what it says")
        )
        return supported(
            "The call tells a reader that the output has the shape of `x`. `x * y` does not: with "
            f"{grown} of {tried} gate shapes tried its output is larger.",
            table,
        )
    return refuted(
        "With every gate tried the output of `x * y` has the input's shape, so it tells as much.",
        table,
    )


def outputs_equal(same_dtype: Sequence[Equality], mixed_dtypes: Sequence[Equality]) -> Verdict:
    """V1: are the outputs equivalent?"""
    mixed = mixed_dtypes[0]
    kinds = [
        (f"of these by {kind}", str(count))
        for kind, count in mixed.differing_by.items()
        if count and kind != "none"
    ]
    table = [
        counted("outputs, one dtype", same_dtype),
        counted("outputs, two dtypes", mixed_dtypes),
        *kinds,
    ]
    if not same_dtype[0].same:
        return refuted("The outputs differ for input and gate of one dtype.", table)
    if not mixed.same:
        return qualified(
            "With one dtype the bits are the same. With two dtypes some bits differ in "
            f"{mixed.differing} of {mixed.tried} pairs.",
            table,
        )
    return supported("The bits are the same for every dtype and every pair of dtypes tried.", table)
