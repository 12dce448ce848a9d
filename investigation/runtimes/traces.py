"""What a PyTorch program does when it runs, read from the profiler."""

from collections.abc import Callable
from typing import Any

import torch

from investigation.observe.memory import profiled_events
from investigation.runtimes.program import Step

Event = dict[str, Any]
UNNAMED = "generated code"


def steps(run: Callable[[], object]) -> tuple[Step, ...]:
    """Return the outermost ATen calls of `run`, each with the bytes that were allocated inside.

    What a program allocates outside every ATen call, as generated code does, is one more step.
    """
    with torch.no_grad():
        return read(profiled_events(run))


def read(events: list[Event]) -> tuple[Step, ...]:
    """Return the steps of a Chrome trace."""
    calls = [
        event for event in events if str(event.get("name")).startswith("aten::") and "dur" in event
    ]
    outermost = [
        call for call in calls if not any(_inside(call["ts"], other, call) for other in calls)
    ]
    outermost.sort(key=lambda call: float(call["ts"]))
    bytes_of = [0] * len(outermost)
    elsewhere = 0
    for moment, size in _allocations(events):
        around = [i for i, call in enumerate(outermost) if _inside(moment, call)]
        if around:
            bytes_of[around[0]] += size
        else:
            elsewhere += size
    named = [_step(call["name"], size) for call, size in zip(outermost, bytes_of, strict=True)]
    return (*named, Step(UNNAMED, elsewhere)) if elsewhere else tuple(named)


def _allocations(events: list[Event]) -> list[tuple[float, int]]:
    allocations = [event for event in events if event.get("name") == "[memory]"]
    return [
        (event["ts"], event["args"]["Bytes"]) for event in allocations if event["args"]["Bytes"] > 0
    ]


def _inside(moment: float, around: Event, itself: Event | None = None) -> bool:
    return around is not itself and bool(around["ts"] <= moment <= around["ts"] + around["dur"])


def _step(name: str, size: int) -> Step:
    short = name.removeprefix("aten::")
    return Step(short, size, expands=short.startswith("expand"))
