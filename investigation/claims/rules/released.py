"""The rule of the claim about networks that packages release."""

from collections.abc import Iterable, Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported, untested
from investigation.claims.rules.runtimes import title
from investigation.evidence.kinds.timings import Outcome, Timing
from investigation.evidence.words import listed, percent

WORDS: dict[Outcome, str] = {
    "slower": "slower",
    "faster": "faster",
    "equivalent": "equal",
    "inconclusive": "undecided",
}


def slower_for_it(timed: Sequence[Timing]) -> Verdict:
    """X4: is a whole network slower as released, in the runtimes that it was timed in?"""
    groups = {words: [one for one in timed if one.outcome == outcome]
              for outcome, words in WORDS.items()}  # fmt: skip
    counted = [_counted(words, found) for words, found in groups.items() if found]
    sentence = f"Of {len(timed)} pairs of network and runtime, {listed(counted)}."
    if groups["slower"]:
        decide = supported if len(groups["slower"]) == len(timed) else qualified
    else:
        decide = untested if groups["undecided"] else refuted
    return decide(sentence, _table(timed))


def _counted(words: str, timed: Sequence[Timing]) -> str:
    """Say how many are slower, faster, equal or undecided; the first two are named."""
    named = f" ({_named(timed)})" if words in ("slower", "faster") else ""
    return f"{len(timed)} {words}{named}"


def _named(timed: Iterable[Timing]) -> str:
    """Name the runtimes, and how many networks each is true of."""
    networks: dict[str, set[str]] = {}
    for one in timed:
        networks.setdefault(title(one), set()).add(str(one.network))
    return listed([f"{listed(sorted(names))} with {one}" for one, names in networks.items()])


def _table(timed: Iterable[Timing]) -> list[Row]:
    return [
        (
            f"{one.network}, {title(one)}",
            f"{percent(one.ratio, one.interval)}: {WORDS[one.outcome]}",
        )
        for one in timed
    ]
