"""A module that a runtime has taken over: how to run it, and what it does when it runs."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from torch import Tensor

Run = Callable[[], object]
Load = Callable[[], Run]


@dataclass(frozen=True)
class Step:
    """One thing that a program does when it runs, and the bytes of the result that it writes.

    `expands` marks what repeats a smaller tensor to a larger shape and nothing else.
    """

    op: str
    bytes_written: int
    expands: bool = False


@dataclass(frozen=True)
class Program:
    """A prepared module over a prepared input.

    `again` loads what was prepared anew, over an input of its own, and returns one inference of
    it: what gets timed. `result` returns the first output of a program that was loaded once, with
    as many images as the runtime takes at a time. `steps` is read from what ran: a profile, a
    plan or the runtime's own graph. `arena_bytes` is the memory that the runtime planned for one
    inference, if it reports that.
    """

    again: Load
    result: Callable[[], Tensor]
    steps: tuple[Step, ...]
    arena_bytes: int | None = None


def loads_of(programs: Mapping[str, Program | str]) -> dict[str, Load]:
    """Return by name how to load each program anew: all that its timing needs.

    Whoever keeps no more lets go of what was loaded to look at it, before anything is timed.
    """
    return {
        name: program.again for name, program in programs.items() if isinstance(program, Program)
    }


@dataclass(frozen=True)
class Trace:
    """The part of a program that can be written down."""

    steps: tuple[Step, ...]
    arena_bytes: int | None

    @classmethod
    def of(cls, program: Program) -> Self:
        """Keep a program's steps."""
        return cls(program.steps, program.arena_bytes)

    @property
    def bytes_written(self) -> int:
        """Return the bytes that all steps write in one inference."""
        return sum(step.bytes_written for step in self.steps)

    @property
    def expansions(self) -> tuple[Step, ...]:
        """Return the steps that do nothing but repeat a smaller tensor."""
        return tuple(step for step in self.steps if step.expands)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, before or after JSON."""
        return cls(tuple(Step(**step) for step in record["steps"]), record["arena_bytes"])
