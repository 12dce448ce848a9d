"""When and why rules changed: the record that every verdict's page shows.

The dates are those of the changes to this project. A rule is fixed before the run that it judges;
it was not always fixed before anything was measured, and this record says where it was not.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Change:
    """One change of a rule: the day, what changed, and why."""

    date: date
    what: str
    why: str


FIRST = Change(date(2026, 11, 22), "First version.", "Written with the first chapters.")
MANY = Change(
    date(2026, 11, 23),
    "A multiply counts as slower at 99.9 % confidence, not at 95 %.",
    "The first runs compared thirty multiplies; at 95 %, chance alone makes some of them slower.",
)
UNCLEAR = Change(
    date(2026, 11, 23),
    "An inconclusive network leaves the claim untested.",
    "In first runs the network's interval was too wide to decide anything.",
)
TRAINING_STEP = Change(
    date(2026, 11, 23),
    "A training step counts too.",
    "The training chapter was added and measured one.",
)
RUNTIMES = Change(
    date(2026, 11, 23),
    "Exported programs count too.",
    "The chapter on runtimes was added; its first runs found copies there.",
)
D1_FORMATS = Change(
    date(2026, 11, 23),
    "Both memory formats, each at 97.5 %; the share of training runs with the same losses.",
    "The training chapter was added, and its first runs had some equal and some parted losses.",
)
PROGRAMS = Change(
    date(2026, 11, 23),
    "Counts operations of compiled and exported programs, not profiler calls alone.",
    "The chapter on torch.compile was added; a profiler does not see inside a kernel.",
)
MULTIPLY_ALONE = Change(
    date(2026, 11, 23),
    "Where the multiply is all there is, the number of kernels decides.",
    "The first compiled programs showed that a multiply alone has nothing to be fused with.",
)
OURS = Change(date(2026, 11, 23), "First version.", "Written with the chapter on runtimes.")
SAME_STEPS = Change(
    date(2026, 11, 23),
    "Asks for the steps of the changed source, not only for as few bytes.",
    "A first remedy wrote no more bytes and still ran other steps.",
)
