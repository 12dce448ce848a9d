"""Jobs for a process of its own, which then has the device that records iterators."""

import json

import torch

from investigation.gpu.launch import extension
from investigation.gpu.launch.comparison import compare, launches
from investigation.gpu.launch.settings import settings
from investigation.subject.variants import SCALES, broadcast


def in_two_steps(x, gate):
    """Expand over one dimension and broadcast over the rest: only the gate's gradient changes."""
    return x * gate.expand(*gate.shape[:2], x.shape[2], *gate.shape[3:])


PLANTED = {**SCALES, "in_two_steps": in_two_steps, "swapped": lambda x, gate: gate * x}


def groups(planted, families):
    """What differs between `x * gate` and a planted form, group by group."""
    extension.load()
    with torch.autograd.set_multithreading_enabled(False):
        compared = compare(broadcast, PLANTED[planted], settings(families, seed=0))
    return [group.model_dump(mode="json") for group in compared]


def results_like_the_cpu():
    """Settings of ordinary layouts in which some result lies otherwise than on the CPU."""
    extension.load()
    unlike, tried = [], 0
    with torch.autograd.set_multithreading_enabled(False):
        for setting in settings(["ordinary", "volumes"], seed=0):
            for (operation, name), recorded in launches(broadcast, setting).items():
                tried += 1
                if [result.stride for result in recorded.results] != [
                    _on_cpu(setting, operation, name)
                ]:
                    unlike.append(f"{setting.name}, {operation} {name}")
    return [tried, unlike]


def _on_cpu(setting, operation, name):
    x, gate = (operand.detach().requires_grad_() for operand in (setting.x, setting.gate))
    output = x * gate
    if operation == "multiply":
        return output.stride()
    operand = {"gradient_of_input": x, "gradient_of_gate": gate}[operation]
    (gradient,) = torch.autograd.grad(output, operand, setting.upstream[name].to(output.dtype))
    return gradient.stride()


def one_iterator():
    """One iterator as the extension reports it, unread."""
    extension.load()
    x, gate = (
        torch.ops.launch.make((2, 3), (3, 1), 0, torch.float32),
        torch.ops.launch.make((2, 1), (1, 1), 0, torch.float32),
    )
    torch.multiply(x, gate)
    return json.loads(torch.ops.launch.taken())
