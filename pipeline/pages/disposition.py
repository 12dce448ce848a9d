"""What should become of the ticket: its priority in its own project, and where else to act.

Every sentence is computed from the evidence, and comes out neutral or the other way round where
the evidence does.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from investigation.display.outcomes import rounded_up
from investigation.evidence.kinds.correctness import Equality
from investigation.evidence.kinds.timings import MARGIN
from investigation.evidence.questions import Findings, ask
from investigation.evidence.words import listed
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


@dataclass(frozen=True)
class Priority:
    """The ticket's priority in its own project, and what it rests on."""

    headline: str
    grounds: str


def priority(findings: Findings, decisions: Iterable[Decision]) -> Priority:
    """Return the ticket's priority in its own project, as the evidence has it."""
    known = list(decisions)
    steps = [
        step
        for one in known
        if one.setting.name in NETWORK and one.setting.device == CPU
        for step in one.wholes
    ]
    same = findings.answers(ask(Equality, aspect="same_dtype"))
    if same and not same[0].same:
        return Priority("open; change nothing yet", "The two forms return different bits.")
    headline, grounds = _of_the_network(steps)
    return Priority(headline, f"{grounds} {gpus(known)}")


def _of_the_network(steps: Sequence[Answer]) -> tuple[str, str]:
    """Return the headline and its ground, by the steps of the ticket's own network on a CPU."""
    outcomes = {answer.outcome for answer in steps}
    if not steps:
        return "open", "No step of its network was timed."
    if {"slower", "faster"} <= outcomes:
        told = f"On a CPU its network is {_steps(steps, 'slower')}, but {_steps(steps, 'faster')}."
        return "open", told
    if "slower" in outcomes:
        return "as filed, a performance bug", f"On a CPU its network is {_steps(steps, 'slower')}."
    if "faster" in outcomes:
        return "none; keep the line", f"On a CPU its network is {_steps(steps, 'faster')}."
    ends = [end for answer in steps for end in answer.timing.interval]
    if not all(map(math.isfinite, ends)):
        return "open", "A step of its network was timed in too few processes to tell."
    largest = rounded_up(100 * max(abs(end - 1) for end in ends))
    if outcomes == {"equivalent"}:
        return "low, a matter of style", (
            f"On a CPU the line changes the time of a step of its network by at most {largest} %, "
            f"inside the margin of ±{100 * MARGIN:g} %."
        )
    return "low, a matter of style", (
        "On a CPU this run found no effect of the line on a step of its network. It cannot rule "
        f"out an effect below {largest} %."
    )


def _steps(steps: Iterable[Answer], outcome: str) -> str:
    found = [answer for answer in steps if answer.outcome == outcome]
    return f"{outcome} with the line in {listed([f'{one.where} ({one.change})' for one in found])}"


def gpus(decisions: Iterable[Decision]) -> str:
    """Tell what was measured on GPUs."""
    found = [decision for decision in decisions if decision.setting.device != CPU]
    measured = [one for one in found if one.change != NOT_MEASURED]
    if not measured:
        return "On a GPU, nothing was measured."
    return "On a GPU: " + "; ".join(
        f"{one.setting.device}, {one.setting.name}, {one.change}" for one in measured
    ) + "."  # fmt: skip


def elsewhere(decisions: Iterable[Decision]) -> str:
    """Return where the same line is worth changing or keeping today, on a CPU."""
    known = [
        decision
        for decision in decisions
        if decision.setting.device == CPU and decision.setting.name not in NETWORK
    ]
    told = [
        f"{words} in {listed(products(chosen))}{_range(chosen)}"
        for change, words in ((CHANGE, "change it"), (KEEP, "keep it"))
        if (chosen := [one for one in known if one.change == change])
    ]
    varies = [one for one in known if one.change in (SIZE, BY_CASE)]
    told += [f"check your size first in {listed(products(varies))}"] * bool(varies)
    if not told:
        return "Elsewhere no measured setting gives a reason to act on the line."
    return f"Elsewhere, act on the same line today: {'; '.join(told)}."


def products(chosen: Iterable[Decision]) -> list[str]:
    """Name settings, those of one product together: both ways into ONNX Runtime are one."""
    names = [decision.setting.name.replace(", ", " with ") for decision in chosen]
    product = [name.split(" (")[0] for name in names]
    return list(
        dict.fromkeys(
            one if product.count(one) > 1 else name
            for one, name in zip(product, names, strict=True)
        )
    )


def _range(chosen: Iterable[Decision]) -> str:
    """Return the least and the largest of the settings' extremes."""
    extremes = [
        answer for decision in chosen for answer in (decision.worst, decision.best) if answer
    ]
    extremes = sorted(extremes, key=lambda one: one.timing.ratio)
    if len(extremes) < 2:
        return f" ({longer(extremes[0])})" if extremes else ""
    return f" (in the worst cases {longer(extremes[0])} to {longer(extremes[-1])})"


def longer(answer: Answer) -> str:
    """Return how `expand_as` compares, without its interval: 25 % longer, or 9.35 times as long."""
    ratio = answer.timing.ratio
    if ratio >= 2:
        return f"{ratio:.3g} times as long"
    percent = 100 * abs(ratio - 1)
    shown = f"{percent:.0f}" if percent >= 10 else f"{percent:.2g}"
    return f"{shown} % {'longer' if ratio >= 1 else 'shorter'}"


def exported(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the decisions about exported programs that ran."""
    return [
        decision
        for decision in decisions
        if decision.setting.chapter == EXPORTED.chapter and decision.change != NOT_MEASURED
    ]
