"""The two sides of a comparison."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat

from investigation.timing.clock import Clock

Function = Callable[[], object]


@dataclass(frozen=True)
class Arm:
    """One of the two callables, with the name that the reader gave it."""

    name: str
    function: Function

    def seconds(self, calls: int, clock: Clock) -> float:
        """Time a block of `calls` calls; no result outlives its call."""
        function = self.function
        try:
            start = clock.now()
            for _ in repeat(None, calls):
                function()
            clock.synchronize()
            return clock.now() - start
        except Exception as error:
            error.add_note(f"raised by the arm {self.name!r} of a comparison")
            raise


ArmPair = tuple[Arm, Arm]
