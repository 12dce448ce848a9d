"""One run of all measurements on the GPU of this machine, kept as evidence of its own."""

from dataclasses import asdict
from typing import Any

import torch

from investigation.evidence import environment
from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.observation import Dtypes, Form
from investigation.evidence.recorder import Recorder
from investigation.evidence.records import Evidence
from investigation.evidence.sealed import gpu as gpu_record
from investigation.evidence.sealed import gpu_plan
from investigation.evidence.sealed.gpu_plan import GpuComparison
from investigation.gpu import measurement as gpu_measurement
from investigation.subject.cases import Case
from investigation.timing import recording
from investigation.timing.comparison import Comparison
from investigation.timing.device import watch as device_watch
from investigation.timing.device.queue import AcceleratorQueue, Queue, cache_bytes
from investigation.timing.device.watch import Watch

CHAPTER = "07_gpu"
FORMS: tuple[Form, ...] = ("expand_as", "broadcast", "materialized")
TOLD = ("total_memory", "multi_processor_count", "major", "minor")


def measured(**parameters: object) -> Evidence | None:
    """Measure on the run's device and write its record; None if that is the processor.

    Raises `ControlFailedError` if a control fails, `MeasurementError` if something cannot
    be measured.
    """
    recorder = Recorder(CHAPTER, **parameters)
    if recorder.settings.device == "cpu":
        return None
    queue = AcceleratorQueue.on(recorder.settings.device)
    return measured_on(queue, recorder, device_watch.watch_of(queue.device))


def measured_on(queue: Queue, recorder: Recorder, watch: Watch) -> Evidence:
    """Do as `measured`, with the queue of the recorder's device given."""
    settings = recorder.settings
    recorder.keep(facts(torch.device(settings.device), watch))
    keep_memory(recorder)
    steps = gpu_plan.plan(settings)
    require_same_bits(recorder, steps)
    for step, comparison in gpu_measurement.run(queue, steps, settings, watch):
        keep(recorder, step, comparison)
    evidence = recorder.evidence()
    gpu_record.write(evidence)
    return evidence


def facts(device: torch.device, watch: Watch) -> DeviceFacts:
    """Return what torch reports about a device, and its clocks if they can be read."""
    module = getattr(torch, device.type, None)
    properties = getattr(module, "get_device_properties", lambda _: None)(device)
    properties_read: dict[str, Any] = {name: getattr(properties, name, None) for name in TOLD}
    reading = watch()
    clocks = asdict(reading) if reading else {}
    return DeviceFacts(
        statement="the device",
        device_name=environment.accelerator_name() or device.type,
        architecture=getattr(properties, "gcnArchName", None) if torch.version.hip else None,
        cache_bytes=cache_bytes(device),
        cuda=torch.version.cuda,
        hip=torch.version.hip,
        **properties_read,
        **{name: clocks[name] for name in clocks if name in DeviceFacts.model_fields},
    )


def keep_memory(recorder: Recorder) -> None:
    """Keep what a multiply requests from the device's allocator, if torch keeps count."""
    device = recorder.settings.device
    reader = Case(slug="reader", name="the shape of this run", shape=recorder.settings.shape)
    for case in (reader, reader.with_gate("bfloat16")):
        for form in FORMS:
            bytes_asked = gpu_measurement.bytes_beside_the_output(form, case, device)
            if bytes_asked is not None:
                recorder.keep(_memory(form, case, device, bytes_asked))


def _memory(form: Form, case: Case, device: str, bytes_asked: int) -> Memory:
    dtypes: Dtypes = "mixed" if case.gate_dtype else "same"
    statement = f"bytes asked for beside the output, {dtypes} dtype, {form}"
    return Memory(
        statement=statement, phase="line", form=form, dtypes=dtypes, device=device,
        bytes=bytes_asked, case=case,
    )  # fmt: skip


def require_same_bits(recorder: Recorder, steps: tuple[GpuComparison, ...]) -> Control:
    """Show, before anything is timed, that both arms of every multiply of one dtype agree."""
    multiplies = [
        step
        for step in steps
        if (step.level, step.quantity) == ("multiply", "host")
        and not (step.is_control or step.of_two_dtypes)
    ]
    equal = [gpu_measurement.arms_agree(multiply, recorder.settings) for multiply in multiplies]
    statement = "both arms of every timed multiply of one dtype return the same bits"
    return recorder.control("arms", statement, sum(equal), passed=all(equal))


def keep(recorder: Recorder, step: GpuComparison, comparison: Comparison) -> Timing:
    """Keep one comparison; a control that fails stops the run."""
    if step.candidate == step.baseline:
        recording.same_control(recorder, comparison, of=step.quantity)
    if step.candidate == "materialized":
        recording.slower_control(recorder, comparison, of=step.quantity)
    return recorder.keep(
        recording.timing_of(comparison, step.statement, case=step.case, **step.about)
    )


def adopt(recorder: Recorder, machine: str, evidence: Evidence) -> None:
    """Keep a machine's records among a chapter's own, under the name of the machine."""
    for record in gpu_record.shown_as(machine, evidence):
        recorder.keep(record)
