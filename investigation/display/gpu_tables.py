"""Tables of the GPU chapter: what was measured on each machine, beside what was predicted."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from investigation.display.outcomes import NOT_TIMED, counted
from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.timings import Quantity, Timing
from investigation.evidence.questions import Findings, Question, ask
from investigation.evidence.sealed.gpu_plan import QUANTITIES_OF, STEPS
from investigation.evidence.words import (
    added,
    change,
    confidences,
    microseconds,
    outcome_of,
    percent,
)
from investigation.gpu.prediction import device_s
from investigation.subject.cases import Case
from investigation.subject.gpu_catalog import Card, card_called
from investigation.subject.memory_formats import MEMORY_FORMATS

TIMED: Mapping[str, Mapping[str, Any]] = {
    "the multiply, one dtype": {"level": "multiply", "dtypes": "same"},
    "the multiply, two dtypes": {"level": "multiply", "dtypes": "mixed"},
    "the SE block": {"level": "block"},
    "the network's forward step": {"level": "network"},
    "the network's training step": {"level": "training_step"},
}
QUANTITIES_IN_SHORT: Mapping[str, Quantity] = {
    "the host's part": "host",
    "the device's part": "device",
    "from start to finish": "end_to_end",
}


def multiplies(findings: Findings, machine: str) -> list[tuple[Case, Timing]]:
    """Return the device's times of the multiply of one dtype, with their cases."""
    timings = findings.answers(
        _measured(machine, level="multiply", quantity="device", dtypes="same")
    )
    return [(timing.case, timing) for timing in timings if timing.case is not None]


def _measured(machine: str, **about: Any) -> Question[Timing]:
    return ask(Timing, machine=machine, role="measurement", **about)


def predicted_and_measured(findings: Findings) -> dict[str, dict[str, tuple[float, float]]]:
    """Return predicted and measured seconds by machine of the catalogue and by workload."""
    cards = {machine: card_of(findings, machine) for machine in findings.machines}
    return {
        machine: {
            f"{case.name}, {case.memory_format}": (device_s(case, card), timing.single.baseline_s)
            for case, timing in multiplies(findings, machine)
        }
        for machine, card in cards.items()
        if card is not None
    }


def hidden(findings: Findings, hidden_from: Mapping[Card, float]) -> dict[str, list[Timing]]:
    """Return by machine its multiplies, from start to finish, that were predicted to be hidden.

    `hidden_from` holds the elements from which on a card's device hides the host.
    """
    about = {"level": "multiply", "quantity": "end_to_end", "dtypes": "same"}
    large = {}
    for machine in findings.machines:
        card = card_of(findings, machine)
        if card is not None and card in hidden_from:
            timings = findings.answers(_measured(machine, **about))
            large[machine] = [one for one in timings
                              if one.case and one.case.elements >= hidden_from[card]]  # fmt: skip
    return {machine: timings for machine, timings in large.items() if timings}


def beside_prediction(findings: Findings, machine: str) -> Iterator[dict[str, object]]:
    """Yield a multiply a row: what the device was predicted to need, and what was measured."""
    card = card_of(findings, machine)
    for case, device in multiplies(findings, machine):
        host, cold, end_to_end = (
            findings.answer(_measured(machine, level="multiply", quantity=quantity, case=case))
            for quantity in ("host", "cold", "end_to_end")
        )
        yield {
            "workload": case.name,
            "format": case.memory_format,
            "device, predicted": _predicted(case, card),
            "device, in rotation": microseconds(device.single.baseline_s),
            "device, cold": microseconds(cold.single.baseline_s),
            "expand_as adds on the host": _added(host),
            "on the device": _added(device),
            "from start to finish": _added(end_to_end),
        }


def _predicted(case: Case, card: Card | None) -> str:
    return microseconds(device_s(case, card)) if card else "not in the catalogue"


def _added(timing: Timing) -> str:
    single = timing.single
    return f"{added(single.difference_s, single.difference_interval_s)}, {outcome_of(timing)}"


def by_quantity(findings: Findings) -> Iterator[dict[str, object]]:
    """Yield what was timed on a machine a row: the outcomes of each quantity, and their range."""
    for (words, about), machine in product(TIMED.items(), findings.machines):
        row: dict[str, object] = {"timed": words, "on": machine}
        for column, quantity in QUANTITIES_IN_SHORT.items():
            timings = findings.answers(_measured(machine, quantity=quantity, **about))
            row[column] = f"{counted(timings)}; {_range(timings)}" if timings else NOT_TIMED
        yield row


def on_device(findings: Findings) -> list[Timing]:
    """Return the timings of the device's part, in rotation, of every machine that was measured."""
    return [
        timing
        for machine in findings.machines
        for timing in findings.answers(_measured(machine, quantity="device"))
    ]


def host_and_whole(findings: Findings) -> Iterator[tuple[float, float]]:
    """Yield the seconds of the host's part and of the whole of each case, without the line."""
    for machine in findings.machines:
        host, whole = (
            {
                (timing.level, timing.case, timing.memory_format): timing.single.baseline_s
                for timing in findings.answers(_measured(machine, quantity=quantity))
            }
            for quantity in ("host", "end_to_end")
        )
        yield from ((host[key], whole[key]) for key in host if key in whole)


def busy(findings: Findings) -> dict[str, list[float]]:
    """Return the device's share of a forward step without the line, by machine, each format's."""
    return {
        machine: [
            device.single.baseline_s / whole.single.baseline_s
            for device, whole in zip(
                findings.answers(_measured(machine, level="network", quantity="device")),
                findings.answers(_measured(machine, level="network", quantity="end_to_end")),
                strict=True,
            )
        ]
        for machine in findings.machines
    }


def _range(timings: Sequence[Timing]) -> str:
    ratios = sorted(timing.ratio for timing in timings)
    return f"{change(ratios[0])} to {change(ratios[-1])}"


def levels(findings: Findings, machine: str) -> Iterator[dict[str, object]]:
    """Yield a quantity of the network's forward or training step a row, with its interval."""
    for level, quantities in QUANTITIES_OF.items():
        for quantity, layout in product(quantities, MEMORY_FORMATS):
            timing = findings.answer(
                _measured(machine, level=level, quantity=quantity, memory_format=layout)
            )
            yield {
                "step": STEPS[level],
                "time": quantity.replace("_", " "),
                "format": layout,
                "broadcast": f"{1e3 * timing.single.baseline_s:,.3f} ms",
                "expand_as adds": added(
                    timing.single.difference_s, timing.single.difference_interval_s
                ),
                "of the step": percent(timing.ratio, timing.interval),
                "intervals at": confidences([timing]),
                "outcome": outcome_of(timing),
            }


def card_of(findings: Findings, machine: str) -> Card | None:
    """Return the catalogue's card for a machine's device, or None."""
    return card_called(findings.answer(ask(DeviceFacts, machine=machine)).device_name)
