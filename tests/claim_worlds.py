"""Planted worlds for every rule, as data: what is planted, and the status that must come out.

`FLIPS` holds worlds that differ in other things than time. `EDGES` holds, for every
question about time, what each outcome comes to: a test plants it on both sides of every edge.
"""

from worlds import (
    COPIES_MIXED,
    COPIES_SAME,
    SLOW_EXPORTED,
    SLOW_MIX,
    WRITES,
    agreement,
    block,
    block_in,
    block_tensors,
    calls,
    equality,
    gradients,
    grown,
    in_place,
    mixed_dtypes,
    mixed_multiply,
    multiply,
    network,
    of_size,
    pairings,
    parting,
    program,
    recalibration,
    released,
    second_gradients,
    survival,
    training_step,
    view,
)

from investigation.evidence.kinds.correctness import RUNS


def in_place_as(step):
    """The line in place, adding as much to a step as a timing of the whole step shows."""
    low, high = step.interval
    (record,) = in_place(step.level, (low + high) / 2, (high - low) / 2, (step.memory_format,))
    return record


XNNPACK = "executorch_xnnpack"
# What each claim comes to in the plain world.
PLAIN = {
    "T1": "qualified", "T2": "supported", "T3": "supported", "T4": "refuted", "T5": "qualified",
    "T6": "refuted", "T7": "supported", "C1": "supported", "C2": "supported", "C3": "supported",
    "C4": "supported", "D1": "supported", "D2": "supported", "D3": "supported", "D4": "done",
    "P1": "supported", "P2": "supported", "P3": "supported", "P4": "refuted", "P5": "supported",
    "V1": "supported", "V2": "supported", "V3": "supported",
    "X1": "refuted", "X2": "untested", "X3": "supported",
    "X4": "refuted",
}  # fmt: skip

# The worlds with another verdict, and words that its sentence must then hold.
# From before the tensors were measured: it counts all of them.
OLDER = agreement("elided").model_copy(update={"tensors": None})

