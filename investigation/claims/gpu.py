"""What the ledger's claims come to on a GPU: a verdict for every machine that was measured.

The rules are those of the ledger; only their questions are about a GPU's quantities. Without a
measurement a claim is untested on a GPU, whatever a processor's evidence decides.
"""

from dataclasses import dataclass

from investigation.claims.claim import Questions, Row, Rule, Verdict, decided, require_answers
from investigation.claims.questions import EAGER_BLOCKS, NETWORK, TRAINING, line_memory, multiplies
from investigation.claims.rules import memory, style, time, training
from investigation.claims.scope import scope
from investigation.evidence.questions import Findings

NEEDS = "a complete measurement of that machine"
# The two GPUs that are recorded were measured before forward steps got the training steps' level.
LEVEL = "A forward step that was recorded before 2026-11-27 is judged at 95 %."
MEMORY_ALONE = "The line's memory alone, as the device's allocator counts it."
MEMORY: Questions = {
    "same_memory": line_memory("same", required=False),
    "mixed_memory": line_memory("mixed", required=False),
}
FROM_START: Questions = {
    "start_to_finish": multiplies("same"),
    "blocks": EAGER_BLOCKS,
    "mixed_multiply": multiplies("mixed"),
}


@dataclass(frozen=True)
class GpuRule:
    """A claim of the ledger on a GPU: what its rule uses there, and how it differs, in words."""

    claim: str
    differs: str
    decide: Rule
    questions: Questions

    def __post_init__(self) -> None:
        require_answers(self.claim, self.decide, self.questions)


RULES: tuple[GpuRule, ...] = (
    GpuRule(
        "T1",
        f"{MEMORY_ALONE} Refuted if the line requests no more memory with `expand_as`; whether the "
        "call returns a view is not asked there.",
        memory.intermediate,
        MEMORY,
    ),
    GpuRule(
        "T6",
        "The multiply of one dtype in three quantities: the host's part, the device's part, and "
        "from start to finish. The multiply of two dtypes, the block and the network's forward "
        f"step from start to finish. {LEVEL}",
        time.overhead,
        {
            "network": NETWORK,
            "host": multiplies("same", "host"),
            "device": multiplies("same", "device"),
            **FROM_START,
        },
    ),
    GpuRule(
        "C1",
        f"The time alone, from start to finish. {LEVEL}",
        time.low_impact,
        {"network": NETWORK, "mixed_multiply": multiplies("mixed")},
    ),
    GpuRule(
        "C4",
        f"Every time from start to finish. {LEVEL}",
        time.measurable_gain,
        {"network": NETWORK, "training": TRAINING, **FROM_START},
    ),
    GpuRule(
        "D1",
        "The time alone, from start to finish: on a GPU no training runs are compared.",
        training.minimal_in_training,
        {"training": TRAINING},
    ),
    GpuRule(
        "P1",
        f"Every time from start to finish. {LEVEL}",
        time.negligible,
        {"network": NETWORK, "mixed_multiply": multiplies("mixed")},
    ),
    GpuRule(
        "P2",
        f"{MEMORY_ALONE} Supported if the line requests no more memory with `expand_as`.",
        memory.no_allocation,
        MEMORY,
    ),
    GpuRule(
        "P5",
        "The time of the network's forward step from start to finish, and the line's memory as "
        f"the device's allocator counts it. {LEVEL}",
        style.stylistic,
        {"network": NETWORK, **MEMORY},
    ),
    GpuRule(
        "V3",
        f"Every time from start to finish. {LEVEL}",
        time.same_time,
        {"network": NETWORK, **FROM_START},
    ),
)


def on_each_machine(rule: GpuRule, findings: Findings) -> dict[str, Verdict]:
    """Return the claim's verdict by the machine that was measured; empty if none was."""
    return {
        machine: decided(rule.decide, _asked_of(machine, rule), findings, NEEDS)
        for machine in findings.machines
    }


def scope_on(machine: str, rule: GpuRule, findings: Findings) -> tuple[Row, ...]:
    """Return what the claim was tried on, on this machine."""
    return scope(_asked_of(machine, rule), findings)


def _asked_of(machine: str, rule: GpuRule) -> Questions:
    return {name: question.on(machine) for name, question in rule.questions.items()}
