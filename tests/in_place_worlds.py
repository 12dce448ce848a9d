"""Records of the line timed in place, planted by the tests."""

from investigation.evidence.kinds.in_place import Added, LineInPlace, OfProcess, OnClock, Slot
from investigation.subject.workloads import slots

STEP_S = 0.05


def record(memory_format="contiguous", share=0.0005, half=0.0002, verdict="equivalent", **about):
    """A line that adds as much at every slot, together so much of the step."""
    cases = slots(8, memory_format)
    added_s = share * STEP_S / len(cases)
    part = {"difference_s": added_s, "interval_s": (added_s - 1e-6, added_s + 1e-6)}
    total = {
        "difference_s": share * STEP_S,
        "interval_s": ((share - half) * STEP_S, (share + half) * STEP_S),
        "share": share,
        "share_interval": (share - half, share + half),
        "step_s": STEP_S,
    }
    fields = {
        "statement": "a step",
        "level": "network",
        "memory_format": memory_format,
        "batch": 8,
        "clock": "processor",
        "over": "processes",
        "confidence": 0.975,
        "margin": 0.01,
        "verdict": verdict,
        "slots": tuple(
            Slot(case=case, line_s=1e-4, forward=Added(**part), **part) for case in cases
        ),
        "sums": tuple(OnClock(clock=clock, **total) for clock in ("processor", "wall")),
        "processes": tuple(
            OfProcess(pairs=20, difference_s=difference_s, step_s=STEP_S)
            for difference_s in (2e-5, 3e-5) * 4
        ),
    }
    return LineInPlace(**fields | about)
