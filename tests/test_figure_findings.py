"""What figures find: each sentence in a world and in its opposite."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from worlds import CASE, SMALL, multiply

from investigation.display import gpu_words, instrument_words, runtime_words
from investigation.display.runtime_words import expansions_told, place_of_expansion
from investigation.evidence.kinds.timings import MARGIN
from investigation.gpu.prediction import HostCost, predictions
from investigation.runtimes.program import Step, Trace
from investigation.subject.gpu_catalog import CARDS
from investigation.timing.crossings import Calls
from pipeline.sweep import sweep_pages

COMPUTES, VIEW, WRITES = Step("Mul", 4096), Step("Expand", 0, True), Step("Expand", 4096, True)
LAYS_OUT = Step("Reorder", 4096)


def itself(one_s, other_s, ratio=1.0, width=0.002):
    judged = multiply(ratio, width=width)
    return SimpleNamespace(
        samples=SimpleNamespace(baseline_s=one_s, candidate_s=other_s), ratio=ratio,
        ratio_interval=judged.interval, verdict=judged.verdict, margin=MARGIN, confidence=0.95,
        name="A again", baseline_name="A",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("other_s", "count"),
    [((1, 1, 9, 9), "4 of 4 pairs"), ((9, 9, 1, 1), "0 of 4 pairs"), ((1, 9, 1, 9), "2 of 4 pairs"),
     ((5, 1, 5, 9), "2 of 2 pairs"), ((5, 9, 5, 1), "0 of 2 pairs")],
)  # fmt: skip
def test_how_often_both_sides_are_slow_together_is_counted_without_what_is_at_a_median(
    other_s, count
):
    sentence = instrument_words.blocks_told(itself((1, 2, 8, 9), other_s))
    assert f" in {count}; blocks that are disturbed one by one" in sentence


@pytest.mark.parametrize(
    ("ratio", "told"),
    [(1.0, "A again and A are equal within 1 %"), (1.2, "A again is 20.0 % slower than A"),
     (0.8, "A again is 20.0 % faster than A"), (1.01, "A again against A is undecided")],
)  # fmt: skip
def test_the_blocks_of_one_callable_are_told_with_the_outcome_of_the_comparison(ratio, told):
    assert f"about half. {told}" in instrument_words.blocks_told(itself((1, 2), (1, 2), ratio))


@pytest.mark.parametrize(
    ("groups", "told"),
    [({"Python": 2.0, "dispatch": 1000.0}, "1,002 more instructions; the largest part is dispatch, "
      "1,000 more."),
     ({"Python": 2.0, "dispatch": -5.0}, "3 fewer instructions; the largest part is dispatch, "
      "5 fewer."),
     ({}, "0 more instructions.")],
)  # fmt: skip
def test_instructions_are_told_in_both_directions_with_their_largest_part(groups, told):
    sentence = instrument_words.instructions_told(sum(groups.values()), groups)
    assert sentence == f"With expand_as a call takes {told}"


def test_bytes_of_the_scale_kernel_are_told_against_the_plain_product():
    moved = {"broadcast": 100_000, "expand_as": 100_000, "materialized": 100_000, "opaque": 165_536}
    assert gpu_words.moved_told(moved) == (
        "Against broadcast, the scale kernel moves as many bytes with expand_as and materialized "
        "and 64 KiB more with opaque."
    )
    less = gpu_words.moved_told({"broadcast": 100_000, "expand_as": 34_464})
    assert less == "Against broadcast, the scale kernel moves 64 KiB less with expand_as."


@pytest.mark.parametrize(
    ("digests", "told"), [("aa", "are the same."), ("ab", "are not the same.")]
)
def test_digests_are_told_to_be_the_same_or_not(digests, told):
    forms = [SimpleNamespace(binary_sha256=digest) for digest in digests]
    assert gpu_words.digests_told(forms).endswith(told)


SLOW, FAST = (replace(CARDS[0], name=name, bandwidth=bandwidth)
              for name, bandwidth in (("slow card", 1e11), ("fast card", 1e12)))  # fmt: skip


def bounds(host_s):
    host = HostCost(host_s, 0.0) if host_s else None
    return gpu_words.bounds_told(predictions((CASE, SMALL), host, (FAST, SLOW)), host)


def test_where_the_device_waits_is_told_by_workload_and_card():
    assert bounds(1.0) == (
        "The device is predicted to wait for the host in 4 of 4 pairs of workload and card; the "
        "time that expand_as adds on the host would show there. On every card: 1×1 pixels; host "
        "stage 1, before the pool."
    )
    assert bounds(1e-4).endswith(
        "would show there. On every card: 1×1 pixels. On the named card and those with faster "
        "memory: host stage 1, before the pool (fast card)."
    )
    nowhere = "in 0 of 4 pairs of workload and card, so its memory sets every time."
    assert bounds(1e-15).endswith(nowhere)
    assert bounds(None).endswith("µs. The host's time is not known.")


def test_measured_device_times_are_told_against_the_predicted_ones_on_each_machine():
    times = {"here": {"a": (1.0, 2.0), "b": (1.0, 0.5)}, "there": {"a": (2.0, 2.0)}}
    assert gpu_words.measured_told(times) == (
        "here: the device needs 0.5 to 2 times the predicted time, longer at 1 and shorter at 1 of "
        "2 points. there: the device needs 1 to 1 times the predicted time, longer at 0 and "
        "shorter at 0 of 1 point."
    )


@pytest.mark.parametrize(
    ("steps", "place"),
    [((WRITES, COMPUTES), "before"), ((COMPUTES, WRITES), "after"), ((VIEW, COMPUTES), "view"),
     ((COMPUTES,), "none"), ((WRITES, COMPUTES, WRITES), "both"), ((), "none"),
     ((COMPUTES, WRITES, LAYS_OUT), "after"), ((WRITES, LAYS_OUT, COMPUTES), "before")],
)  # fmt: skip
def test_an_expansion_is_placed_by_what_is_computed_behind_it(steps, place):
    assert place_of_expansion(Trace(steps, None)) == place


def test_the_runtimes_are_told_by_the_place_of_their_expansion():
    runs = {"A": (WRITES, COMPUTES), "B": (COMPUTES, WRITES), "C": (VIEW,), "D": (), "E": (WRITES,)}
    sentence = expansions_told({title: Trace(steps, None) for title, steps in runs.items()})
    assert sentence == (
        "An expansion is written to memory before the multiply in A; an expansion is written to "
        "memory after the multiply in B and E; an expansion is only a view in C; no expansion runs "
        "in D."
    )
    assert set(runtime_words.PLACES) == {"before", "after", "both", "view", "none"}


@pytest.mark.parametrize("verdict", ["slower", "faster"])
def test_a_sweep_counts_how_its_candidate_came_out(verdict):
    rows = [{"record": "the multiply", "verdict": one} for one in (verdict, "equivalent")]
    assert sweep_pages.found(rows) == (
        f"the multiply: the candidate is {verdict} in 1, equal in 1 of 2 measurements."
    )


def positions(crossing):
    """Ten positions; at so many a call takes a page fault and two hundred times as long."""
    return [Calls(1.0, 6e-6)] * crossing + [Calls(0.0, 3e-8)] * (10 - crossing)


@pytest.mark.parametrize(
    ("without", "within", "told"),
    [(2, 0, "at **2 of 10 positions**: there each call causes a page fault and takes 200 times as "
      "long as a call at the median position. With room: at **none**."),
     (0, 0, "at **0 of 10 positions**, so this Python seems to keep its pieces. "
      "With room: at **none**."),
     (1, 1, "at **1 of 10 positions**: there each call causes a page fault and takes 200 times as "
      "long as a call at the median position. With room: at **1**.")],
)  # fmt: skip
def test_where_calls_cross_the_end_of_a_piece_is_told_without_room_and_with_it(
    without, within, told
):
    assert instrument_words.crossings_told(positions(without), positions(within)) == (
        f"Without room, calls cross the end of a piece {told}"
    )
