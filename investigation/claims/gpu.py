"""What the ledger's claims come to on a GPU: a verdict for every machine that was measured.

The rules are those of the ledger with a GPU's quantities in them. Without a measurement a claim
is untested on a GPU, whatever a processor's evidence decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from investigation.claims.claim import (
    Questions,
    Row,
    Rule,
    Verdict,
    decided,
    qualified,
    refuted,
    require_answers,
    supported,
    untested,
)
from investigation.claims.questions import line_memory, multiplies, steps
from investigation.claims.rules.memory import asked
from investigation.claims.rules.time import (
    MINOR,
    Timings,
    change,
    is_slower,
    needs_network,
    network_words,
    slowest,
)
from investigation.claims.rules.training import minimal_in_time
from investigation.claims.scope import scope
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.kinds.timings import STEP_CONFIDENCE
from investigation.evidence.questions import Findings
from investigation.evidence.words import kib

NEEDS = "a complete measurement of that machine"
NETWORK = steps("network", "broadcast", "expand_as")
TRAINING = steps("training_step", "broadcast", "expand_as")
HOST, DEVICE, START_TO_FINISH = (
    multiplies("same", quantity) for quantity in ("host", "device", "end_to_end")
)
MIXED = multiplies("mixed")
TIMES: Questions = {
    "network": NETWORK,
    "host": HOST,
    "device": DEVICE,
    "start_to_finish": START_TO_FINISH,
    "mixed": MIXED,
}
MEMORY: Questions = {
    f"{dtypes}_memory": line_memory(dtypes, required=False) for dtypes in ("same", "mixed")
}


@dataclass(frozen=True)
class GpuRule:
    """A claim of the ledger, with the rule that decides it from one machine's measurements."""

    claim: str
    rule: str
    decide: Rule
    questions: Questions

    def __post_init__(self) -> None:
        require_answers(self.claim, self.decide, self.questions)


def _multiply_words(
    host: Timings, device: Timings, start_to_finish: Timings, mixed: Timings
) -> str:
    named = {
        "handed over by the host": host,
        "in the device's own time": device,
        "end to end": start_to_finish,
        "end to end with two dtypes": mixed,
    }
    worst = {words: slowest(timings) for words, timings in named.items()}
    parts = [f"{words} up to {change(one)}" for words, one in worst.items() if one is not None]
    return f"the multiply alone, slower {', '.join(parts)}" if parts else "the multiply alone"


@needs_network
def overhead(
    network: Timings, host: Timings, device: Timings, start_to_finish: Timings, mixed: Timings
) -> Verdict:
    """T6: is there an overhead, and is it minor?"""
    where = f"{_multiply_words(host, device, start_to_finish, mixed)}; {network_words(network)}"
    below, worst = slowest((*host, *device, *start_to_finish)), slowest(mixed)
    if below is None and worst is None and not is_slower(network):
        return refuted(f"No overhead in any quantity: {where}.")
    if is_slower(network) and (worst is None or worst.ratio < 1 + MINOR):
        return supported(f"An overhead at every level: {where}.")
    return qualified(f"An overhead that depends on the setting: {where}.")


@needs_network
def gain(
    network: Timings, host: Timings, device: Timings, start_to_finish: Timings, mixed: Timings
) -> Verdict:
    """C4: does the change give no measurable gain?"""
    where = f"{_multiply_words(host, device, start_to_finish, mixed)}; {network_words(network)}"
    if is_slower(network):
        return refuted(f"The gain is measurable in the network: {where}.")
    if slowest((*start_to_finish, *mixed)):
        return qualified(f"No gain in the network, a measurable one below it: {where}.")
    return supported(f"No gain from start to finish at any level: {where}.")


@needs_network
def negligible(network: Timings, mixed: Timings) -> Verdict:
    """P1: is the impact negligible?"""
    if is_slower(network):
        return refuted(f"Not negligible: {network_words(network)}.")
    worst = slowest(mixed)
    if worst is not None and worst.ratio >= 1 + MINOR:
        return qualified(
            f"Negligible in {network_words(network)}; not where the multiply of two dtypes is "
            f"itself the step: {change(worst)}."
        )
    return supported(f"Negligible in {network_words(network)}.")


