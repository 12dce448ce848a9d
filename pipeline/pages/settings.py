"""The settings that the line runs in, and the questions about each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from investigation.claims import questions
from investigation.evidence.kinds.deployments import RuntimeProgram
from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.in_place import LineInPlace
from investigation.evidence.kinds.programs import Agreement
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.kinds.timings import Quantity, Timing, TimingLevel
from investigation.evidence.questions import Findings, Question, ask

ONE_DTYPE, TWO_DTYPES = "PyTorch eager, one dtype", "PyTorch eager, two dtypes"
TRAINING, TRAINING_MIXED = "training, one dtype", "training, two dtypes"
COMPILED = "torch.compile"
CPU, GPU = "a CPU", "a GPU"

Mode = Literal["inference", "training"]
# Of a timing, or of what the line timed in place adds to a step.
Timed = Mapping[str, Question[Any]]
FORWARD, TRAINED = "a forward step of the host network", "a training step of the host network"


@dataclass(frozen=True)
class Setting:
    """A setting that the line runs in, and the questions about it.

    `wholes` and `parts` ask for timings, each under words for what was timed: a step of a whole
    network, on a CPU by the line timed in place, or a part of one. `memory` asks for the bytes that
    each form asks for beside its output; `written` for the bytes that a program writes more; `same`
    for the settings in which both forms become the same kernels. `beside` asks for timings that are
    shown and do not enter the decision: in so many processes that they cannot be judged as one of
    many, with more threads than the run has, or of a part of a call on a GPU. `chapter` measures
    it, on `device`.
    """

    name: str
    chapter: str
    device: str = CPU
    wholes: Timed = field(default_factory=dict)
    parts: Timed = field(default_factory=dict)
    beside: Timed = field(default_factory=dict)
    memory: Question[Memory] | None = None
    written: Question[RuntimeProgram] | None = None
    same: Question[Agreement] | None = None


def _alone(level: TimingLevel, **fields: Any) -> Question[Timing]:
    """Ask for the line against its rewrite in eager mode, as it stands."""
    usual: dict[str, Any] = {"quantity": "end_to_end", "runtime": None, "role": "measurement"}
    usual["series"] = "workloads"
    forms = {"baseline": "broadcast", "candidate": "expand_as"}
    return ask(Timing, level=level, **usual | forms | fields)


def _threaded(level: TimingLevel, **fields: Any) -> Question[Timing]:
    return _alone(level, series="threads", **fields)


def _compiled(level: TimingLevel, mode: Mode = "inference") -> Question[Timing]:
    return ask(Timing, level=level, mode=mode, runtime="compile", family=None, role="measurement")


def _in_runtime(slug: str, family: str) -> Question[Timing]:
    return ask(Timing, level="block", runtime=slug, family=family, role="measurement")


PYTORCH = (
    Setting(
        ONE_DTYPE,
        "04_eager_cost",
        wholes={FORWARD: questions.NETWORK_IN_PLACE},
        parts={
            "the multiply": questions.MULTIPLY,
            "the SE block": _alone("block"),
            "the multiply, over sizes": _alone("multiply", series="sizes"),
            "the SE block (timed in the runtimes chapter)": _in_runtime("eager", "pytorch"),
        },
        beside={
            "the multiply, in several processes": _alone("multiply", replicated=True),
            "the multiply, more threads": _threaded("multiply", dtypes="same"),
            "the SE block, more threads": _threaded("block", dtypes="same"),
            f"{FORWARD}, more threads": ask(LineInPlace, level="network", series="threads"),
        },
        memory=questions.SAME_MEMORY,
    ),
    Setting(
        TWO_DTYPES,
        "04_eager_cost",
        parts={"the multiply": questions.MIXED_MULTIPLY},
        beside={"the multiply, more threads": _threaded("multiply", dtypes="mixed")},
        memory=questions.MIXED_MEMORY,
    ),
    Setting(
        TRAINING,
        "05_training",
        wholes={TRAINED: questions.TRAINING_IN_PLACE},
        parts={"the multiply, forward and backward": _alone("scale_step", dtypes="same")},
    ),
    Setting(
        TRAINING_MIXED,
        "05_training",
        parts={"the multiply, forward and backward": _alone("scale_step", dtypes="mixed")},
        memory=ask(Memory, phase="backward", dtypes="mixed", required=False),
    ),
    Setting(
        COMPILED,
        "06_compiled",
        parts={
            "the multiply, compiled": _compiled("multiply"),
            "the multiply, compiled for training": _compiled("multiply", "training"),
            "the SE block, compiled": _compiled("block"),
            "the SE block, compiled for training": _compiled("block", "training"),
            "the SE block (timed in the runtimes chapter)": _in_runtime("compile", "pytorch"),
        },
        same=ask(Agreement, layer="kernels", target="cpu"),
    ),
)
NO_GPU = Setting(ONE_DTYPE, "07_gpu", GPU)
EXPORTED = Setting("exported runtimes", "08_runtimes")


def settings(findings: Findings) -> tuple[Setting, ...]:
    """Return every setting: PyTorch's own, each exported program, and each GPU measured."""
    exported = tuple(_exported(answer) for answer in findings.answers(questions.EXPORTED))
    gpus = tuple(setting for machine in findings.machines for setting in _on_gpu(machine, findings))
    return (*PYTORCH, *(exported or (EXPORTED,)), *(gpus or (NO_GPU,)))


def _exported(program: RuntimeProgram) -> Setting:
    return Setting(
        program.title,
        EXPORTED.chapter,
        parts={"the SE block": _in_runtime(program.runtime, "exported")},
        written=ask(RuntimeProgram, runtime=program.runtime),
    )


# Of a call on a GPU: as a whole, which decides, and in the parts that are shown beside it.
WHOLE: Mapping[str, Quantity] = {"from start to finish": "end_to_end"}
IN_PARTS: Mapping[str, Quantity] = {"the device's work": "device", "the host's part": "host"}


def _on_gpu(machine: str, findings: Findings) -> tuple[Setting, ...]:
    """Return the settings of one GPU that was measured."""
    device = findings.answer(ask(DeviceFacts, machine=machine)).device_name
    return (
        Setting(
            ONE_DTYPE,
            NO_GPU.chapter,
            device,
            {FORWARD: questions.NETWORK.on(machine)},
            _one_dtype(machine, WHOLE),
            _one_dtype(machine, IN_PARTS),
            memory=questions.SAME_MEMORY.on(machine),
        ),
        Setting(
            TWO_DTYPES,
            NO_GPU.chapter,
            device,
            parts=_of_call(machine, WHOLE, "multiply", "the multiply", dtypes="mixed"),
            beside=_of_call(machine, IN_PARTS, "multiply", "the multiply", dtypes="mixed"),
            memory=questions.MIXED_MEMORY.on(machine),
        ),
        Setting(TRAINING, NO_GPU.chapter, device, {TRAINED: questions.TRAINING.on(machine)}),
    )


def _one_dtype(machine: str, quantities: Mapping[str, Quantity]) -> Timed:
    multiply = _of_call(machine, quantities, "multiply", "the multiply", dtypes="same")
    return {**multiply, **_of_call(machine, quantities, "block", "the SE block")}


def _of_call(
    machine: str,
    quantities: Mapping[str, Quantity],
    level: TimingLevel,
    words: str,
    **fields: Any,
) -> Timed:
    return {
        f"{words}, {what}": _alone(level, quantity=quantity, **fields).on(machine)
        for what, quantity in quantities.items()
    }
