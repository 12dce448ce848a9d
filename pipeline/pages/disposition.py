"""What should become of the ticket: its priority in its own project, and where else to act.

Every sentence is computed from the evidence, and is neutral or opposite if the evidence is.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from investigation.evidence.kinds.correctness import Equality
from investigation.evidence.kinds.timings import MARGIN
from investigation.evidence.questions import Findings, ask
from investigation.evidence.words import change, listed
from pipeline.pages import answers, gpus
from pipeline.pages.answers import Answer
from pipeline.pages.decisions import (
    BY_CASE,
    CHANGE,
    KEEP,
    NOT_MEASURED,
    SIZE,
    Decision,
)
from pipeline.pages.settings import (
    CPU,
    EXPORTED,
    ONE_DTYPE,
    TRAINING,
)

NETWORK = (ONE_DTYPE, TRAINING)
CHANGE_IT = (
    "Change the line when its code is next edited. In its own network either form takes the same "
    "time."
)
SLOWER = "Change the line: its own network is slower with it."
SLOWER_ON_A_GPU = "Change the line: on a GPU its own network is slower with it."
KEEP_IT = "Leave the line as it is."
FASTER = "Leave the line as it is: its own network is faster with it."
FASTER_ON_A_GPU = "Leave the line as it is: on a GPU its own network is faster with it."
BOTH_WAYS = (
    "Leave the line as it is: some steps of its own network are slower with it, some faster."
)
NOT_YET = "Measure a step of its network first: this run does not decide it."


@dataclass(frozen=True)
class Priority:
    """The ticket's priority in its own project, and its grounds.

    `proposal` is what to do with the line there, as a sentence.
    """

    headline: str
    grounds: str
    proposal: str


def priority(findings: Findings, decisions: Iterable[Decision]) -> Priority:
    """Return the ticket's priority in its own project, as the evidence has it."""
    all_decisions = list(decisions)
    on_a_cpu = [
        step
        for decision in all_decisions
        if decision.setting.name in NETWORK and decision.setting.device == CPU
        for step in decision.wholes
    ]
    on_a_gpu = gpus.steps(all_decisions)
    same = findings.answers(ask(Equality, aspect="same_dtype"))
    if same and not same[0].same:
        grounds = "The two forms return different bits."
        return Priority("open; change nothing yet", grounds, KEEP_IT)
    grounds = f"{_on_a_cpu(on_a_cpu)} {gpus.of_the_network(all_decisions)}"
    return Priority(_headline(on_a_cpu, on_a_gpu), grounds, _proposal(on_a_cpu, on_a_gpu))


def _headline(on_a_cpu: Sequence[Answer], on_a_gpu: Sequence[Answer]) -> str:
    """Return one priority, or one for each kind of device where the two differ."""
    cpu, gpu = _rank(on_a_cpu), _rank(on_a_gpu)
    return cpu if not on_a_gpu or cpu == gpu else f"{cpu}, on a CPU; {gpu}, on a GPU"


def _rank(steps: Sequence[Answer]) -> str:
    outcomes = {step.outcome for step in steps}
    if {"slower", "faster"} <= outcomes:
        return "open"
    if "slower" in outcomes:
        return "as filed, a performance bug"
    if "faster" in outcomes:
        return "none, keep the line"
    return "low, a matter of style" if outcomes == {"equivalent"} else "open"


def _proposal(on_a_cpu: Sequence[Answer], on_a_gpu: Sequence[Answer]) -> str:
    cpu = {step.outcome for step in on_a_cpu}
    outcomes = cpu | {step.outcome for step in on_a_gpu}
    if {"slower", "faster"} <= outcomes:
        return BOTH_WAYS
    if "faster" in outcomes:
        return FASTER if "faster" in cpu else FASTER_ON_A_GPU
    if "slower" in outcomes:
        return SLOWER if "slower" in cpu else SLOWER_ON_A_GPU
    return NOT_YET if not on_a_cpu or "inconclusive" in outcomes else CHANGE_IT


