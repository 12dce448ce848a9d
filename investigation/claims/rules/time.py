"""Rules about time: a step of the host network, and the multiply and the block alone.

Each rule takes the network's forward step and any other groups of timings as `parts`, under the
names of `PARTS`: those of a CPU and those of a GPU are judged by the same rule.
"""

from collections.abc import Mapping, Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported, untested
from investigation.claims.rules.judging import (
    MINOR,
    Sorted,
    Timings,
    is_bounded,
    part_row,
    step_rows,
)
from investigation.evidence.kinds.correctness import Equality
from investigation.evidence.kinds.layouts import View
from investigation.evidence.words import OUTCOMES, capital, listed

PARTS: Mapping[str, str] = {
    "multiply": "the multiply of one dtype",
    "mixed_multiply": "the multiply of two dtypes",
    "sizes": "the multiply of one dtype, over sizes",
    "blocks": "the SE block",
    "exported_blocks": "the SE block, exported",
    "host": "the multiply, the host's part",
    "device": "the multiply, the device's part",
    "start_to_finish": "the multiply, from start to finish",
}
# The same in a sentence.
BRIEFLY: Mapping[str, str] = {
    "multiply": "one dtype",
    "mixed_multiply": "two dtypes",
    "sizes": "over sizes",
    "blocks": "the block",
    "exported_blocks": "exported",
    "host": "host's part",
    "device": "device's part",
    "start_to_finish": "start to finish",
}
NETWORK, TRAINING = "the network's forward step", "the network's training step"
ALONE = "the multiply or the block alone"
LARGE = f"{100 * MINOR:g} %"


def overhead(network: Timings, **parts: Timings) -> Verdict:
    """T6: is there an overhead, and is it minor?"""
    every, table = Sorted.of(network, *parts.values()), _table(network, parts)
    slower = f"slower in {len(every.slower)} of {len(every)} timings"
    if not every.slower and not every.undecided:
        return refuted(f"No overhead: in {len(every)} timings nothing is slower.", table)
    if Sorted.of(network).large:
        return refuted(f"Not minor: the network's forward step is {LARGE} slower or more.", table)
    if every.slower and all(map(is_bounded, every.timings)):
        return supported(f"Minor: {slower}, and nowhere by {LARGE}.", table)
    if every.large:
        where = [BRIEFLY[name] for name, timings in parts.items() if Sorted.of(timings).large]
        return qualified(
            f"{capital(slower)}, by {LARGE} or more in {len(every.large)}: {listed(where)}. "
            f"{_step_words(network)}",
            table,
        )
    return untested(f"Not decided: {slower}, {len(every.undecided)} undecided.", table)


def measurable_gain(network: Timings, training: Timings, **parts: Timings) -> Verdict:
    """C4: does the change give no measurable gain?"""
    steps, below = Sorted.of(network, training), Sorted.of(*parts.values())
    table = [*_table(network, {}), *step_rows(TRAINING, training), *_table((), parts)]
    if steps.slower:
        return refuted("The gain is measurable in a whole step of the network.", table)
    if steps.undecided:
        return untested("Whether a whole step of the network gains time is undecided.", table)
    gains = f"{len(below.slower)} of {len(below)} timings of {ALONE}"
    if below.slower:
        return qualified(f"No gain in the network's steps; a measurable one in {gains}.", table)
    if below.undecided:
        return untested(
            f"No gain in the network's steps; {len(below.undecided)} of {len(below)} timings of "
            f"{ALONE} are undecided.",
            table,
        )
    return supported(f"No gain in the network's steps, and in {gains}.", table)


def same_time(network: Timings, **parts: Timings) -> Verdict:
    """V3: does the forward pass take the same time?"""
    below, table = Sorted.of(*parts.values()), _table(network, parts)
    step = Sorted.of(network).together
    if step == "inconclusive":
        return _untold(table)
    if step != "equivalent":
        return refuted(f"The network's forward step is {step} with `expand_as`.", table)
    if below.slower or below.faster:
        return qualified(
            f"The same in the network. Of {len(below)} timings of {ALONE}, "
            f"{len(below.slower)} are slower and {len(below.faster)} faster.",
            table,
        )
    if below.undecided:
        return untested(
            f"The same in the network; of {len(below)} timings of {ALONE} "
            f"{len(below.undecided)} are undecided.",
            table,
        )
    return supported(f"The same in the network and in {len(below)} timings of {ALONE}.", table)


def low_impact(
    network: Timings, mixed_multiply: Timings, same_dtype: Sequence[Equality] = ()
) -> Verdict:
    """C1: correct, and of low impact? On a GPU only the impact is known."""
    impact = negligible(network, mixed_multiply)
    if not same_dtype:
        return impact
    if not same_dtype[0].same:
        return refuted("Not correct: the outputs differ with one dtype.")
    bits: Row = ("outputs that differ, one dtype", f"0 of {same_dtype[0].tried} dtypes")
    sentence = f"The outputs are the same with one dtype. {impact.sentence}"
    return impact.model_copy(update={"sentence": sentence, "table": (bits, *impact.table)})


def negligible(network: Timings, mixed_multiply: Timings) -> Verdict:
    """P1: is the impact negligible?"""
    table = _table(network, {"mixed_multiply": mixed_multiply})
    step, large = Sorted.of(network).together, Sorted.of(mixed_multiply).large
    if step == "inconclusive":
        return _untold(table)
    if step != "equivalent":
        return refuted(f"The network's forward step is {step} with `expand_as`.", table)
    if large:
        return qualified(
            "The network's forward step takes the same time. A multiply of two dtypes alone is "
            f"{LARGE} slower or more in {len(large)} of {len(mixed_multiply)} timings.",
            table,
        )
    if all(map(is_bounded, mixed_multiply)):
        return supported("The network's forward step takes the same time.", table)
    return untested(
        "The network's forward step takes the same time; whether a multiply of two dtypes is "
        f"slower by {LARGE} is undecided.",
        table,
    )


def cheap_recalibration(recalibration: Timings, view: Sequence[View]) -> Verdict:
    """D2: is SE recalibration cheap, and does the view allocate nothing?"""
    table = step_rows("six SE blocks added to the network's forward step", recalibration)
    table.append(("bytes that the view allocates", f"{view[0].bytes_allocated}"))
    if not view[0].is_zero_copy:
        return refuted("The view has memory of its own.", table)
    cheap = [step.memory_format for step in recalibration if is_bounded(step)]
    dear = [step.memory_format for step in recalibration if step.interval[0] > 1 + MINOR]
    costs = [
        f"{words} in {listed(formats)}"
        for words, formats in ((f"less than {LARGE}", cheap), (f"more than {LARGE}", dear))
        if formats
    ]
    sentence = f"The view allocates nothing. Six SE blocks add {listed(costs)} to a forward step."
    if len(cheap) == len(recalibration):
        return supported(sentence, table)
    if dear:
        return qualified(sentence, table)
    return untested(
        f"The view allocates nothing. Whether six SE blocks add less than {LARGE} is undecided.",
        table,
    )


def _table(network: Timings, parts: Mapping[str, Timings]) -> list[Row]:
    rows = [part_row(PARTS[name], timings) for name, timings in parts.items() if timings]
    return [*step_rows(NETWORK, network), *rows]


def _step_words(network: Timings) -> str:
    outcomes = dict.fromkeys(OUTCOMES[step.outcome] for step in network)
    return f"The network's forward step: {listed(list(outcomes))}."


def _untold(table: Sequence[Row]) -> Verdict:
    return untested("Whether the network's forward step takes longer is undecided.", table)
