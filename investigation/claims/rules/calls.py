"""The rule about operations in the forward path."""

from collections.abc import Iterable, Sequence

from investigation.claims.claim import Verdict, qualified, refuted, supported
from investigation.evidence.kinds.programs import Survival
from investigation.evidence.kinds.resources import Calls


def more_calls(calls: Sequence[Calls], programs: Sequence[Survival]) -> Verdict:
    """T5: is there an operation more in the forward path?"""
    count = {one.form: len(one.calls) for one in calls}
    held = [count["expand_as"] > count["broadcast"], *(one.runs_more for one in programs)]
    words = (
        f"In eager mode the line makes {count['expand_as']} ATen calls with `expand_as` and "
        f"{count['broadcast']} without. {_program_words(programs)}"
    )
    if not any(held):
        return refuted(f"No operation more anywhere. {words}")
    return supported(words) if programs and all(held) else qualified(words)


def _program_words(programs: Iterable[Survival]) -> str:
    """Tell which compiled and exported programs run an operation more, and which do not."""
    named = [(one.runs_more, one.program) for one in programs]
    # Two chapters may have tried the same program.
    more, no_more = (
        list(dict.fromkeys(name for held, name in named if held is wanted))
        for wanted in (True, False)
    )
    if not named:
        return "Compiled and exported programs are the matter of their own chapters."
    parts = [f"an operation more runs in {', '.join(more)}"] if more else []
    parts += [f"none more in {', '.join(no_more)}"] if no_more else []
    return f"Of the compiled and exported forms tried, {'; '.join(parts)}."
