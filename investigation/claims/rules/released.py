"""The rule of the claim about networks that packages release."""

from collections.abc import Iterable, Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported, untested
from investigation.claims.rules.judging import Sorted, runtime_title
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import OUTCOMES, listed, outcome_of, percent


def slower_for_it(timed: Sequence[Timing]) -> Verdict:
    """X4: is a whole network slower as released, in the runtimes that it was timed in?"""
    judged = Sorted.of(timed)
    groups = {
        words: [timing for timing in timed if timing.outcome == wanted]
        for wanted, words in OUTCOMES.items()
    }
    counted = [_counted(words, group) for words, group in groups.items() if group]
    sentence = f"Of {len(timed)} pairs of network and runtime, {listed(counted)}."
    if judged.slower:
        decide = supported if len(judged.slower) == len(timed) else qualified
    else:
        decide = untested if judged.undecided else refuted
    return decide(sentence, _table(timed))


def _counted(words: str, timed: Sequence[Timing]) -> str:
    """Say how many are slower, faster, equal or undecided; the first two are named."""
    named = f" ({_named(timed)})" if words in ("slower", "faster") else ""
    return f"{len(timed)} {words}{named}"


def _named(timed: Iterable[Timing]) -> str:
    """Name the runtimes, and the networks in each."""
    networks: dict[str, set[str]] = {}
    for timing in timed:
        networks.setdefault(runtime_title(timing), set()).add(str(timing.network))
    return "; ".join(f"{runtime}: {listed(sorted(names))}" for runtime, names in networks.items())


def _table(timed: Iterable[Timing]) -> list[Row]:
    return [
        (
            f"{timing.network}, {runtime_title(timing)}",
            f"{percent(timing.ratio, timing.interval)}: {outcome_of(timing)}",
        )
        for timing in timed
    ]
