"""Sentences of the chapter on torch.compile, computed from what was compiled and run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from investigation.evidence.words import listed, number_of

if TYPE_CHECKING:  # to draw and to tell takes no compiler
    from investigation.compiled.fusion import Pairing

SAME = "the same bits"
# What the pages below the grid look at: one pairing of each kind, the plainest.
NONE_DIFFER = "No kernels differ with static shapes and contiguous tensors."
FORMS = {"broadcast": "`x * y`", "expand_as": "`x * y.expand_as(x)`"}


def bits_told(rows: Sequence[Mapping[str, str]]) -> str:
    """Say which compiled forms return each other's bits, and which return eager mode's.

    A row has `compiled`, `one form against the other`, and each form `against eager`.
    """
    if not rows:
        return NONE_DIFFER
    alike = [row for row in rows if row["one form against the other"] == SAME]
    sentences = [
        f"The two forms return the same bits in {len(alike)} of {len(rows)} programs whose kernels "
        "differ."
    ]
    for form, words in FORMS.items():
        same = [row["compiled"] for row in rows if row[f"{form} against eager"] == SAME]
        sentences.append(f"Compiled, {words} returns eager mode's bits in {_these(same)}.")
    return " ".join(sentences)


def _these(names: Sequence[str]) -> str:
    return listed([f"*{name}*" for name in names]) or "none of them"


def loops_told(pairings: Iterable["Pairing"]) -> str:
    """Say which form of each pairing runs more loops or allocates more buffers."""
    more_of: dict[str, list[str]] = {form: [] for form in FORMS}
    tried, even = list(pairings), 0
    for pairing in tried:
        plain, expanded = pairing.baseline, pairing.candidate
        more = (expanded.passes - plain.passes, expanded.buffers - plain.buffers)
        if more == (0, 0):
            even += 1
        elif max(more) > 0:
            more_of["expand_as"].append(_more(pairing, *more))
        if min(more) < 0:
            more_of["broadcast"].append(_more(pairing, -more[0], -more[1]))
    words = [
        f"{FORMS[form]} needs more in {'; '.join(needs)}."
        for form, needs in more_of.items()
        if needs
    ]
    if even:
        words.append(f"Both need the same in {even} of {number_of(len(tried), 'kind')} of program.")
    return " ".join(words) or NONE_DIFFER


def _more(pairing: "Pairing", loops: int, buffers: int) -> str:
    counts = {"loop": loops, "buffer": buffers}
    many = [f"{count} {what}{'s' * (count > 1)}" for what, count in counts.items() if count > 0]
    return f"*{pairing.setting.kind}* ({listed(many)})"
