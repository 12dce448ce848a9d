"""When and why rules changed: the record that every verdict's page shows.

The dates are those of the changes to this project. A rule is fixed before the run that it judges;
some rules changed after something was measured, and this record names them.
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
    "An undecided network leaves the claim untested.",
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
    "The training chapter was added. In its first runs some losses were the same and some not.",
)
PROGRAMS = Change(
    date(2026, 11, 23),
    "Counts operations of compiled and exported programs, not only calls in the profiler.",
    "The chapter on torch.compile was added; a profiler does not see inside a kernel.",
)
MULTIPLY_ALONE = Change(
    date(2026, 11, 23),
    "For a multiply alone, the number of kernels decides.",
    "The first compiled programs showed that a multiply alone has nothing to be fused with.",
)
OURS = Change(date(2026, 11, 23), "First version.", "Written with the chapter on runtimes.")
SAME_STEPS = Change(
    date(2026, 11, 23),
    "Requires the steps of the changed source, not only as few bytes.",
    "A first remedy wrote no more bytes and still ran other steps.",
)
WILD = Change(
    date(2026, 11, 25), "First version.", "Written before the first run of released networks."
)

MARGIN = Change(
    date(2026, 11, 25),
    "Slower or faster: the whole interval is beyond the margin. Equal: all of it is inside.",
    "An interval just above 1 that reached over the margin counted as slower. So noise could turn "
    "supported into refuted.",
)
IN_PLACE = Change(
    date(2026, 11, 25),
    "The network's step is judged by the line's own time in it; whole steps are its check.",
    "The noise of whole steps hid what the line adds to them.",
)
BOTH_WAYS = Change(
    date(2026, 11, 25),
    "A step that is faster with the call counts too.",
    "The rule used one direction only. A network that was 3 % faster counted as within 1 %.",
)
SHOWN = Change(
    date(2026, 11, 25),
    "Equal times have to be shown. An undecided timing leaves the claim untested.",
    "Times had counted as equal because no difference was seen.",
)
EVERY_PART = Change(
    date(2026, 11, 25),
    "The SE block and the multiply over sizes count too.",
    "They had been measured, but no rule used them.",
)
LARGE = Change(
    date(2026, 11, 25),
    "“Minor” is judged in every timing. A network that is 10 % slower or more refutes the claim.",
    "The rule had required a minor cost only with two dtypes or in an exported program.",
)
GRADIENTS = Change(
    date(2026, 11, 25),
    "Gradients count too, first and second order.",
    "With one dtype second-order gradients differed, but the verdict said that all is the same.",
)
LAYOUT_GRADIENTS = Change(
    date(2026, 11, 25),
    "The training chapter's gradients over layouts count too.",
    "They had been compared, but no rule used them.",
)
NARROW_LAYOUTS = Change(
    date(2026, 11, 27),
    "The product's strides with a gate of lower precision count too. They can qualify the claim.",
    "All layouts had been compared with one dtype. A search over two dtypes then found strides "
    "that differ.",
)
ONE_DTYPE_LAYOUTS = Change(
    date(2026, 11, 27),
    "Asks for one dtype; two dtypes belong to T4.",
    "What was compared had one dtype, and the rule did not say so.",
)
SAME_DTYPE_MEMORY = Change(
    date(2026, 11, 25),
    "The line's memory with one dtype counts too.",
    "The rule said “every setting tried”, but used one of two.",
)
BITS = Change(
    date(2026, 11, 25),
    "Output bits of two dtypes count too. The verdict names only what changes.",
    "The verdict had named memory and shapes even if only one of them changed.",
)
ELIDED = Change(
    date(2026, 11, 25),
    "Requires no additional kernel and no additional tensor, in more than half of the settings.",
    "The rule had required identical kernels, as P3 claims, and had ignored “typically”.",
)
FULL_SIZE = Change(
    date(2026, 11, 26),
    "Counts additional tensors as large as the input, not those of every size.",
    "An expansion that is written out is as large as the input. Counting every tensor, a small one "
    "more hid in the number, and one of full size in the place of a small one did not show.",
)
TYPICALLY = Change(
    date(2026, 11, 25),
    "More than half of the settings are enough.",
    "The rule had ignored “typically”.",
)
REQUEST = Change(
    date(2026, 11, 25),
    "A request is done or not done.",
    "It had been supported or refuted, as if it were a statement.",
)
CHEAP = Change(
    date(2026, 11, 25),
    "Names the formats that are over 10 %. Undecided formats leave the claim untested.",
    "A format that was clearly over 10 % had been called “cheap or undecided”.",
)
TELLS = Change(
    date(2026, 11, 25),
    "Asks whether the longer line tells what `x * y` does not.",
    "The rule had tested “enforces” instead of “documents”.",
)
COUNTED = Change(
    date(2026, 11, 25),
    "Counts programs, and says how many runtimes they belong to.",
    "Two ways to one runtime had counted as two runtimes.",
)
ONE_DTYPE_TOO = Change(
    date(2026, 11, 26),
    "Memory and output bits of one dtype count too.",
    "The rule said “with one dtype and with two”, but used those of two only.",
)
NOWHERE_ELSE = Change(
    date(2026, 11, 26),
    "Takes a timing of a program that does not write the expansion.",
    "Where every program wrote it, “only then” was supported by nothing.",
)
A_BLOCK = Change(
    date(2026, 11, 26),
    "Takes a block that was compiled.",
    "A multiply alone has nothing to be fused with, but was enough to support the claim.",
)
KERNELS_TEXT = Change(
    date(2026, 11, 26),
    "Looks for the sigmoid in the kernel's text, not only in its name.",
    "Under torch 2.4 a kernel's name leaves out the sigmoid that the kernel computes.",
)
EACH_SIZE = Change(
    date(2026, 11, 25),
    "Judges every program at every workload, in both directions, without the tolerance of 5 %.",
    "A program that was slower at one workload counted as slower, even if it was faster at the "
    "others. And two copies of one program differed by more than the tolerance.",
)
