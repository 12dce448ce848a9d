"""Rules about time in eager mode: the multiply, and a step of the host network."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps

from investigation.claims.claim import Verdict, qualified, refuted, supported, untested
from investigation.claims.rules import memory as memory_rules
from investigation.claims.rules import runtimes
from investigation.evidence.kinds.correctness import Acceptance, Equality
from investigation.evidence.kinds.layouts import View
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import percent

# Where a cost stops being minor, as a share of the step that it is part of.
MINOR = 0.10

Timings = Sequence[Timing]


def change(timing: Timing) -> str:
    """Return what a timing found, in percent with its interval."""
    return percent(timing.ratio, timing.interval)


def by_format(timings: Iterable[Timing]) -> str:
    """Return what was found in each memory format."""
    return ", ".join(f"{change(one)} in {one.memory_format}" for one in timings)


def network_words(network: Timings) -> str:
    """Tell what a forward step of the host network costs."""
    return f"a forward step of the host network: {by_format(network)}"


def training_words(training: Timings) -> str:
    """Tell what a training step of the host network costs."""
    return f"a training step of the host network: {by_format(training)}"


def slowest(timings: Iterable[Timing]) -> Timing | None:
    """Return the dearest of the comparisons that are slower at the confidence of their family."""
    slower = (one for one in timings if one.slower_in_family)
    return max(slower, key=lambda one: one.ratio, default=None)


def dearest(timings: Timings) -> Timing:
    """Return the comparison with the largest ratio."""
    return max(timings, key=lambda one: one.ratio)


def multiply_words(multiply: Timings, mixed_multiply: Timings) -> str:
    """Name the worst case of the multiply, with one dtype and with two."""
    parts = []
    for timings, words in ((multiply, "one dtype"), (mixed_multiply, "two dtypes on a CPU")):
        worst = slowest(timings)
        if worst is not None and worst.case is not None:
            parts.append(f"with {words} up to {change(worst)} at {worst.case.name}")
    return "the multiply alone, slower " + "; ".join(parts) if parts else "the multiply alone"


def needs_network(decide: Callable[..., Verdict]) -> Callable[..., Verdict]:
    """Leave a claim untested where the network's comparison came out inconclusive."""

    @wraps(decide)
    def decided(network: Timings, **answers: Sequence[object]) -> Verdict:
        if undecided(network):
            return untested(f"This machine cannot tell: {network_words(network)}.")
        return decide(network=network, **answers)

    return decided


def undecided(timings: Timings) -> bool:
    """Tell whether some steps are inconclusive and none is slower."""
    verdicts = {one.verdict for one in timings}
    return "inconclusive" in verdicts and "slower" not in verdicts


def is_slower(timings: Timings) -> bool:
    """Tell whether any is slower."""
    return any(one.verdict == "slower" for one in timings)


@needs_network
def overhead(
    network: Timings, multiply: Timings, mixed_multiply: Timings, exported_blocks: Timings
) -> Verdict:
    """T6: is there an overhead, and is it minor?"""
    exported = runtimes.dearest(exported_blocks)
    where = (
        f"{multiply_words(multiply, mixed_multiply)}; {network_words(network)}"
        f"{_runtime_words(exported)}"
    )
    below = slowest((*multiply, *mixed_multiply))
    if below is None and not is_slower(network) and exported is None:
        return refuted(f"No overhead at any level: {where}.")
    ratios = [one.ratio for one in (*mixed_multiply, exported) if one is not None]
    if is_slower(network) and max(ratios) < 1 + MINOR:
        return supported(f"An overhead at every level: {where}.")
    return qualified(f"An overhead that depends on the setting: {where}.")


def _runtime_words(exported: Timing | None) -> str:
    """Name the exported runtime in which the block pays most, if one does."""
    if exported is None:
        return ""
    return f"; the SE block, exported: up to {change(exported)} in {runtimes.title(exported)}"


@needs_network
def low_impact(
    network: Timings, mixed_multiply: Timings, same_dtype: Sequence[Equality]
) -> Verdict:
    """C1: correct, and of low impact?"""
    if not same_dtype[0].same or is_slower(network):
        return refuted(f"Not of low impact: {network_words(network)}.")
    worst = dearest(mixed_multiply)
    if worst.ratio >= 1 + MINOR:
        return qualified(
            f"Low where input and gate share a dtype ({network_words(network)}); "
            f"not at a multiply of two dtypes on a CPU, which takes {change(worst)}."
        )
    return supported(f"Equal outputs, and {network_words(network)}.")


@needs_network
def negligible(network: Timings, mixed_multiply: Timings) -> Verdict:
    """P1: is the impact negligible?"""
    if is_slower(network):
        return refuted(f"Not negligible: {network_words(network)}.")
    worst = dearest(mixed_multiply)
    if worst.ratio >= 1 + MINOR:
        return qualified(
            f"Negligible in {network_words(network)}; not where the multiply itself is the "
            f"step and the dtypes differ, on a CPU: {change(worst)}."
        )
    return supported(f"Negligible in {network_words(network)}.")


def measurable_gain(
    network: Timings, training: Timings, multiply: Timings, mixed_multiply: Timings
) -> Verdict:
    """C4: does the change give no measurable gain?"""
    steps = f"{network_words(network)}; {training_words(training)}"
    where = f"{multiply_words(multiply, mixed_multiply)}; {steps}"
    if undecided((*network, *training)):
        return untested(f"This machine cannot tell: {steps}.")
    if is_slower((*network, *training)):
        return refuted(f"The gain is measurable in the network: {where}.")
    if slowest((*multiply, *mixed_multiply)):
        return qualified(f"No gain in the network, a measurable one below it: {where}.")
    return supported(f"No gain at any level: {where}.")


@needs_network
def same_time(network: Timings, multiply: Timings, mixed_multiply: Timings) -> Verdict:
    """V3: does the forward pass take the same time?"""
    where = f"{multiply_words(multiply, mixed_multiply)}; {network_words(network)}"
    if is_slower(network):
        return refuted(f"It takes longer with `expand_as`: {where}.")
    if slowest((*multiply, *mixed_multiply)):
        return qualified(f"The same in the network, longer in the multiply alone: {where}.")
    return supported(f"The same: {where}.")


def cheap_recalibration(recalibration: Timings, view: Sequence[View]) -> Verdict:
    """D2: is SE recalibration cheap, and does the view allocate nothing?"""
    share = by_format(recalibration)
    words = f"six SE blocks change the host network's forward step by {share}"
    if not view[0].is_zero_copy:
        return refuted(f"The view has memory of its own; {words}.")
    if all(one.interval[1] <= 1 + MINOR for one in recalibration):
        return supported(f"The view allocates nothing, and {words}.")
    if all(one.interval[0] > 1 + MINOR for one in recalibration):
        return qualified(f"The view allocates nothing; but not cheap by the rule: {words}.")
    return qualified(f"The view allocates nothing; cheap in some formats or undecided: {words}.")


@needs_network
def stylistic(
    network: Timings, mixed_memory: Sequence[Memory], accepted: Sequence[Acceptance]
) -> Verdict:
    """P5: is the change only a stylistic one?"""
    if is_slower(network):
        return refuted(f"Not only style: {network_words(network)}.")
    if memory_rules.copies(mixed_memory, "mixed") or accepted[0].grown:
        return qualified(
            "Of low priority where input and gate share a dtype, and never only style: the "
            f"change drops a shape check, and {memory_rules.mixed_copy(mixed_memory)}."
        )
    return supported("The outputs, the checks, the memory and the network's time are the same.")
