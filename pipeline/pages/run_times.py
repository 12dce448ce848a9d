"""What a build's time was spent on: its timings, and how many stay undecided.

The page of run times says it beside what each chapter took, for whoever would spend less on one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from investigation.evidence.kinds.in_place import Measured
from investigation.evidence.records import Evidence
from investigation.evidence.words import OUTCOMES, number_of

BUDGETS = "`BUDGET=` and, for steps of a network, `NETWORK_BUDGET=`"


@dataclass(frozen=True)
class Timings:
    """How many timings a build made, without its controls, and how many of these are undecided."""

    number: int
    undecided: int

    def __str__(self) -> str:
        if not self.number:
            return "none"
        return f"{self.number}, {self.undecided} {OUTCOMES['inconclusive']}"

    @property
    def advice(self) -> str:
        """Say what less time would do to them, in a sentence or two."""
        of_all = f"Of {number_of(self.number, 'timing')}"
        if not self.number:
            return "Nothing was timed in this run."
        if not self.undecided:
            return f"{of_all} none is undecided in this run, so less time may do: {BUDGETS} set it."
        verb = "is" if self.undecided == 1 else "are"
        return (
            f"{of_all} {self.undecided} {verb} undecided in this run. With less time there could "
            f"be more, so the timings keep theirs; {BUDGETS} set another."
        )


def timings(evidences: Iterable[Evidence]) -> Timings:
    """Count what was timed in this run; records of other machines took none of its time."""
    outcomes = [
        record.outcome
        for evidence in evidences
        for record in evidence.records
        if isinstance(record, Measured) and record.machine is None and record.role == "measurement"
    ]
    return Timings(len(outcomes), outcomes.count("inconclusive"))
