"""The rule about operations in the forward path."""

from collections.abc import Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported
from investigation.evidence.kinds.programs import Survival
from investigation.evidence.kinds.resources import Calls
from investigation.evidence.words import listed


def more_calls(calls: Sequence[Calls], programs: Sequence[Survival]) -> Verdict:
    """T5: is there an operation more in the forward path?"""
    count = {record.form: len(record.calls) for record in calls}
    eager = count["expand_as"] > count["broadcast"]
    # Two chapters may have tried the same program; it counts once.
    runs_more = {survival.program: survival.runs_more for survival in programs}
    more = [name for name, held in runs_more.items() if held]
    none_more = [name for name, held in runs_more.items() if not held]
    table: list[Row] = [(f"ATen calls in eager mode, {form}", str(n)) for form, n in count.items()]
    table += [("an additional operation runs in", listed(more))] * bool(more)
    table += [("no additional operation runs in", listed(none_more))] * bool(none_more)
    sentence = (
        f"In eager mode the line makes {count['expand_as']} ATen calls with `expand_as` and "
        f"{count['broadcast']} without. {_program_words(len(more), len(runs_more))}"
    )
    if not eager and not more:
        return refuted(sentence, table)
    everywhere = eager and bool(programs) and not none_more
    return (supported if everywhere else qualified)(sentence, table)


def _program_words(more: int, tried: int) -> str:
    if not tried:
        return "No compiled or exported program was tried."
    return f"An additional operation runs in {more} of {tried} compiled and exported programs."
