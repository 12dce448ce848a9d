"""Work of a known size, planted to see whether a timer finds it."""

from dataclasses import dataclass
from functools import cache, partial
from itertools import repeat

import torch

from investigation.evidence.sealed.contest import BASE_CALLS
from investigation.timing.arms import Function
from investigation.timing.clock import Clock, DeviceClock

ELEMENTS = 4096
# Calls of which the fastest says how long a step takes when nothing disturbs it.
CALIBRATING_CALLS = 5


@dataclass(frozen=True)
class Planted:
    """Two callables whose numbers of equal multiplies differ by `dose` per cent."""

    dose: float
    baseline: Function
    candidate: Function


def plant(dose: float, *, copies: bool = False) -> Planted:
    """Plant a difference; ValueError where the dose is not a whole number of calls in 400.

    Only the number of calls tells the sides apart: they share the function and the tensors.
    With `copies` each has a closure of its own, of the same code. Closures lie in different
    places of memory, and are not quite equally fast: a truth that is not known exactly.
    """
    extra = BASE_CALLS * abs(dose) / 100
    if not extra.is_integer():
        raise ValueError(f"a dose of {dose} % is not a whole number of calls in {BASE_CALLS}")
    multiplies = closure if copies else shared
    less, more = multiplies(BASE_CALLS), multiplies(BASE_CALLS + int(extra))
    return Planted(dose, less, more) if dose >= 0 else Planted(dose, more, less)


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
    extra_s = share * min(_seconds(call, clock) for _ in range(CALIBRATING_CALLS))

    def longer() -> object:
        result = call()
        end = clock.now() + extra_s
        while clock.now() < end:
            pass
        return result

    return longer


def _seconds(call: Function, clock: Clock) -> float:
    start = clock.now()
    call()
    return clock.now() - start
