"""A made-up record of a GPU: what a run would have measured, and the records that plant others."""

from worlds import by_identity, memory_record, timing
from worlds import evidence as evidence_of

from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.parameters import Parameters
from investigation.evidence.questions import Findings
from investigation.evidence.sealed import gpu as gpu_record
from investigation.evidence.sealed import gpu_plan

PARAMETERS = {"device": "cuda", "shape": [8, 16, 4, 4], "batch": 4, "resnet_batch": 1}
SETTINGS = Parameters.check(**PARAMETERS | {"device": "cpu"})
STEPS = gpu_plan.plan(SETTINGS)
KIB = 2**10
H200 = "nvidia-h200"


def steps(level, quantity, *, of_two_dtypes=False):
    """The measurements of one quantity at one level; no controls."""
    return [
        step
        for step in STEPS
        if (step.level, step.quantity, step.of_two_dtypes) == (level, quantity, of_two_dtypes)
        and not step.is_control
    ]


def timed(step, ratio=1.0, verdict=None, in_family=None):
    about = step.about | {"case": step.case, "device": PARAMETERS["device"]}
    return timing(ratio=ratio, verdict=verdict, in_family=in_family, width=0.001, **about)


def slower(level, quantity, ratio, *, of_two_dtypes=False):
    """What these steps measure if `expand_as` is slower."""
    return [
        timed(step, ratio, "slower") for step in steps(level, quantity, of_two_dtypes=of_two_dtypes)
    ]


def memory(form, dtypes, count):
    """What a form requests from the device's allocator beside its output."""
    return memory_record(form, dtypes, count).model_copy(update={"device": PARAMETERS["device"]})


def device(name="NVIDIA H200"):
    return DeviceFacts(statement="the device", device_name=name, multi_processor_count=132)


def plain_records(*changed):
    """Both forms alike in everything but what was changed, a record for each identity."""
    asked_for = {"expand_as": 0, "broadcast": 0, "materialized": 64 * KIB}
    plain = (
        device(),
        *(memory(form, dtypes, count) for dtypes in ("same", "mixed")
          for form, count in asked_for.items()),
        *map(timed, STEPS),
    )  # fmt: skip
    return list(by_identity((*plain, *changed)).values())


def evidence(records=None, accelerator="NVIDIA H200", **parameters):
    return evidence_of(
        *(plain_records() if records is None else records),
        notebook="07_gpu",
        parameters=PARAMETERS | parameters,
        accelerator=accelerator,
    )


def findings(records=None, machines=(H200,)):
    """What a chapter shows of each of these machines."""
    measured = evidence(records)
    return Findings((evidence([record for name in machines
                               for record in gpu_record.shown_as(name, measured)]),))  # fmt: skip
