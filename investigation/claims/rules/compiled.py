"""The rules of the claims about torch.compile."""

from collections.abc import Sequence
from itertools import groupby

from investigation.claims.claim import Verdict, qualified, refuted, supported
from investigation.evidence.kinds.programs import Agreement
from investigation.evidence.words import capital, listed

CPU = "cpu"


def elided(kernels: Sequence[Agreement]) -> Verdict:
    """C3: does Inductor leave nothing of the expand in its kernels?"""
    return _in_how_many(kernels, "the generated kernels are the same")


def fused(fusion: Sequence[Agreement]) -> Verdict:
    """D3: do as many kernels run, and has a block's scale step none of its own?"""
    return _in_how_many(fusion, "as many kernels run, and a block's scale step has none of its own")


def identical(source: Sequence[Agreement]) -> Verdict:
    """P3: is the whole generated program the same, names aside?"""
    return _in_how_many(source, "the generated source, names aside, is the same")


def _in_how_many(targets: Sequence[Agreement], says: str) -> Verdict:
    held, tried = (sum(getattr(one, name) for one in targets) for name in ("agreeing", "tried"))
    alike = groupby(sorted(targets, key=_outcome), _outcome)
    words = "; ".join(_on_targets(list(group), says) for _, group in alike)
    sentence = f"{capital(words)}."
    if held == tried:
        return supported(sentence)
    return qualified(sentence) if held else refuted(sentence)


def _outcome(one: Agreement) -> tuple[bool, int, int, tuple[str, ...]]:
    """Return what was found for a target, so that targets alike share a sentence; a CPU first."""
    return one.target != CPU, one.agreeing, one.tried, one.differ


def _on_targets(targets: Sequence[Agreement], says: str) -> str:
    first = targets[0]
    share = f"all {first.tried}" if first.agreeing == first.tried else (
        f"{first.agreeing} of {first.tried}"
    )  # fmt: skip
    but = f" (not in {'; '.join(first.differ)})" if first.differ else ""
    names = "a CPU" if first.target == CPU else listed([one.target_name for one in targets])
    return f"for {names}, {says} in {share} settings tried{' each' * (len(targets) > 1)}{but}"
