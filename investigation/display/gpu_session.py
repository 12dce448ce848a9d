"""One run of all measurements on the GPU of this machine, and what a page shows of each machine."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import torch

from investigation.display.chapter import Chapter
from investigation.evidence.records import Evidence, Record
from investigation.gpu import measurement as gpu_measurement
from investigation.gpu import record as gpu_record
from investigation.gpu.measurement import Step
from investigation.gpu.prediction import device_s
from investigation.subject.cases import MEMORY_FORMATS, Case
from investigation.subject.gpu_catalog import Card, card_called
from investigation.subject.variants import SCALES
from investigation.timing.comparison import Comparison
from investigation.timing.device import watch as device_watch
from investigation.timing.device.queue import AcceleratorQueue, Queue, cache_bytes
from investigation.timing.device.watch import Watch

CHAPTER = "07_gpu"
HERE = "this run"


def measured(**parameters: object) -> Evidence | None:
    """Measure on the run's device and write its record; None where that is the processor.

    Raises `ControlFailedError` where a control fails, `MeasurementError` where something cannot
    be measured as asked.
    """
    session = Chapter(CHAPTER, **parameters)
    if session.settings.device == "cpu":
        return None
    queue = AcceleratorQueue.on(session.settings.device)
    return measured_on(queue, session, device_watch.watch_of(queue.device))


def measured_on(queue: Queue, session: Chapter, watch: Watch) -> Evidence:
    """Do as `measured`, with the queue of the session's device given."""
    record_device(session, torch.device(session.settings.device), watch)
    steps = gpu_measurement.plan(session.settings)
    require_same_bits(session, steps)
    for step, comparison in gpu_measurement.run(queue, steps, session.settings, watch):
        keep(session, step, comparison)
    kept = session.evidence()
    gpu_record.write(kept)
    return kept


def record_device(session: Chapter, device: torch.device, watch: Watch) -> None:
    """Keep what the device is, and what a multiply asks its allocator for."""
    name = session.evidence().environment.accelerator or device.type
    session.record(gpu_record.DEVICE, "timing", "the device", name, details=facts(device, watch))
    reader = Case(slug="reader", name="the shape of this run", shape=session.settings.shape)
    for dtypes, case in (("same_dtype", reader), ("mixed_dtype", reader.with_gate("bfloat16"))):
        for form in SCALES:
            asked = gpu_measurement.bytes_beside_the_output(form, case, str(device))
            if asked is not None:
                says = f"bytes asked for beside the output, {dtypes.replace('_', ' ')}, {form}"
                key = f"allocation.{dtypes}.{form}"
                session.record(key, "allocation", says, asked, unit="bytes", case=case)


def facts(device: torch.device, watch: Watch) -> dict[str, Any]:
    """Return what torch tells of a device, and its clocks where they can be read."""
    module = getattr(torch, device.type, None)
    properties = getattr(module, "get_device_properties", lambda _: None)(device)
    wanted = ("total_memory", "multi_processor_count", "gcnArchName", "major", "minor")
    told = {one: getattr(properties, one) for one in wanted if hasattr(properties, one)}
    reading = watch()
    return told | {
        "cache_bytes": cache_bytes(device),
        "cuda": torch.version.cuda,
        "hip": torch.version.hip,
        "at_start": asdict(reading) if reading else None,
    }


def require_same_bits(session: Chapter, steps: tuple[Step, ...]) -> None:
    """Show, before anything is timed, that both arms of every multiply compute the same."""
    multiplies = [one for one in steps if (one.level, one.quantity) == ("multiply", "host")]
    equal = [gpu_measurement.arms_agree(one, session.settings) for one in multiplies]
    session.control(
        "equality.control.arms",
        "equality",
        "both arms of every timed multiply return the same bits",
        sum(equal),
        passed=all(equal),
    )


def keep(session: Chapter, step: Step, comparison: Comparison) -> Record:
    """Keep one comparison; a control that fails stops the run."""
    if step.level == "same":
        session.same_control(f"control.{step.id}", comparison)
    if step.level == "materialized":
        session.slower_control(f"control.{step.id}", comparison)
    return session.timing(step.id, step.says, comparison, step.case)


def adopt(chapter: Chapter, machine: str, kept: Evidence) -> None:
    """Put a machine's records into a chapter's own evidence, under ids that name the machine."""
    for one in gpu_record.shown_as(machine, kept):
        fields = {name: getattr(one, name) for name in type(one).model_fields}
        chapter.record(fields.pop("id"), **fields)


def multiplies(records: Mapping[str, Record]) -> list[tuple[Case, Record]]:
    """Return the device's times of the multiply, with their cases."""
    return [
        (one.case, one)
        for key, one in records.items()
        if key.startswith("device.multiply.") and one.case is not None
    ]


def predicted_and_measured(
    machines: Mapping[str, Mapping[str, Record]],
) -> dict[str, list[tuple[float, float]]]:
    """Return, for each machine of the catalogue, pairs of predicted and measured seconds."""
    cards = {name: card_of(records) for name, records in machines.items()}
    return {
        name: [
            (device_s(case, card), one.details["baseline_s"])
            for case, one in multiplies(machines[name])
        ]
        for name, card in cards.items()
        if card is not None
    }


def beside_prediction(records: Mapping[str, Record]) -> Iterator[dict[str, object]]:
    """Yield a multiply a row: what the device was predicted to need, and what was measured."""
    card = card_of(records)
    for case, device in multiplies(records):
        key = f"multiply.{case.slug}.{case.memory_format}"
        others = {one: records[f"{one}.{key}"] for one in ("cold", "host", "end_to_end")}
        yield {
            "workload": case.name,
            "format": case.memory_format,
            "device, predicted": _predicted(case, card),
            "device, in rotation": _microseconds(device.details["baseline_s"]),
            "device, cold": _microseconds(others["cold"].details["baseline_s"]),
            "expand_as adds on the host": _added(others["host"]),
            "on the device": _added(device),
            "from start to finish": _added(others["end_to_end"]),
        }


def _predicted(case: Case, card: Card | None) -> str:
    return _microseconds(device_s(case, card)) if card else "not in the catalogue"


def _microseconds(seconds: float) -> str:
    return f"{1e6 * seconds:,.2f} µs"


def _added(record: Record) -> str:
    low, high = record.details["difference_interval_s"]
    return (
        f"{1e6 * record.details['difference_s']:+,.2f} µs "
        f"({1e6 * low:+,.2f} to {1e6 * high:+,.2f}), {record.verdict}"
    )


def levels(records: Mapping[str, Record]) -> Iterator[dict[str, object]]:
    """Yield a quantity of the network's step a row, with its interval."""
    for quantity in ("host", "device", "end_to_end"):
        for layout in MEMORY_FORMATS:
            one = records[f"{quantity}.network.host_network.{layout}"]
            yield {
                "a forward step of the host network": quantity.replace("_", " "),
                "format": layout,
                "broadcast": f"{1e3 * one.details['baseline_s']:,.3f} ms",
                "expand_as adds": _added(one),
            }


def card_of(records: Mapping[str, Record]) -> Card | None:
    """Return the catalogue's card for a machine's device, or None."""
    return card_called(str(records[gpu_record.DEVICE].value))
