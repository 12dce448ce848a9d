"""The rules of the claims about torch.compile."""

from collections.abc import Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported
from investigation.evidence.kinds.programs import Agreement, CompiledPair

CPU = "cpu"


def elided(elided: Sequence[Agreement]) -> Verdict:
    """C3: does Inductor typically leave nothing of the expansion in its programs?

    Records from before the tensors were measured count all of them.
    """
    measured = all(agreement.tensors == "full_size" for agreement in elided)
    size = " as large as the input" if measured else ""
    return _typically(elided, f"no additional kernel and no additional tensor{size}")


def fused(fusion: Sequence[Agreement], blocks: Sequence[CompiledPair]) -> Verdict:
    """D3: do typically as many kernels run, none of which does the scale step alone?"""
    del blocks  # a question, so that the claim is untested if no block was compiled
    return _typically(fusion, "as many kernels as `x * y`, and none for the scale step alone,")


def identical(source: Sequence[Agreement]) -> Verdict:
    """P3: is the whole generated program the same, names aside?"""
    sentence = f"The generated source, names aside, is the same in {_share(source)}."
    if all(agreement.agreeing == agreement.tried for agreement in source):
        return supported(sentence, _rows(source))
    some_agree = any(agreement.agreeing for agreement in source)
    return (qualified if some_agree else refuted)(sentence, _rows(source))


def _typically(targets: Sequence[Agreement], sentence_part: str) -> Verdict:
    """Judge what is said to be typical: it holds in more than half of each target's settings."""
    sentence = f"With `expand_as` the compiled program has {sentence_part} in {_share(targets)}."
    typical = [2 * agreement.agreeing > agreement.tried for agreement in targets]
    if all(typical):
        return supported(sentence, _rows(targets))
    some_agree = any(agreement.agreeing for agreement in targets)
    return (qualified if some_agree else refuted)(sentence, _rows(targets))


def _share(targets: Sequence[Agreement]) -> str:
    held, tried = (
        sum(getattr(agreement, name) for agreement in targets) for name in ("agreeing", "tried")
    )
    return f"{held} of {tried} settings tried, for {len(targets)} target{'s' * (len(targets) > 1)}"


def _rows(targets: Sequence[Agreement]) -> list[Row]:
    """Return a row for each target, a CPU first, with the settings that differ."""
    return [
        (
            "a CPU" if agreement.target == CPU else agreement.target_name,
            "; ".join(
                [
                    f"{agreement.agreeing} of {agreement.tried}",
                    *(f"not: {settings}" for settings in agreement.differ),
                ]
            ),
        )
        for agreement in sorted(targets, key=lambda agreement: agreement.target != CPU)
    ]
