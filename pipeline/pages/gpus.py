"""What the first page says of the GPUs that were measured, in sentences."""

from collections.abc import Iterable, Mapping, Sequence

from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.timings import Quantity, Timing
from investigation.evidence.questions import Findings, ask
from investigation.evidence.records import Evidence
from investigation.evidence.words import confidences, listed
from pipeline.pages.answers import Answer, outcomes
from pipeline.pages.decisions import Decision
from pipeline.pages.settings import CPU, GPU

NOTHING = "On a GPU, nothing was measured."


def on_gpus(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the decisions about GPUs that were measured."""
    return [decision for decision in decisions if decision.setting.device not in (CPU, GPU)]


def steps(decisions: Iterable[Decision]) -> list[Answer]:
    """Return the steps of a whole network that were timed on GPUs."""
    return [step for decision in on_gpus(decisions) for step in decision.wholes]


def of_the_network(decisions: Iterable[Decision]) -> str:
    """Say what the steps of the ticket's own network came to on the GPUs that were measured."""
    measured = on_gpus(decisions)
    timed = steps(measured)
    if not timed:
        return NOTHING
    return (
        f"On {_named(measured)} a step of its network is {outcomes(timed)}, "
        f"at {confidences(step.timing for step in timed)}."
    )


def alone(answers: Iterable[Answer]) -> str:
    """Say where the time of the multiply and of the block goes on GPUs; empty if none was timed."""
    timed = list(answers)
    whole = parts(timed, "end_to_end")
    if not whole:
        return ""
    return (
        "On a GPU a call of the multiply or of the block is "
        f"{outcomes(whole)}; the device's own part is {outcomes(parts(timed, 'device'))}."
    )


def cause(answers: Iterable[Answer]) -> str:
    """Say whose time the line costs on GPUs; empty where the timings do not tell."""
    timed = list(answers)
    device, host = (
        {part.outcome for part in parts(timed, quantity)} for quantity in ("device", "host")
    )
    if device != {"equivalent"} or "slower" not in host or "faster" in host:
        return ""
    return (
        "So what the line costs there is the host's time, for a view that launches nothing. "
        "A captured graph does not repeat it. A training step has no device time here, so whose "
        "time it takes is not shown. Other networks and compiled programs were not timed on a GPU."
    )


def parts(answers: Iterable[Answer], quantity: Quantity) -> list[Answer]:
    """Return the timings on GPUs of one quantity, those of whole networks apart."""
    return [
        answer
        for answer in answers
        if answer.setting.device not in (CPU, GPU)
        and not answer.whole
        and isinstance(answer.timing, Timing)
        and answer.timing.quantity == quantity
    ]


def with_torch(findings: Findings, recorded: Mapping[str, Evidence]) -> str:
    """Name every GPU that was measured, with the torch of recorded ones; empty without any."""
    names: dict[str, list[str]] = {}
    for machine in findings.machines:
        name = findings.answer(ask(DeviceFacts, machine=machine)).device_name
        names.setdefault(_how(machine, recorded), []).append(name)
    return listed([f"{listed(some)} ({how})" for how, some in names.items()])


def _how(machine: str, recorded: Mapping[str, Evidence]) -> str:
    if machine not in recorded:
        return "in this run"
    return f"recorded, torch {recorded[machine].environment.torch}"


def _named(decisions: Sequence[Decision]) -> str:
    names = dict.fromkeys(decision.setting.device for decision in decisions)
    return listed([f"an {name}" if name.startswith("NVIDIA") else f"a {name}" for name in names])
