"""Rules about what is computed and what is accepted."""

from collections.abc import Sequence

from investigation.claims.claim import Verdict, qualified, refuted, supported
from investigation.evidence.kinds.correctness import Acceptance, Equality
from investigation.evidence.kinds.layouts import View


def unnecessary_view(view: Sequence[View], same_dtype: Sequence[Equality]) -> Verdict:
    """T2: is a view created that the product does not need?"""
    if not view[0].is_view:
        return refuted("`expand_as` does not return a view.")
    if not same_dtype[0].same:
        return refuted("The product without the view has other bits.")
    return supported("It returns a view, and the product has the same bits without it.")


def handled_natively(reference: Sequence[Equality]) -> Verdict:
    """T3: does broadcasting compute the product that was meant?"""
    if reference[0].same:
        return supported("`x * y` equals the product written out as a loop, element by element.")
    return refuted("`x * y` differs from the product written out as a loop.")


def equivalent_fix(
    same_dtype: Sequence[Equality], mixed_dtypes: Sequence[Equality], accepted: Sequence[Acceptance]
) -> Verdict:
    """T7: is `x * y` equivalent?"""
    if not same_dtype[0].same:
        return refuted("The outputs differ for input and gate of one dtype.")
    mixed, grown = mixed_dtypes[0], len(accepted[0].grown)
    if mixed.same and not grown:
        return supported("The same bits, and the same shapes are accepted.")
    return qualified(
        "The same bits wherever input and gate share a dtype. Not the same check: of the gate "
        f"shapes tried, {grown} that `expand_as` refuses are accepted by `x * y`, with an output "
        f"larger than the input. And {mixed.differing} of {mixed.tried} "
        "pairs of different dtypes differ in some bits."
    )


def documents_intent(accepted: Sequence[Acceptance]) -> Verdict:
    """P4: does the explicit expand say something that the program then holds to?"""
    grown = len(accepted[0].grown)
    if grown:
        return supported(
            f"It does more than document: it refuses {grown} of the gate shapes tried that "
            "`x * y` accepts by growing the output."
        )
    return refuted("It refuses nothing that `x * y` accepts, so it only documents.")


def outputs_equal(same_dtype: Sequence[Equality], mixed_dtypes: Sequence[Equality]) -> Verdict:
    """V1: are the outputs equivalent?"""
    if not same_dtype[0].same:
        return refuted("They differ for input and gate of one dtype.")
    mixed = mixed_dtypes[0]
    if not mixed.same:
        return qualified(
            "The same bits for every dtype that multiplies. Of the pairs of two dtypes, "
            f"{mixed.differing} of {mixed.tried} differ in some bits."
        )
    return supported("The same bits for every dtype and every pair of dtypes that multiplies.")
