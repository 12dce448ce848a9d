"""What the first page says of the GPUs that were measured, in sentences."""

from collections.abc import Iterable, Mapping, Sequence

from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.timings import Outcome, Timing
from investigation.evidence.questions import Findings, ask
from investigation.evidence.records import Evidence
from investigation.evidence.words import OUTCOMES, listed, number_of
from pipeline.pages.answers import Answer
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
    return f"On {_named(measured)} a step of its network with the line is {_outcomes(timed)}."


def alone(decisions: Iterable[Decision]) -> str:
    """Say where the time of the multiply and of the block goes on GPUs; empty if none was timed."""
    measured = on_gpus(decisions)
    parts = [part for one in measured for part in one.answers if not part.whole]
    if not parts:
        return ""
    device = [part for part in parts if _quantity(part) == "device"]
    whole = [part for part in parts if _quantity(part) == "end_to_end"]
    return (
        f"In eager mode on {_named(measured)}, the multiply or the block alone with the "
        f"line is, from start to finish, {_outcomes(whole)}. The device's own part of it is "
        f"{_outcomes(device)}."
    )


def cause(decisions: Iterable[Decision]) -> str:
    """Say whose time the line costs on GPUs; empty where the timings do not tell."""
    parts = [part for one in on_gpus(decisions) for part in one.answers if not part.whole]
    device = {part.outcome for part in parts if _quantity(part) == "device"}
    host = {part.outcome for part in parts if _quantity(part) == "host"}
    if device != {"equivalent"} or "slower" not in host or "faster" in host:
        return ""
    return (
        "So what the line costs there is the host's time: one more call, which launches nothing. "
        "It shows where the device waits for its host. It is hidden where the host is ahead, and "
        "a captured graph does not repeat it."
    )


def with_torch(findings: Findings, recorded: Mapping[str, Evidence]) -> str:
    """Name every GPU that was measured, with the torch of a recorded one; empty without any."""
    return listed([_with_torch(machine, findings, recorded) for machine in findings.machines])


def _with_torch(machine: str, findings: Findings, recorded: Mapping[str, Evidence]) -> str:
    name = findings.answer(ask(DeviceFacts, machine=machine)).device_name
    if machine not in recorded:
        return f"{name} (in this run)"
    return f"{name} (recorded, torch {recorded[machine].environment.torch})"


def _named(decisions: Sequence[Decision]) -> str:
    names = dict.fromkeys(decision.setting.device for decision in decisions)
    return listed([f"an {name}" if name.startswith("NVIDIA") else f"a {name}" for name in names])


def _quantity(answer: Answer) -> str | None:
    return answer.timing.quantity if isinstance(answer.timing, Timing) else None


def _outcomes(answers: Sequence[Answer]) -> str:
    """Count the outcomes for the line, and name the largest difference in either direction."""
    outcomes: tuple[Outcome, ...] = ("slower", "faster", "equivalent", "inconclusive")
    found = {outcome: [one for one in answers if one.outcome == outcome] for outcome in outcomes}
    counted = [f"{OUTCOMES[outcome]} in {len(some)}" for outcome, some in found.items() if some]
    extremes = [
        f"; {name} is {pick(some, key=_ratio).change}"
        for name, pick, some in (
            ("the most", max, found["slower"]),
            ("the least", min, found["faster"]),
        )
        if some
    ]
    return f"{listed(counted)} of {number_of(len(answers), 'timing')}{''.join(extremes)}"


def _ratio(answer: Answer) -> float:
    return answer.timing.ratio
