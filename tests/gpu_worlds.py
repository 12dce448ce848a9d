"""A made-up record of a GPU: what a run would have measured, and the changes that plant others."""

from worlds import NOW

from investigation.evidence.environment import describe
from investigation.evidence.parameters import Parameters
from investigation.evidence.records import Evidence, Findings, Record
from investigation.gpu import measurement as gpu_measurement
from investigation.gpu import record as gpu_record

PARAMETERS = {"device": "cuda", "shape": [8, 16, 4, 4], "batch": 4, "resnet_batch": 1}
SETTINGS = Parameters.check(**PARAMETERS | {"device": "cpu"})
STEPS = gpu_measurement.plan(SETTINGS)
KIB = 2**10


def timed(step, ratio=1.0, verdict="equivalent", in_family=None):
    interval = (ratio - 0.001, ratio + 0.001)
    seconds = 1e-5
    details = {
        "baseline_s": seconds,
        "difference_s": seconds * (ratio - 1),
        "difference_interval_s": [seconds * (end - 1) for end in interval],
        "verdict_in_family": in_family or verdict,
    }
    return Record(
        id=step.id, kind="timing", says=step.says, value=ratio, unit="ratio", interval=interval,
        confidence=0.95, verdict=verdict, case=step.case, details=details,
    )  # fmt: skip


def allocations(**more):
    asked = dict.fromkeys(gpu_record.ALLOCATIONS, 0) | {
        key: 64 * KIB for key in gpu_record.ALLOCATIONS if key.endswith("materialized")
    }
    return [
        Record(id=key, kind="allocation", says=key, value=more.get(key, value), unit="bytes")
        for key, value in asked.items()
    ]


def plain_records(**slow):
    """Both forms alike in everything but what the keywords slow down: `prefix__` = ratio."""
    prefixes = {key.replace("__", "."): ratio for key, ratio in slow.items()}
    device = Record(
        id=gpu_record.DEVICE, kind="timing", says="the device", value="NVIDIA H200",
        details={"multi_processor_count": 132},
    )  # fmt: skip
    timings = []
    for step in STEPS:
        ratio = next((r for p, r in prefixes.items() if step.id.startswith(p)), 1.0)
        timings.append(timed(step, ratio, "slower" if ratio > 1 else "equivalent"))
    return [device, *allocations(), *timings]


def evidence(records=None, accelerator="NVIDIA H200", **parameters):
    return Evidence(
        notebook="07_gpu",
        source_sha256="0",
        package_sha256="0",
        parameters=PARAMETERS | parameters,
        environment=describe(1).model_copy(update={"accelerator": accelerator}),
        started=NOW,
        finished=NOW,
        records=tuple(plain_records() if records is None else records),
    )


def findings(records=None, machine="nvidia-h200"):
    """What a chapter shows of one machine."""
    shown = tuple(gpu_record.shown_as(machine, evidence(records)))
    return Findings((evidence(shown),))