FLIPS = [
    ("T1", [COPIES_MIXED], "qualified", "one dtype it is a view without memory. It owns memory"),
    ("T1", [COPIES_SAME, COPIES_MIXED], "qualified", "with one dtype and with two dtypes"),
    ("T1", [COPIES_SAME], "qualified", "owns memory with one dtype"),
    ("T1", [view(is_view=False)], "refuted", "no more memory"),
    ("T1", [WRITES], "qualified", "1 of 2 exported programs (1 of 2 runtimes)"),
    ("T1", [COPIES_SAME, COPIES_MIXED, WRITES], "qualified", "1 of 2 exported programs"),
    (
        "T1",
        [COPIES_SAME, COPIES_MIXED, WRITES, program("compiler", 2**24)],
        "supported",
        "in every setting tried",
    ),
    ("T2", [view(is_view=False)], "refuted", "does not return a view"),
    ("T2", [equality("same_dtype", 16, 1)], "refuted", "other bits"),
    ("T3", [equality("reference", 1, 1)], "refuted", "differs from an explicit loop"),
    ("T4", [pairings("ordinary", 1)], "supported", "differ in 1 cases"),
    ("T4", [block_tensors("channels_last", detached=True, differing=1)], "supported", "1 cases"),
    ("T4", [equality("gradients_over_layouts", 90, 2)], "supported", "2 cases"),
    (
        "T4",
        [pairings("narrow_gate", 2, convolved=1)],
        "qualified",
        "product differ in 2 of 9 pairings",
    ),
    ("T4", [pairings("narrow_gate", 2), pairings("volumes", 1)], "supported", "differ in 1 cases"),
    ("T5", [calls("expand_as", 1)], "refuted", "1 ATen calls with `expand_as` and 1 without"),
    ("T5", [survival("torch.compile", True)], "supported", "operation runs in 1 of 1 compiled"),
    ("T5", [survival("torch.export", True)], "qualified", "runs in 1 of 2 compiled"),
    (
        "T5",
        [survival("torch.export", True), calls("expand_as", 1)],
        "qualified",
        "makes 1 ATen calls",
    ),
    ("T6", network(1.04), "supported", "Minor: slower in 2 of 8 timings"),
    ("T6", [multiply(1.05)], "supported", "nowhere by 10 %"),
    ("T6", network(1.2), "refuted", "forward step is 10 % slower or more"),
    ("T6", [SLOW_MIX], "qualified", "by 10 % or more in 1: two dtypes"),
    ("T6", [of_size(1.8), SLOW_EXPORTED], "qualified", "in 2: over sizes and exported"),
    ("T6", [multiply(1.1, width=0.02)], "untested", "Not decided: slower in 1 of 8"),
    ("T7", [equality("same_dtype", 16, 1)], "refuted", "differ for input and gate of one dtype"),
    ("T7", [grown(5)], "qualified", "accepts 5 more gate shapes"),
    ("T7", [mixed_dtypes(27)], "qualified", "27 of 180 pairs"),
    ("T7", [second_gradients(8)], "qualified", "8 tensors where a gradient is differentiated"),
    ("T7", [gradients(differing=14)], "qualified", "gradients in 14 of 60"),
    ("C1", network(1.02), "refuted", "is slower with `expand_as`"),
    ("C1", network(0.97), "refuted", "is faster with `expand_as`"),
    ("C1", [equality("same_dtype", 16, 1)], "refuted", "Not correct"),
    ("C1", [SLOW_MIX], "qualified", "10 % slower or more in 1 of 1 timings"),
    ("C2", [view(shares_storage=False)], "refuted", "not return a view without memory"),
    ("C2", [view(bytes_allocated=4)], "refuted", "not return a view without memory"),
    ("C4", network(1.02), "refuted", "measurable in a whole step"),
    ("C4", [multiply(1.05)], "qualified", "a measurable one in 1 of 4 timings"),
    ("C4", training_step(1.02), "refuted", "measurable in a whole step"),
    ("C4", training_step(width=0.05), "untested", "is undecided"),
    (
        "C4",
        [block(width=0.05)],
        "untested",
        "1 of 4 timings of the multiply or",
    ),
    ("D1", training_step(1.02, formats=("channels_last",)), "refuted", "is slower"),
    ("D1", training_step(0.97), "refuted", "is faster"),
    ("D1", training_step(width=0.05), "untested", "undecided"),
    ("D1", parting("gate_bfloat16"), "qualified", "differ in 1 of 6 runs (gate_bfloat16)"),
    ("D1", parting(*RUNS), "refuted", "differ in every run"),
    ("D2", [view(bytes_allocated=4)], "refuted", "memory of its own"),
    ("D2", recalibration(1.3), "qualified", "more than 10 % in contiguous and channels_last"),
    (
        "D2",
        recalibration(1.3, formats=("channels_last",)),
        "qualified",
        "add less than 10 % in contiguous and more than 10 % in channels_last",
    ),
    ("D2", recalibration(1.09, width=0.02, formats=("contiguous",)), "untested", "undecided"),
    ("C3", [agreement("elided", 44)], "qualified", "in 44 of 88 settings tried, for 1 target"),
    ("C3", [agreement("elided", 44, "gpu")], "qualified", "in 132 of 176"),
    ("C3", [agreement("elided", 0)], "refuted", "in 0 of 88"),
    ("C3", [OLDER], "supported", "no additional kernel and no additional tensor in 88 of 88"),
    ("D3", [agreement("fused", 44)], "qualified", "in 44 of 88"),
    ("D3", [agreement("fused", 0)], "refuted", "in 0 of 88"),
    ("P3", [agreement("source", 87)], "qualified", "in 87 of 88"),
    ("P3", [agreement("source", 0)], "refuted", "in 0 of 88"),
    ("D4", [pairings("channels_last", 1)], "not_done", "not identical: 1 cases differ"),
    ("D4", [block_tensors("channels_last", differing=2)], "not_done", "2 cases"),
    ("P1", network(1.02), "refuted", "is slower with `expand_as`"),
    ("P1", network(0.97), "refuted", "is faster with `expand_as`"),
    ("P1", [SLOW_MIX], "qualified", "10 % slower or more in 1 of 1 timings"),
    ("P2", [COPIES_MIXED], "qualified", "With two dtypes the line requests memory"),
    ("P2", [COPIES_SAME, COPIES_MIXED], "qualified", "With one dtype and two dtypes"),
    ("P2", [view(bytes_allocated=4)], "refuted", "not return a view without memory"),
    ("P4", [grown(5)], "supported", "with 5 of 16 gate shapes"),
    ("P5", network(1.02), "refuted", "is slower with `expand_as`"),
    ("P5", network(0.97), "refuted", "is faster with `expand_as`"),
    ("P5", network(width=0.05), "untested", "undecided"),
    ("P5", [COPIES_MIXED], "qualified", "it changes memory with two dtypes."),
    ("P5", [COPIES_SAME], "qualified", "it changes memory with one dtype."),
    ("P5", [equality("same_dtype", 16, 3)], "qualified", "changes bits (3 of 16 dtypes)."),
    ("P5", [grown(5)], "qualified", "it changes a shape check (5 of 16 gate shapes)."),
    ("P5", [mixed_dtypes(27)], "qualified", "it changes bits (27 of 180 pairs of two dtypes)."),
    ("V1", [equality("same_dtype", 16, 1)], "refuted", "differ"),
    ("V1", [mixed_dtypes(27)], "qualified", "27 of 180"),
    ("V2", [pairings("narrow_gate", 2)], "qualified", "product differ in 2 of 9 pairings"),
    ("V2", [pairings("ambiguous", 2)], "refuted", "2 cases"),
    ("V2", [equality("gradients_over_layouts", 90, 2)], "refuted", "2 cases"),
    ("V3", network(1.02), "refuted", "is slower with `expand_as`"),
    ("V3", network(0.97), "refuted", "is faster with `expand_as`"),
    ("V3", [multiply(1.05)], "qualified", "1 are slower and 0 faster"),
    ("V3", [multiply(0.95)], "qualified", "0 are slower and 1 faster"),
    (
        "V3",
        [of_size(width=0.05)],
        "untested",
        "the block alone 1 are undecided",
    ),
    ("X1", [WRITES], "qualified", "1 of 2 exported programs write"),
    ("X1", [WRITES, program("compiler", -8)], "qualified", "1 of 2 exported programs write"),
    ("X1", [WRITES, program("compiler", 8)], "supported", "(2 of 2 runtimes)"),
    ("X1", [WRITES, program("eager", 0, "pytorch")], "qualified", "1 of 2 exported"),
    ("X2", [WRITES], "refuted", "No program that writes it is slower"),
    ("X2", [WRITES, block_in("library", 0.8)], "refuted", "1 faster of 1 timings"),
    ("X2", [WRITES, SLOW_EXPORTED], "supported", "Others: 1 equal of 1"),
    (
        "X2",
        [WRITES, SLOW_EXPORTED, program("compiler", 2**24), block_in("compiler", 1.2)],
        "untested",
        "Others: none of 0.",
    ),
    (
        "X2",
        [WRITES, SLOW_EXPORTED, block_in("compiler", 0.8)],
        "supported",
        "Others: 1 faster of 1",
    ),
    (
        "X2",
        [WRITES, SLOW_EXPORTED, block_in("compiler", 1.2)],
        "qualified",
        "Others: 1 slower of 1",
    ),
    (
        "X2",
        [WRITES, SLOW_EXPORTED, block_in("compiler", 0.8), program("compiler", 2**24)],
        "qualified",
        "Faster with it at some workloads: compiler.",
    ),
    ("X3", [program("mend", 2**24, "remedy")], "refuted", "Not as good: 1"),
    ("X3", [program("mend", 0, "remedy", equal=False)], "refuted", "Not as good: 1"),
    ("X3", [block_in("mend", 1.3, family="remedy")], "refuted", "Not as good: 1"),
    ("X3", [block_in("mend", width=0.05, family="remedy")], "untested", "in time: 1"),
    (
        "X3",
        [program("rule", 8, "remedy"), block_in("rule", family="remedy")],
        "qualified",
        "changed source: 1 of 2",
    ),
    (
        "X4",
        [released("one_net", XNNPACK, 1.2), released("other_net", XNNPACK, 1.2)],
        "supported",
        "2 slower (ExecuTorch (XNNPACK): one_net and other_net).",
    ),
    (
        "X4",
        [released("one_net", XNNPACK, 1.2), released("other_net", XNNPACK, 0.8)],
        "qualified",
        "1 slower (ExecuTorch (XNNPACK): one_net) and 1 faster (ExecuTorch (XNNPACK): other",
    ),
]