def _on_a_cpu(steps: Sequence[Answer]) -> str:
    """Return the ground of the priority, by the steps of the ticket's own network on a CPU."""
    outcomes = {answer.outcome for answer in steps}
    if not steps:
        return "No step of its network was timed."
    if outcomes & {"slower", "faster"}:
        return (
            f"On a CPU a step of its network with the line is {answers.outcomes(steps)}; "
            f"{_span(steps)}."
        )
    ends = [end for answer in steps for end in answer.timing.interval]
    if not all(map(math.isfinite, ends)):
        return "A step of its network was timed in too few processes to tell."
    if outcomes == {"equivalent"}:
        return (
            "On a CPU a step of its network takes the same time within "
            f"±{100 * MARGIN:g} % with the line ({_span(steps)})."
        )
    return (
        "On a CPU this run cannot tell whether the line changes a step of its network by more "
        f"than ±{100 * MARGIN:g} % ({_span(steps)})."
    )


def _span(steps: Sequence[Answer]) -> str:
    """Return from where to where the intervals of all steps reach, with their confidence."""
    low = min(answer.timing.interval[0] for answer in steps)
    high = max(answer.timing.interval[1] for answer in steps)
    confidence = min(answer.timing.confidence for answer in steps)
    return f"{100 * confidence:g} % intervals from {change(low)} to {change(high)}"


def elsewhere(decisions: Iterable[Decision]) -> str:
    """Return where the same line is worth changing or keeping today, on a CPU."""
    on_a_cpu = [
        decision
        for decision in decisions
        if decision.setting.device == CPU and decision.setting.name not in NETWORK
    ]
    parts = [
        f"{words} in {listed(products(chosen))}{_up_to(chosen)}"
        for decided, words in ((CHANGE, "change it"), (KEEP, "keep it"))
        if (chosen := [decision for decision in on_a_cpu if decision.change == decided])
    ]
    varies = [decision for decision in on_a_cpu if decision.change in (SIZE, BY_CASE)]
    parts += [f"check your size first in {listed(products(varies))}"] * bool(varies)
    if not parts:
        return "Elsewhere on a CPU, no measured setting gives a reason to act on the line."
    return f"The line elsewhere, on a CPU: {'; '.join(parts)}."


def products(chosen: Iterable[Decision]) -> list[str]:
    """Name settings, those of one product together: both ways into ONNX Runtime are one."""
    names = [decision.setting.name.replace(", ", " with ") for decision in chosen]
    product = [_product(name) for name in names]
    return list(
        dict.fromkeys(
            group if product.count(group) > 1 else name
            for group, name in zip(product, names, strict=True)
        )
    )


def _product(name: str) -> str:
    return name.split(" (")[0]


def _up_to(chosen: Sequence[Decision]) -> str:
    """Return the largest difference that was timed in those settings, and in which, in brackets."""
    extremes = [
        answer for decision in chosen for answer in (decision.worst, decision.best) if answer
    ]
    if not extremes:
        return ""
    largest = max(extremes, key=lambda answer: abs(math.log(answer.timing.ratio)))
    where = f"{_product(largest.setting.name)}: " if len(products(chosen)) > 1 else ""
    return f" ({where}up to {longer(largest)} at {largest.size})"


def longer(answer: Answer) -> str:
    """Return how `expand_as` compares, without its interval: 25 % longer, or 9.36 times as long.

    Rounded as in every table, so that one number reads the same everywhere.
    """
    ratio = answer.timing.ratio
    if ratio >= 2:
        return f"{ratio:.3g} times as long"
    return f"{change(ratio)[1:]} {'longer' if ratio >= 1 else 'shorter'}"


def exported(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the decisions about exported programs that ran."""
    return [
        decision
        for decision in decisions
        if decision.setting.chapter == EXPORTED.chapter and decision.change != NOT_MEASURED
    ]
