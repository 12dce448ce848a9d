"""The questions about the evidence that the claims use, each written once."""

from typing import Any, Literal

from investigation.claims.rules.launches import OF_LAYOUTS
from investigation.claims.rules.layouts import GROUPS
from investigation.evidence.kinds.correctness import RUNS, Acceptance, Equality, TrainingRun
from investigation.evidence.kinds.deployments import RuntimeProgram, RuntimesTried
from investigation.evidence.kinds.gpus import Launch, SameLaunches
from investigation.evidence.kinds.in_place import LineInPlace
from investigation.evidence.kinds.layouts import BlockLayouts, Layouts, View
from investigation.evidence.kinds.programs import Agreement, CompiledPair, Layer, Survival
from investigation.evidence.kinds.resources import Calls, Memory
from investigation.evidence.kinds.timings import Quantity, Timing, TimingLevel
from investigation.evidence.observation import Dtypes
from investigation.evidence.questions import ANYWHERE, Question, ask
from investigation.subject.memory_formats import MEMORY_FORMATS

BOTH_FORMS = ("expand_as", "broadcast")


def steps(level: TimingLevel, baseline: str, candidate: str) -> Question[Timing]:
    """Ask for a step of the host network in both memory formats."""
    return ask(
        Timing, level=level, quantity="end_to_end", baseline=baseline, candidate=candidate,
        role="measurement", every={"memory_format": MEMORY_FORMATS},
    )  # fmt: skip


def in_place(level: Literal["network", "training_step"]) -> Question[LineInPlace]:
    """Ask what the line adds to a step of the host network in both memory formats."""
    return ask(
        LineInPlace, level=level, baseline="broadcast", candidate="expand_as",
        role="measurement", series="workloads", every={"memory_format": MEMORY_FORMATS},
    )  # fmt: skip


def eager(level: TimingLevel, **fields: Any) -> Question[Timing]:
    """Ask for a part of the network in eager mode, over its workloads, each in one process."""
    usual: dict[str, Any] = {"quantity": "end_to_end", "series": "workloads"}
    return ask(
        Timing, level=level, baseline="broadcast", candidate="expand_as", runtime=None,
        role="measurement", replicated=False, **usual | fields,
    )  # fmt: skip


def multiplies(dtypes: Dtypes, quantity: Quantity = "end_to_end") -> Question[Timing]:
    """Ask for the multiply alone, over the named workloads."""
    return eager("multiply", dtypes=dtypes, quantity=quantity)


def line_memory(dtypes: Dtypes, *, required: bool = True) -> Question[Memory]:
    """Ask for the memory that each form allocates beside its output."""
    return ask(
        Memory, phase="line", dtypes=dtypes, every={"form": BOTH_FORMS}, required=required
    )  # fmt: skip


def agreement(layer: Layer) -> Question[Agreement]:
    """Ask in how many settings the programs agree, for a CPU and for every chip tried."""
    return ask(Agreement, layer=layer, every={"target": ("cpu",)})


# If the line was timed in place, inside the running network, that decides; a whole step is its
# check there, and decides on a GPU.
NETWORK_IN_PLACE, TRAINING_IN_PLACE = in_place("network"), in_place("training_step")
NETWORK = steps("network", "broadcast", "expand_as")
TRAINING = steps("training_step", "broadcast", "expand_as")
RECALIBRATION = steps("network", "no SE blocks", "six SE blocks")
MULTIPLY, MIXED_MULTIPLY = multiplies("same"), multiplies("mixed")
SIZES = eager("multiply", dtypes="same", series="sizes")
EAGER_BLOCKS = eager("block")

VIEW = ask(View)
SAME_MEMORY, MIXED_MEMORY = line_memory("same"), line_memory("mixed")
CALLS = ask(Calls, every={"form": BOTH_FORMS})

REFERENCE = ask(Equality, aspect="reference")
SAME_DTYPE = ask(Equality, aspect="same_dtype")
MIXED_DTYPES = ask(Equality, aspect="mixed_dtypes")
GRADIENTS_OVER_LAYOUTS = ask(Equality, aspect="gradients_over_layouts")
GRADIENTS = ask(
    Equality, aspect="gradients_over_dtypes", every={"setting": ("same", "mixed")}
)  # fmt: skip
SECOND_GRADIENTS = ask(Equality, aspect="second_gradients")
ACCEPTED = ask(Acceptance)
TRAINING_RUNS = ask(TrainingRun, every={"run": RUNS})

SAME_LAUNCHES = ask(SameLaunches, every={"family": OF_LAYOUTS})
SAME_PRODUCTS = ask(SameLaunches, operation="multiply", every={"dtypes": ("same", "mixed")})
SAME_GRADIENTS = ask(SameLaunches, of_a_gradient=True)
PRODUCTS_WITH_EXPAND_AS = ask(Launch, operation="multiply", form="expand_as")

LAYOUTS = ask(Layouts, dtypes="same", every={"group": GROUPS})
NARROW_GATE = ask(Layouts, dtypes="mixed")
BLOCKS = ask(BlockLayouts, every={"memory_format": MEMORY_FORMATS, "detached": (False, True)})

COMPILED_BLOCKS = ask(CompiledPair, level="block")

PROGRAMS = ask(Survival, required=False)
TRIED = ask(RuntimesTried)
EXPORTED = ask(RuntimeProgram, family="exported", required=False)
EXPORTED_BLOCKS = ask(
    Timing, level="block", family="exported", role="measurement", required=False
)  # fmt: skip
REMEDIES = ask(RuntimeProgram, family="remedy", required=False)
REMEDIED_BLOCKS = ask(
    Timing, level="block", family="remedy", role="measurement", required=False
)  # fmt: skip

RELEASED = ask(Timing, level="released_network", role="measurement", machine=ANYWHERE)
