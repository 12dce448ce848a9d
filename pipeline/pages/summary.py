"""The first page in short: the answer in a few sentences, and a table of at most six rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from investigation.display.outcomes import counted
from investigation.evidence.kinds.correctness import Aspect, Equality
from investigation.evidence.kinds.layouts import Layouts
from investigation.evidence.questions import Findings, ask
from investigation.evidence.words import OUTCOMES, listed
from pipeline.pages import answers, gpus
from pipeline.pages.answers import Answer, by_ratio
from pipeline.pages.decisions import (
    CANNOT_TELL,
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

# So many products are named in a sentence; more are counted.
FEW = 2


@dataclass(frozen=True)
class Row:
    """A line of the short table: the setting of the line, the decision there, and its grounds."""

    where: str
    change: str
    why: str


def rows(decisions: Iterable[Decision]) -> list[Row]:
    """Return at most six rows: exported programs share one, and so do all GPUs."""
    all_decisions = list(decisions)
    on_cpu = {
        decision.setting.name: decision
        for decision in all_decisions
        if decision.setting.device == CPU
    }
    return [
        *(
            Row(name, on_cpu[name].change, _why(on_cpu[name]))
            for name in (ONE_DTYPE, TWO_DTYPES, TRAINING, COMPILED)
        ),
        _shared("exported programs", exported(all_decisions)),
        _on_a_gpu([one for one in all_decisions if one.setting.device != CPU]),
    ]


def _on_a_gpu(members: Sequence[Decision]) -> Row:
    """Return one row for all GPUs, with their times from start to finish for its grounds."""
    row = _shared("on a GPU", members)
    every = [answer for decision in members for answer in decision.answers]
    return replace(row, why=_largest(every) or row.why)


def _why(decision: Decision) -> str:
    """Give the grounds of a decision in a line."""
    found = _largest(decision.answers)
    return found or decision.extra.memory or decision.extra.same or decision.measured


def _largest(timed: Sequence[Answer]) -> str:
    """Name the largest difference of a part alone, else what steps of a network and parts came to.

    The steps come first on the page, so they are told here only if no part alone differs.
    """
    steps = [answer for answer in timed if answer.whole]
    parts = [answer for answer in timed if not answer.whole]
    told = [f"a network's step: {_all_of(steps)}"] if steps else []
    told += [f"alone: {_all_of(parts)}"] if steps and parts else []
    return _at_most(parts, _at) or "; ".join(told)


def _all_of(timed: Sequence[Answer]) -> str:
    """Say what came out, in one word if all agree."""
    came_out = {OUTCOMES[answer.outcome] for answer in timed}
    return came_out.pop() if len(came_out) == 1 else counted(answer.timing for answer in timed)


def _at_most(timed: Iterable[Answer], place: Callable[[Answer], str]) -> str:
    """Name the largest difference with its place, or how far they go in both directions.

    Empty if the line is neither slower nor faster anywhere. The places of two directions are left
    to the sentences above and to the long table: a cell has room for two lines.
    """
    every = list(timed)
    slower, faster = (
        pick([one for one in every if one.outcome == outcome], key=by_ratio, default=None)
        for pick, outcome in ((max, "slower"), (min, "faster"))
    )
    if slower and faster:
        return f"from {longer(faster)} to {longer(slower)}"
    one = slower or faster
    return f"up to {longer(one)} {place(one)}" if one else ""


def _at(answer: Answer) -> str:
    return f"at {answer.size}"


def _in(answer: Answer) -> str:
    return f"in {answer.setting.name}"


def _shared(name: str, members: Sequence[Decision]) -> Row:
    """Return one row for several settings; those that cannot tell are among the whole only."""
    measured = [decision for decision in members if decision.change != NOT_MEASURED]
    if not measured:
        return Row(name, NOT_MEASURED, members[0].measured if members else "")
    changes = [decision.change for decision in measured]
    why = _at_most((answer for decision in measured for answer in decision.answers), _in)
    if len(set(changes)) == 1:
        return Row(name, changes[0], why)
    counts = {
        change: changes.count(change)
        for change in dict.fromkeys(sorted(changes, key=_first))
        if change != CANNOT_TELL
    }
    words = ", ".join(f"{change} in {count}" for change, count in counts.items())
    return Row(name, f"{words} of {len(changes)}", why)


def _first(change: str) -> bool:
    return change != CHANGE


def sentences(findings: Findings, decisions: Iterable[Decision]) -> list[str]:
    """Return the answer in four sentences: the result, one dtype, two dtypes, exported.

    A fifth tells of GPUs, if any was measured.
    """
    all_decisions = list(decisions)
    on_cpu = {
        decision.setting.name: decision
        for decision in all_decisions
        if decision.setting.device == CPU
    }
    return [
        result(findings),
        _one_dtype(on_cpu[ONE_DTYPE]),
        _two_dtypes(on_cpu[TWO_DTYPES], on_cpu[TRAINING_MIXED]),
        _exported(exported(all_decisions)),
        *filter(None, [gpus.alone(answers.answers(findings))]),
    ]


def result(findings: Findings) -> str:
    """Say whether both forms compute the same, and in what they differ."""
    same = findings.answers(ask(Equality, aspect="same_dtype"))
    asked = ask(Layouts, dtypes="same")
    layouts = [answer for answer in findings.answers(asked) if answer.group != "empty"]
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
    sentence = f"With one dtype both forms return the same bits, in {where}"
    return f"{sentence}.{_gradients(findings)}"


def _gradients(findings: Findings) -> str:
    """Say whether what training computes has the same bits, also where it differentiates twice."""
    aspects: dict[Aspect, str] = {
        "gradients_over_ways": "",
        "second_gradients": " where a gradient is differentiated again",
    }
    parts = [
        f"{answer.differing} of {answer.tried}{words}"
        for aspect, words in aspects.items()
        for answer in findings.answers(ask(Equality, aspect=aspect))
    ]
    return f" Tensors of training with other bits: {', and '.join(parts)}." if parts else ""


def _one_dtype(decision: Decision) -> str:
    parts = [answer for answer in decision.answers if not answer.whole]
    if not decision.answers:
        return f"In eager PyTorch with one dtype, on a CPU, nothing was timed: {decision.measured}."
    slower = [part for part in parts if part.outcome == "slower"]
    faster = [part for part in parts if part.outcome == "faster"]
    outcome = f"slower with the line in {len(slower)} of {len(parts)} timings"
    if slower:
        worst = max(slower, key=by_ratio)
        outcome += f", at worst {longer(worst)} at {worst.size}"
    outcome += f", and faster in {len(faster)}" if faster else ""
    return (
        f"In eager PyTorch with one dtype, on a CPU, the multiply or the block alone is {outcome}."
    )


def _two_dtypes(decision: Decision, trained: Decision) -> str:
    parts = {"the multiply": decision.worst, "the multiply with its gradients": trained.worst}
    slower = [
        f"{name} takes up to {longer(part)} at {part.size}" for name, part in parts.items() if part
    ]
    costs = [decision.extra.memory and f"the line {decision.extra.memory}", *slower]
    words = listed([cost for cost in costs if cost])
    pair = _pair(decision)
    if not words:
        return f"With {pair} neither more memory nor more time was found on a CPU."
    return f"With {pair}, on a CPU, {words}."


def _pair(decision: Decision) -> str:
    """Name the two dtypes that were timed."""
    pairs = [answer.timing.case for answer in decision.answers if answer.timing.case]
    named = dict.fromkeys(f"a {case.dtype} input and a {case.gate_dtype} gate" for case in pairs)
    return listed(list(named)) or "two dtypes"


def _exported(decisions: Sequence[Decision]) -> str:
    if not decisions:
        return "No exported program ran here."
    worst = [decision.worst for decision in decisions if decision.worst]
    faster = [decision.setting.name for decision in decisions if decision.best]
    verb = "is" if len(worst) == 1 else "are"
    sentence = (
        f"Exported, {len(worst)} of {len(decisions)} programs of the block {verb} slower with the "
        "line at some size"
    )
    if worst:
        dearest = max(worst, key=by_ratio)
        sentence += f", up to {longer(dearest)} in {dearest.setting.name} at {dearest.size}"
    if faster:
        are = "is" if len(faster) == 1 else "are"
        named = listed(faster) if len(faster) <= FEW else f"{len(faster)} programs"
        sentence += f"; at some size {named} {are} faster with it"
    if all(decision.change == NO_DIFFERENCE for decision in decisions):
        sentence = (
            f"Exported to {len(decisions)} programs, the block takes the same time either way"
        )
    return f"{sentence}."
