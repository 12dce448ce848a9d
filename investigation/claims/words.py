"""Words that several claims share: who wrote them, where they are decided, what is missing."""

from collections.abc import Mapping

from investigation.claims.claim import Status
from investigation.claims.rules.judging import MINOR
from investigation.evidence.kinds.timings import FAMILY_CONFIDENCE, MARGIN, STEP_CONFIDENCE

# What a verdict means, on every page.
STATUSES: Mapping[Status, str] = {
    "supported": "true wherever it was tried",
    "refuted": "false wherever it was tried",
    "qualified": "true only in the settings named",
    "untested": "this run cannot decide it",
    "done": "what was asked for has been done",
    "not_done": "what was asked for has not been done, or did not hold",
}

TICKET, CODE, DRL, PYTORCH = "ticket", "code review", "DRL review", "PyTorch review"
OURS = "this investigation"

BROADCASTING, STRIDES, LAYOUT, COST, TRAINING, COMPILED, GPU, RUNTIMES, WILD = (
    "01_broadcasting",
    "02_strides",
    "03_channels_last",
    "04_eager_cost",
    "05_training",
    "06_compiled",
    "07_gpu",
    "08_runtimes",
    "10_wild",
)

BUILT = "a run of the compiled chapter, which takes a C++ compiler"
EXPORTED = "a run of the chapter on runtimes, with an exported one among them"
MEASURED_NETWORKS = "`make wild NETWORK=all`, which measures released networks"
TRAINED = "a run of the training chapter"
TIMED = "a run of the timing chapter"

# Parts of rules that several share.
EQUAL = f"shown to be equal within ±{100 * MARGIN:g} %"
LARGE = f"{100 * MINOR:g} %"
MANY = f"With many timings, *slower* and *faster* mean at {100 * FAMILY_CONFIDENCE:g} % confidence."
BOTH_FORMATS = "in both memory formats"
TWO_STEPS = (
    f"A step is judged at {100 * STEP_CONFIDENCE:g} % confidence in each memory format, because "
    "there are two."
)
EDGE = f"The edge of {LARGE} is judged by each timing's own interval."

# What no verdict covers, by what it was decided on.
ELSEWHERE = "Other processors and versions of torch, and devices other than those named."
OTHER_COMPILERS = "Other versions of torch, other compilers, and settings that were not compiled."
OTHER_NETWORKS = (
    "Other networks, trained weights, other inputs and batches, more threads, other processors, "
    "GPUs, and other runtimes or versions."
)
OTHER_PROGRAMS = "Other versions of these programs, other exporters, and runtimes that did not run."
OTHER_RUNTIMES = (
    "Other blocks, more threads, other processors, GPUs, and runtimes or versions that did not run."
)
OTHER_TIMES = "Other processors, more threads, other networks, batches and versions of torch."
OTHER_TRAINING = "Other networks, data, optimisers, batches, more threads and other processors."
