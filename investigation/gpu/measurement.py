"""Both arms of every comparison on a GPU, and the run through all of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from investigation.evidence.kinds.timings import MARGIN, STEP_CONFIDENCE
from investigation.evidence.parameters import Parameters
from investigation.evidence.sealed.gpu_plan import STEPS, GpuComparison
from investigation.gpu.prediction import scale_bytes
from investigation.observe.eager_calls import launches, listed_calls
from investigation.observe.equality import same_bits
from investigation.subject import training, training_workloads
from investigation.subject.cases import Case
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import SCALES, SEBlock
from investigation.subject.workloads import host_network, random_images, sharing
from investigation.timing.arms import Function
from investigation.timing.comparison import Comparison
from investigation.timing.device.queue import Queue, cache_bytes
from investigation.timing.device.timing import Rotation, compare_on_device, rotations_needed
from investigation.timing.device.watch import Watch, nothing
from investigation.timing.measure import patiently
from investigation.timing.settings import Settings

# Networks in rotation: their images are small, and what they make in between is not.
NETWORK_INPUTS = 4
CONFIDENCE = 0.95


def run(
    queue: Queue,
    steps: tuple[GpuComparison, ...],
    settings: Parameters,
    watch: Watch = nothing,
    arms: "Callable[[GpuComparison, Parameters], tuple[Rotation, Rotation]] | None" = None,
) -> Iterator[tuple[GpuComparison, Comparison]]:
    """Measure one step after the other; `arms` makes what is compared, from `rotations`.

    A step whose budget turns out too small gets more: what was measured before it is not lost.
    """
    make = arms or rotations
    for step in steps:
        yield step, _compared(queue, step, make(step, settings), settings_of(step, settings), watch)


def _compared(
    queue: Queue,
    step: GpuComparison,
    both: tuple[Rotation, Rotation],
    chosen: Settings,
    watch: Watch,
) -> Comparison:
    def within(budget_s: float) -> Comparison:
        enough = replace(chosen, budget_s=budget_s)
        return compare_on_device(queue, step.quantity, *both, enough, watch)

    return patiently(within, chosen.budget_s)


def settings_of(step: GpuComparison, settings: Parameters) -> Settings:
    """Return the instrument's settings for a step, its budget in seconds among them."""
    trains = step.level == "training_step"
    return Settings(
        budget_s=step.budget_s(settings),
        margin=MARGIN,
        confidence=STEP_CONFIDENCE if step.level in STEPS else CONFIDENCE,
        grad=trains,
        seed=settings.seed,
        device=settings.device,
        threads=settings.threads,
        name=step.candidate,
        baseline_name=step.baseline,
    )


def rotations(step: GpuComparison, settings: Parameters) -> tuple[Rotation, Rotation]:
    """Return both arms of a step on the run's device, over the same inputs in rotation."""
    pairs = (
        _training_pairs(step, settings)
        if step.level == "training_step"
        else _pairs(step, _inputs(step, settings), settings)
    )
    calls = list(zip(*pairs, strict=True))
    grad = settings_of(step, settings).grad
    baseline, candidate = (Rotation(call, _launches(call[0], grad)) for call in calls)
    return baseline, candidate


def _training_pairs(
    step: GpuComparison, settings: Parameters
) -> Iterator[tuple[Function, Function]]:
    """Yield both arms' training step for each batch in rotation; they train one network on."""
    how = training.SETTINGS[step.memory_format]
    network = training.host(SCALES[step.baseline], how, settings.seed).to(settings.device)
    optimizer = training.optimizer_of(network)
    for index in range(NETWORK_INPUTS):
        images = training_workloads.random_images(
            settings.batch, step.memory_format, settings.seed + index, settings.device
        )
        run = partial(training.step, network, optimizer, images, how)
        yield sharing(network, step.baseline, step.candidate, run)


def _inputs(step: GpuComparison, settings: Parameters) -> list[tuple[Tensor, ...]]:
    if step.case is None:
        return [_images(step, settings, index) for index in range(NETWORK_INPUTS)]
    device = torch.device(settings.device)
    count = rotations_needed(scale_bytes(step.case), cache_bytes(device))
    seeded = (step.case.model_copy(update={"seed": settings.seed + i}) for i in range(count))
    return [case.tensors(settings.device) for case in seeded]


def _images(step: GpuComparison, settings: Parameters, index: int) -> tuple[Tensor, ...]:
    seed = settings.seed + index
    return (random_images(settings.batch, step.memory_format, seed, settings.device),)


def _pairs(
    step: GpuComparison, inputs: list[tuple[Tensor, ...]], settings: Parameters
) -> Iterator[tuple[Function, Function]]:
    """Yield both arms' call for each input in rotation; they share the weights, if any."""
    if step.level in ("block", "network"):
        module = _module(step, settings)
        for input_ in inputs:
            yield sharing(module, step.baseline, step.candidate, partial(module, input_[0]))
    else:
        for input_ in inputs:
            yield partial(SCALES[step.baseline], *input_), partial(SCALES[step.candidate], *input_)


def _module(step: GpuComparison, settings: Parameters) -> torch.nn.Module:
    if step.case is None:
        return host_network(step.baseline, step.memory_format, settings.seed, settings.device)
    torch.manual_seed(settings.seed)
    block = SEBlock(step.case.shape[1], step.case.reduction).to(settings.device).eval()
    # The stub of `to` has no memory format; the method has.
    return block.to(memory_format=FORMATS[step.memory_format])  # type: ignore[call-overload, no-any-return]


def _launches(call: Function, grad: bool) -> int:
    with torch.set_grad_enabled(grad):
        return launches(listed_calls(call))


def arms_agree(step: GpuComparison, settings: Parameters) -> bool:
    """Return whether both arms of a step compute the same bits on the run's device."""
    baseline, candidate = rotations(step, settings)
    with torch.no_grad():
        expected, actual = baseline.calls[0](), candidate.calls[0]()
    assert isinstance(expected, Tensor)
    assert isinstance(actual, Tensor)
    return same_bits(expected.cpu(), actual.cpu())


def bytes_beside_the_output(scale: str, case: Case, device: str) -> int | None:
    """Return what a multiply requests from the device's allocator beside its output, or None.

    None if torch keeps no count for the device. The allocator rounds up to 512 bytes.
    """
    x, gate = case.tensors(device)
    before = _allocated(device)
    output = SCALES[scale](x, gate)
    after = _allocated(device)
    if before is None or after is None:
        return None
    return after - before - output.numel() * output.element_size()


def _allocated(device: str) -> int | None:
    """Return the bytes that were ever allocated, freed since or not."""
    try:
        statistics: Mapping[str, Any] = torch.accelerator.memory_stats(torch.device(device))
    except (RuntimeError, NotImplementedError):
        return None
    count = statistics.get("allocated_bytes.all.allocated")
    return None if count is None else int(count)
