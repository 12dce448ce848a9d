"""Measure on this machine's GPU, and keep what was measured."""

import math
import os
from collections.abc import Mapping

from investigation.evidence.parameters import ParameterError, Parameters, available_devices
from investigation.evidence.sealed import gpu_plan
from pipeline import building, guard, places
from pipeline.faults import BuildError

NOTEBOOK = "07_gpu"


def measure(parameters: Mapping[str, object], time_limit_s: float | None) -> None:
    """Execute the GPU's chapter on the GPU. Raises `BuildError` if there is none."""
    device = chosen_device(parameters)
    print(estimate(parameters))
    with building.only_build(), guard.watched(str(places.BUILD)):
        building.build(
            {**parameters, "device": device},
            notebook=NOTEBOOK,
            time_limit_s=time_limit_s,
            rerun=True,
        )


def estimate(parameters: Mapping[str, object]) -> str:
    """Return a line with the time that measuring will take, from the plan's budgets.

    Raises `ParameterError` for a parameter that cannot be used.
    """
    settings = Parameters.check(**{**parameters, "device": "cpu"})
    minutes, count = math.ceil(gpu_plan.minutes(settings)), len(gpu_plan.plan(settings))
    return f"{count} comparisons on the GPU, which take about {minutes} minutes"


def chosen_device(parameters: Mapping[str, object]) -> str:
    """Return the device of the request, or this machine's accelerator.

    Raises `BuildError` with one line that lists what this machine has.
    """
    accelerators = [device for device in available_devices() if device != "cpu"]
    device = str(parameters.get("device") or (accelerators or ["cuda"])[0])
    if device == "cpu":
        raise BuildError("DEVICE=cpu: make gpu measures a GPU, such as cuda")
    try:
        return Parameters.check(device=device).device
    except ParameterError as error:
        raise BuildError(str(error)) from None


def record() -> None:
    """Put what was measured here under `results`, checked and sealed."""
    from investigation.evidence.sealed import gpu as gpu_record

    for folder in gpu_record.record(places.BUILD / gpu_record.BUILT.name, places.RECORDED):
        print(f"recorded in {os.path.relpath(folder)}; make book shows it")
