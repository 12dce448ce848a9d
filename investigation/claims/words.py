"""Words that several claims share: who wrote them, where they are decided, what it would take."""

from investigation.evidence.kinds.timings import FAMILY_CONFIDENCE

TICKET, CODE, DRL, PYTORCH = "ticket", "code review", "DRL review", "PyTorch review"
OURS = "this investigation"

BROADCASTING, STRIDES, LAYOUT, COST, TRAINING, COMPILED, GPU, RUNTIMES = (
    "01_broadcasting",
    "02_strides",
    "03_channels_last",
    "04_eager_cost",
    "05_training",
    "06_compiled",
    "07_gpu",
    "08_runtimes",
)

BUILT = "a run of the compiled chapter, which takes a C++ compiler"
EXPORTED = "a run of the chapter on runtimes, with an exported one among them"
FAMILY = f"each judged at {100 * FAMILY_CONFIDENCE:g} %, because there are many"
TRAINED = "a run of the training chapter in which the comparison is conclusive"
TIMED = "a run of the timing chapter in which the comparison is conclusive"
