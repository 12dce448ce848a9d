"""Both forms on the recording device, setting by setting: the same iterators or not."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from investigation.evidence.kinds.gpus import LaunchFamily, LaunchOperation
from investigation.evidence.observation import Dtypes
from investigation.gpu.launch.iterators import Recorded, next_address, on_recorder, recorded
from investigation.gpu.launch.settings import Setting
from investigation.subject.variants import Scale

# What autograd computes in a setting, by operation and by the gradient from above.
Step = tuple[LaunchOperation, str]
# How the launches of two forms can differ, the gravest first.
HOW = ("other kernels", "another order", "other arguments")


def launches(scale: Scale, setting: Setting) -> Mapping[Step, Recorded]:
    """Return what a form launches: its product, and both gradients for each one from above."""
    torch.ops.launch.start_at(0)
    backward = bool(setting.upstream)
    x, gate = (
        on_recorder(operand).requires_grad_(backward) for operand in (setting.x, setting.gate)
    )
    products: list[Tensor] = []

    def multiply() -> list[Tensor]:
        products.append(scale(x, gate))
        return products

    launched: dict[Step, Recorded] = {("multiply", ""): recorded(multiply, next_address())}
    after_product = next_address()
    for name, gradient in setting.upstream.items():
        torch.ops.launch.start_at(after_product)  # whatever the gradients before have taken
        upstream = on_recorder(gradient.to(products[0].dtype))
        address = next_address()
        operands: Mapping[LaunchOperation, Tensor] = {
            "gradient_of_input": x,
            "gradient_of_gate": gate,
        }
        for operation, operand in operands.items():
            step = partial(torch.autograd.grad, products, operand, upstream, retain_graph=True)
            launched[operation, name] = recorded(step, address)
    return launched


def how_they_differ(baseline: Recorded, candidate: Recorded) -> str | None:
    """Return in which of `HOW` what two forms launch differs, None if it is the same.

    Every field of every iterator counts, addresses included, and so do the layouts of the results:
    the same launches have the same arguments.
    """
    if baseline == candidate:
        return None
    names = [
        [iterator.operation for iterator in recorded.launches] for recorded in (baseline, candidate)
    ]
    if Counter(names[0]) != Counter(names[1]):
        return HOW[0]
    return HOW[1] if names[0] != names[1] else HOW[2]


class Group(BaseModel):
    """One operation over one family: in how many settings the launches differ, and in which."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: LaunchOperation
    family: LaunchFamily
    dtypes: Dtypes
    tried: int = 0
    differing_by: Mapping[str, int] = {}
    where: tuple[str, ...] = ()  # pairs of dtypes
    example: str | None = None

    @property
    def differing(self) -> int:
        """How many settings differ."""
        return sum(self.differing_by.values())

    def with_setting(self, setting: Setting, step: Step, how: str | None) -> "Group":
        """Return the group with one setting more."""
        if how is None:
            return self.model_copy(update={"tried": self.tried + 1})
        pair = " × ".join(setting.dtypes)
        by = Counter(self.differing_by) + Counter([how])
        upstream = f", gradient from above {step[1]}" if step[1] else ""
        return self.model_copy(
            update={
                "tried": self.tried + 1,
                "differing_by": dict(by),
                "where": tuple(dict.fromkeys((*self.where, pair))),
                "example": self.example or f"{setting.name}{upstream}",
            }
        )

    def with_more(self, other: "Group") -> "Group":
        """Return both groups as one: the same operation and family, over other settings."""
        return self.model_copy(
            update={
                "tried": self.tried + other.tried,
                "differing_by": dict(Counter(self.differing_by) + Counter(other.differing_by)),
                "where": tuple(dict.fromkeys((*self.where, *other.where))),
                "example": self.example or other.example,
            }
        )


def together(parts: Iterable[Group]) -> list[Group]:
    """Return the groups of several parts of the settings, those of one operation as one."""
    groups: dict[tuple[LaunchOperation, LaunchFamily, Dtypes], Group] = {}
    for group in parts:
        key = (group.operation, group.family, group.dtypes)
        groups[key] = groups[key].with_more(group) if key in groups else group
    return list(groups.values())


def compare(baseline: Scale, candidate: Scale, tried: Iterable[Setting]) -> list[Group]:
    """Compare the launches of two forms in every setting, group by group."""
    groups: dict[tuple[LaunchOperation, LaunchFamily, Dtypes], Group] = {}
    for setting, step, how in differences(baseline, candidate, tried):
        dtypes: Dtypes = "same" if len(set(setting.dtypes)) == 1 else "mixed"
        key = (step[0], setting.family, dtypes)
        group = groups.get(key) or Group(operation=key[0], family=key[1], dtypes=key[2])
        groups[key] = group.with_setting(setting, step, how)
    return list(groups.values())


def differences(
    baseline: Scale, candidate: Scale, tried: Iterable[Setting]
) -> Iterator[tuple[Setting, Step, str | None]]:
    """Iterate over what was tried: the setting, the step of it, and how its launches differ."""
    for setting in tried:
        expected, actual = launches(baseline, setting), launches(candidate, setting)
        for step, recorded_step in expected.items():
            yield setting, step, how_they_differ(recorded_step, actual[step])
