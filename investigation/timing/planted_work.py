"""Work of a known size, planted to see whether a timer finds it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import repeat

import torch

from investigation.evidence.sealed.contest import (
    CLOSURES,
    ONE_FUNCTION,
    TENSORS,
    planted_calls,
)
from investigation.timing.arms import Function
from investigation.timing.clock import Clock, DeviceClock

Maker = Callable[[], Function]
ELEMENTS = 4096
# Calls of which the fastest says how long a step takes when nothing disturbs it.
CALIBRATING_CALLS = 5


@dataclass(frozen=True)
class Planted:
    """Two programs whose numbers of equal multiplies differ by `dose` per cent.

    Each maker returns a new callable of the same kind; what two callables share is `kind`.
    """

    kind: str
    dose: float
    make_baseline: Maker
    make_candidate: Maker

    def once(self) -> tuple[Function, Function]:
        """Make both once, as a caller would who has two objects to compare."""
        return self.make_baseline(), self.make_candidate()


def plant(dose: float, kind: str = ONE_FUNCTION) -> Planted:
    """Plant a difference; ValueError where the dose is not a whole number of calls.

    With one function, only the number of calls tells the sides apart. A closure or tensors of its
    own put each side somewhere else in memory, which changes how fast two equal programs are.
    """
    less, more = (partial(MAKERS[kind], calls) for calls in planted_calls(dose))
    return Planted(kind, dose, less, more) if dose >= 0 else Planted(kind, dose, more, less)


def shared(calls: int) -> Function:
    """Build a callable that multiplies the same two tensors `calls` times, by one function."""
    return partial(_multiply, *_operands(), calls)


def closure(calls: int) -> Function:
    """Build the same with a function of its own."""
    x, y = _operands()

    def work() -> None:
        for _ in repeat(None, calls):
            x * y

    return work


def own_tensors(calls: int) -> Function:
    """Build the same with the one function and tensors of its own."""
    x, y = _operands()
    return partial(_multiply, x.clone(), y.clone(), calls)


MAKERS = {ONE_FUNCTION: shared, CLOSURES: closure, TENSORS: own_tensors}


def _multiply(x: torch.Tensor, y: torch.Tensor, calls: int) -> None:
    for _ in repeat(None, calls):
        x * y


@cache
def _operands() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.ones(ELEMENTS), torch.ones(ELEMENTS)


def with_more_work(call: Function, share: float, clock: Clock | None = None) -> Function:
    """Return `call` with a wait behind it, `share` of the time that it takes undisturbed.

    The wait is busy, as work would be: a sleeping thread gives its core away.
    """
    clock = clock or DeviceClock.of("cpu")
    extra_s = share * seconds(call, clock)

    def longer() -> object:
        result = call()
        end = clock.now() + extra_s
        while clock.now() < end:
            pass
        return result

    return longer


def seconds(call: Function, clock: Clock | None = None) -> float:
    """Return the seconds of the fastest of a few calls: undisturbed, or nearly."""
    clock = clock or DeviceClock.of("cpu")
    return min(_once(call, clock) for _ in range(CALIBRATING_CALLS))


def _once(call: Function, clock: Clock) -> float:
    start = clock.now()
    call()
    return clock.now() - start