@needs_network
def same_time(
    network: Timings, host: Timings, device: Timings, start_to_finish: Timings, mixed: Timings
) -> Verdict:
    """V3: does the forward pass take the same time?"""
    where = f"{_multiply_words(host, device, start_to_finish, mixed)}; {network_words(network)}"
    if is_slower(network):
        return refuted(f"It takes longer with `expand_as`: {where}.")
    if slowest((*start_to_finish, *mixed)):
        return qualified(f"The same in the network, longer in the multiply alone: {where}.")
    return supported(f"The same: {where}.")


def intermediate(same_memory: Sequence[Memory], mixed_memory: Sequence[Memory]) -> Verdict:
    """T1: does the line ask the device for more memory with `expand_as`?"""
    if not (same_memory and mixed_memory):
        return untested("torch keeps no count of what this device's allocator is asked for.")
    counts = {
        f"{one[0].dtypes} dtype": [
            asked(one, one[0].dtypes, form) for form in ("expand_as", "broadcast")
        ]
        for one in (same_memory, mixed_memory)
    }
    more = [with_it > without for with_it, without in counts.values()]
    words = ", ".join(
        f"{dtypes}: {kib(with_it)} against {kib(without)}"
        for dtypes, (with_it, without) in counts.items()
    )
    if all(more):
        return supported(f"It asks for more beside the output in every setting tried ({words}).")
    if any(more):
        return qualified(f"It asks for more beside the output in some settings ({words}).")
    return refuted(f"It asks for no more beside the output ({words}); what it makes is a view.")


RULES: tuple[GpuRule, ...] = (
    GpuRule(
        "T1",
        "Supported if the line asks the device's allocator for more bytes with `expand_as` than "
        "without, with one dtype and with two; qualified if with one of them; refuted if never.",
        intermediate,
        MEMORY,
    ),
    GpuRule(
        "T6",
        "Refuted if nothing is slower with `expand_as`, neither a multiply in any quantity nor "
        "the network's step; supported if the network's step is slower and no multiply of two "
        "dtypes by 10 % or more; qualified otherwise; untested if the network is inconclusive.",
        overhead,
        TIMES,
    ),
    GpuRule(
        "C4",
        "The gain only. Supported if nothing is slower with `expand_as` from start to finish; "
        "qualified if a multiply is and the network's step is not; refuted if the step is; "
        "untested if the network is inconclusive.",
        gain,
        TIMES,
    ),
    GpuRule(
        "D1",
        "The time only: on a GPU no training runs are compared. Supported if a training step of "
        "the host network is within ±1 % from start to finish in both memory formats (each judged "
        f"at {100 * STEP_CONFIDENCE:g} %, because there are two); refuted if a step is slower or "
        "faster by more than 1 %; untested while a step's interval reaches across ±1 %.",
        minimal_in_time,
        {"training": TRAINING},
    ),
    GpuRule(
        "P1",
        "Supported if the network's step is within ±1 % from start to finish in both memory "
        "formats and no multiply of two dtypes is slower by 10 % or more; qualified if only the "
        "network's part holds; refuted if the step is slower; untested if it is inconclusive.",
        negligible,
        {"network": NETWORK, "mixed": MIXED},
    ),
    GpuRule(
        "V3",
        "Supported if nothing is slower with `expand_as` from start to finish; qualified if a "
        "multiply is and the network's step is not; refuted if the step is; untested if it is "
        "inconclusive.",
        same_time,
        TIMES,
    ),
)


def on_each_machine(rule: GpuRule, findings: Findings) -> dict[str, Verdict]:
    """Return the claim's verdict by the machine that was measured; empty where none was."""
    return {machine: _on(machine, rule, findings) for machine in findings.machines}


def scope_on(machine: str, rule: GpuRule, findings: Findings) -> tuple[Row, ...]:
    """Return what the claim was tried on, on this machine."""
    return scope(_asked_of(machine, rule), findings)


def _on(machine: str, rule: GpuRule, findings: Findings) -> Verdict:
    return decided(rule.decide, _asked_of(machine, rule), findings, NEEDS)


def _asked_of(machine: str, rule: GpuRule) -> Questions:
    return {name: one.on(machine) for name, one in rule.questions.items()}
