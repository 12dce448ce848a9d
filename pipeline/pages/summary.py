"""The first page in short: the answer in four sentences, and a table of at most six rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from investigation.display.outcomes import WORDS
from investigation.evidence.kinds.correctness import Aspect, Equality
from investigation.evidence.kinds.layouts import Layouts
from investigation.evidence.questions import Findings, ask
from investigation.evidence.words import capital, listed
from pipeline.pages.decisions import (
    CHANGE,
    NO_DIFFERENCE,
    NOT_MEASURED,
    Decision,
)
from pipeline.pages.disposition import exported, longer
from pipeline.pages.settings import (
    COMPILED,
    CPU,
    ONE_DTYPE,
    TRAINING,
    TRAINING_MIXED,
    TWO_DTYPES,
)


@dataclass(frozen=True)
class Row:
    """A line of the short table: where the line runs, the decision there, what it rests on."""

    where: str
    change: str
    why: str


def rows(decisions: Iterable[Decision]) -> list[Row]:
    """Return at most six rows: exported programs share one, and so do all GPUs."""
    known = list(decisions)
    on_cpu = {one.setting.name: one for one in known if one.setting.device == CPU}
    return [
        *(
            Row(name, on_cpu[name].change, _why(on_cpu[name]))
            for name in (ONE_DTYPE, TWO_DTYPES, TRAINING, COMPILED)
        ),
        _shared("exported programs", exported(known)),
        _shared("on a GPU", [one for one in known if one.setting.device != CPU]),
    ]


def _why(decision: Decision) -> str:
    """Tell in a line what a decision rests on."""
    told = [f"a network's step: {network(decision)}"] * bool(decision.wholes)
    extreme = [one for one in (decision.worst, decision.best) if one and not one.whole]
    told += [f"up to {longer(one)} at {one.size}" for one in extreme]
    return "; ".join(told) or decision.extra.memory or decision.extra.same or decision.measured


def network(decision: Decision) -> str:
    """Tell what came out for the steps of a network, one word if all agree."""
    outcomes = {whole.timing.memory_format: WORDS[whole.outcome] for whole in decision.wholes}
    if len(set(outcomes.values())) == 1:
        return next(iter(outcomes.values()))
    return ", ".join(f"{outcome} ({layout})" for layout, outcome in outcomes.items())


def _shared(name: str, members: Sequence[Decision]) -> Row:
    """Return one row for several settings."""
    measured = [decision for decision in members if decision.change != NOT_MEASURED]
    if not measured:
        return Row(name, NOT_MEASURED, members[0].measured if members else "")
    made = [one.change for one in measured]
    if len(set(made)) == 1:
        return Row(name, made[0], _extremes(measured))
    counts = {change: made.count(change) for change in dict.fromkeys(sorted(made, key=_first))}
    told = ", ".join(f"{change} in {count}" for change, count in counts.items())
    return Row(name, f"{told} of {len(made)}", _extremes(measured))


def _first(change: str) -> bool:
    return change != CHANGE


def _extremes(members: Iterable[Decision]) -> str:
    """Name the largest differences in both directions, and whose they are."""
    found = [
        (decision, answer)
        for decision in members
        for answer in (decision.worst, decision.best)
        if answer
    ]
    told = []
    for outcome, pick in (("slower", max), ("faster", min)):
        of = [pair for pair in found if pair[1].outcome == outcome]
        if of:
            one, answer = pick(of, key=lambda pair: pair[1].timing.ratio)
            told.append(f"up to {longer(answer)} in {one.setting.name}")
    return "; ".join(told)


def sentences(findings: Findings, decisions: Iterable[Decision]) -> list[str]:
    """Return the answer in four sentences: the result, one dtype, two dtypes, exported."""
    known = list(decisions)
    on_cpu = {one.setting.name: one for one in known if one.setting.device == CPU}
    return [
        result(findings),
        _one_dtype(on_cpu[ONE_DTYPE]),
        _two_dtypes(on_cpu[TWO_DTYPES], on_cpu[TRAINING_MIXED]),
        _exported(exported(known)),
    ]


def result(findings: Findings) -> str:
    """Tell whether both forms compute the same, and where they do not."""
    same = findings.answers(ask(Equality, aspect="same_dtype"))
    layouts = [answer for answer in findings.answers(ask(Layouts)) if answer.group != "empty"]
    if not same:
        return "This run did not compare the bits of the two forms."
    if not same[0].same:
        return (
            f"With one dtype the two forms return different bits in {same[0].differing} of "
            f"{same[0].tried} dtypes."
        )
    where = "another memory layout for some inputs"
    if not any(layout.differing for layout in layouts):
        where = "the same memory layout"
    told = f"With one dtype both forms return the same bits, in {where}"
    return f"{told}.{_gradients(findings)}"


def _gradients(findings: Findings) -> str:
    """Tell whether gradients have the same bits, and gradients of gradients."""
    aspects: dict[Aspect, str] = {
        "gradients_over_ways": "gradients",
        "second_gradients": "gradients of gradients",
    }
    told = [
        f"{words}: {answer.differing} of {answer.tried} tensors differ"
        for aspect, words in aspects.items()
        for answer in findings.answers(ask(Equality, aspect=aspect))
    ]
    return f" {capital('; '.join(told))}." if told else ""


def _one_dtype(decision: Decision) -> str:
    parts = [one for one in decision.found if not one.whole]
    if not decision.found:
        return f"In eager PyTorch with one dtype nothing was timed: {decision.measured}."
    slower = [part for part in parts if part.outcome == "slower"]
    faster = [part for part in parts if part.outcome == "faster"]
    told = f"slower with the line in {len(slower)} of {len(parts)} timings"
    if slower:
        worst = max(slower, key=lambda one: one.timing.ratio)
        told += f", at worst {longer(worst)} at {worst.size}"
    told += f", and faster in {len(faster)}" if faster else ""
    step = f" A step of a whole network: {network(decision)}." if decision.wholes else ""
    return f"In eager PyTorch with one dtype the multiply or the block alone is {told}.{step}"


def _two_dtypes(decision: Decision, trained: Decision) -> str:
    parts = {"the multiply": decision.worst, "the multiply with its gradients": trained.worst}
    slower = [f"{name} takes up to {longer(part)}" for name, part in parts.items() if part]
    told = [decision.extra.memory and f"the line {decision.extra.memory}", *slower]
    words = listed([one for one in told if one])
    if not words:
        return "With two dtypes on a CPU neither more memory nor more time was found."
    return f"With two dtypes on a CPU {words}."


def _exported(decisions: Sequence[Decision]) -> str:
    if not decisions:
        return "No exported program ran here."
    worst = [decision.worst for decision in decisions if decision.worst]
    faster = [decision.setting.name for decision in decisions if decision.best]
    told = (
        f"Exported, {len(worst)} of {len(decisions)} programs of the block are slower with the line"
    )
    if worst:
        dearest = max(worst, key=lambda one: one.timing.ratio)
        told += f", up to {longer(dearest)} in {dearest.setting.name}"
    if faster:
        are = "is" if len(faster) == 1 else "are"
        told += f"; at some size {listed(faster)} {are} faster with it"
    if all(decision.change == NO_DIFFERENCE for decision in decisions):
        told = f"Exported to {len(decisions)} programs, the block takes the same time either way"
    return f"{told}."