MARGIN, MINOR = 1.01, 1.10
NOTHING = ()
# For each edge: what is planted around it, beside what, and the claims' verdicts if the
# comparison is equal (or below the edge), undecided, slower and faster; None is not checked.
EDGES = [
    (network, NOTHING, MARGIN, {
        "T6": ("refuted", "untested", "supported", "refuted"),
        "C1": ("supported", "untested", "refuted", "refuted"),
        "C4": ("supported", "untested", "refuted", "supported"),
        "P1": ("supported", "untested", "refuted", "refuted"),
        "P5": ("supported", "untested", "refuted", "refuted"),
        "V3": ("supported", "untested", "refuted", "refuted"),
    }),
    (training_step, NOTHING, MARGIN, {
        "C4": ("supported", "untested", "refuted", "supported"),
        "D1": ("supported", "untested", "refuted", "refuted"),
    }),
    *((plant, NOTHING, MARGIN, {
        "T6": ("refuted", "untested", "supported", "refuted"),
        "C4": ("supported", "untested", "qualified", "supported"),
        "V3": ("supported", "untested", "qualified", "qualified"),
    }) for plant in (multiply, of_size, block, mixed_multiply)),
    (mixed_multiply, NOTHING, MINOR, {
        "T6": ("supported", "untested", "qualified", None),
        "C1": ("supported", "untested", "qualified", None),
        "P1": ("supported", "untested", "qualified", None),
    }),
    (network, NOTHING, MINOR, {"T6": ("supported", "untested", "refuted", None)}),
    (recalibration, NOTHING, MINOR, {"D2": ("supported", "untested", "qualified", None)}),
    (lambda ratio, width: block_in("library", ratio, width=width), NOTHING, MARGIN, {
        "T6": ("refuted", "untested", "supported", "refuted"),
    }),
    (lambda ratio, width: block_in("library", ratio, width=width), (WRITES,), MARGIN, {
        "X2": ("refuted", "untested", "supported", "refuted"),
    }),
    (lambda ratio, width: block_in("compiler", ratio, width=width), (WRITES, SLOW_EXPORTED), MARGIN,
     {"X2": ("supported", "untested", "qualified", "supported")}),
    (lambda ratio, width: block_in("mend", ratio, width=width, family="remedy"), NOTHING, MARGIN, {
        "X3": ("supported", "untested", "refuted", "supported"),
    }),
    (lambda ratio, width: released("one_net", XNNPACK, ratio, width=width), NOTHING, MARGIN, {
        "X4": ("refuted", "untested", "qualified", "refuted"),
    }),
]  # fmt: skip
