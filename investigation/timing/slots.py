"""The line timed where it stands: a stopwatch around the scale step of every SE block.

Forward, a time is that of the scale step itself. Backward, it runs from the moment when autograd
takes up the product's node until it takes up the node behind the gate: the gradients of input and
gate, the sum that brings the gate's gradient to its size, with `expand_as` also the node of the
view. Not in it is what the form makes faster or slower elsewhere in the step, such as through the
caches; the whole step, timed beside, would show that.

Both forms are timed by the same code, so what the stopwatch takes itself falls out of their
difference.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from investigation.subject.variants import Scale, SEBlock
from investigation.subject.workloads import Step
from investigation.timing.errors import MeasurementError

# The processor's clock stands still while something else has the core.
Clock = Literal["processor", "wall"]
CLOCKS: tuple[Clock, ...] = ("processor", "wall")
Phase = Literal["forward", "backward"]
PHASES: tuple[Phase, ...] = ("forward", "backward")
Times = NDArray[np.float64]


class SlotError(MeasurementError):
    """A network whose line cannot be timed in place; the message says why."""


@dataclass(frozen=True)
class Clocks:
    """The two clocks that are read, in seconds: this thread's time on the core, and time."""

    processor: Callable[[], float] = time.thread_time
    wall: Callable[[], float] = time.perf_counter

    def now(self) -> tuple[float, float]:
        """Both, the wall's last."""
        return self.processor(), self.wall()

    def since(self, began: tuple[float, float]) -> tuple[float, float]:
        """Seconds on each since `now` returned `began`: the wall's clock, which is finer, inside.

        The processor's clock takes longer to read, the same in every form.
        """
        wall = self.wall()
        return self.processor() - began[0], wall - began[1]


class Slots:
    """The SE blocks of a network, each with the form of the line that is to run in it next.

    `seconds` has shape (slots, phases, clocks): what the line took in the last step, NaN for a
    phase that did not run.
    """

    def __init__(self, step: Step, clocks: Clocks) -> None:
        self.blocks = [module for module in step.network.modules() if isinstance(module, SEBlock)]
        if not self.blocks:
            raise SlotError("the network has no SE block, so there is no line to time in it")
        if len(self.blocks) != len(step.slots):
            raise SlotError(f"{len(self.blocks)} SE blocks, and cases for {len(step.slots)}")
        self.cases, self.clocks = step.slots, clocks
        self.forms: list[Scale] = [block.scale for block in self.blocks]
        self.seconds: Times = np.full((len(self.blocks), len(PHASES), len(CLOCKS)), np.nan)
        self._began = [(np.nan, np.nan)] * len(self.blocks)

    def scale(self, slot: int, x: Tensor, gate: Tensor) -> Tensor:
        """Scale as the slot's form does, and note how long that took."""
        form = self.forms[slot]
        began = self.clocks.now()
        output = form(x, gate)
        self.seconds[slot, 0] = self.clocks.since(began)
        if tuple(x.shape) != self.cases[slot].shape:
            raise SlotError(
                f"the input of SE block {slot + 1} is {tuple(x.shape)}, and its case says "
                f"{self.cases[slot].shape}"
            )
        if output.grad_fn is not None and gate.grad_fn is not None:
            output.grad_fn.register_prehook(partial(self._begin_backward, slot))
            gate.grad_fn.register_prehook(partial(self._end_backward, slot))
        return output

    def _begin_backward(self, slot: int, _gradients: Any) -> None:
        self._began[slot] = self.clocks.now()

    def _end_backward(self, slot: int, _gradients: Any) -> None:
        self.seconds[slot, 1] = self.clocks.since(self._began[slot])

    def run(self, step: Step, forms: Sequence[Scale]) -> tuple[Times, tuple[float, float]]:
        """Run a step with a form in each slot; return the line's times and the step's.

        Raises SlotError where the line did not run at every slot, in every phase of the step.
        """
        self.forms[:] = forms
        self.seconds[:] = np.nan
        began = self.clocks.now()
        step.run()
        whole = self.clocks.since(began)
        times = self.seconds[:, : 2 if torch.is_grad_enabled() else 1].copy()
        if np.isnan(times).any():
            slot, phase, _ = np.argwhere(np.isnan(times))[0]
            raise SlotError(f"the line of SE block {slot + 1} did not run {PHASES[phase]}")
        return times, whole


@contextmanager
def timed_slots(step: Step, clocks: Clocks) -> Iterator[Slots]:
    """Put a stopwatch at every SE block of a step's network, and take it away again."""
    slots = Slots(step, clocks)
    attributes = [vars(block) for block in slots.blocks]
    before = [attribute["scale"] for attribute in attributes]
    for index, attribute in enumerate(attributes):
        attribute["scale"] = partial(slots.scale, index)
    try:
        yield slots
    finally:
        for attribute, scale in zip(attributes, before, strict=True):
            attribute["scale"] = scale


class Wait:
    """A busy wait, as work would be: a sleeping thread gives its core away.

    It looks at the clock in steps, so it is over up to a step late. `lasted_s` holds how long each
    one was by its own readings.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds, self.clock = seconds, clock
        self.lasted_s: list[float] = []

    def __call__(self) -> None:
        """Wait, and note for how long."""
        began = now = self.clock()
        while now < began + self.seconds:
            now = self.clock()
        self.lasted_s.append(now - began)


class _Waiting(torch.autograd.Function):
    """Hands a tensor on unchanged, forward and backward, after a wait each time."""

    @staticmethod
    def forward(ctx: Any, product: Tensor, wait: Callable[[], None]) -> Tensor:
        ctx.wait = wait
        wait()
        return product.view_as(product)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        ctx.wait()
        return *gradients, None


def waiting(scale: Scale, wait: Wait) -> Scale:
    """Return `scale` with a wait behind it, in each phase."""
    return lambda x, gate: _apply(scale(x, gate), wait)


def _apply(product: Tensor, wait: Wait) -> Tensor:
    # The stub of `apply` returns anything.
    waited: Tensor = _Waiting.apply(product, wait)  # type: ignore[no-untyped-call]
    return waited
