"""Sentences of the chapters that state an outcome, each in a world and in its opposite."""

from types import SimpleNamespace

import pytest
from worlds import (
    CASE,
    block_in,
    equality,
    in_place,
    multiply,
    network,
    of_size,
    program,
    run,
    second_gradients,
)

from investigation.display import compiled_words, outcomes, training_figures
from investigation.display.eager_words import against_a_copy, reasons_told
from investigation.display.training_words import noticed_told, second_gradients_told
from investigation.evidence import words
from investigation.evidence.kinds.timings import Timing
from investigation.observe.autograd_graph import Gradient, Node
from investigation.subject.memory_formats import MEMORY_FORMATS

# The tables below the grid look at these settings only, so the sentence speaks of no others.
NONE_DIFFER = "No kernels differ with static shapes and contiguous tensors."
SLOW, QUICK = multiply(1.2, "slower"), multiply(0.8, "faster")


def test_an_outcome_is_that_of_one_of_many_except_for_a_networks_step():
    lucky = multiply(1.02, "slower", in_family="inconclusive")
    assert lucky.outcome == "inconclusive"
    assert multiply(1.001, "equivalent", in_family="inconclusive").outcome == "equivalent"
    assert multiply(1.2, "slower").outcome == "slower"
    step = network(1.02, "slower")[0]
    wide = step.alone.model_copy(update={"verdict_in_family": "inconclusive"})
    assert step.model_copy(update={"alone": wide}).outcome == "slower"


def test_timings_are_counted_by_outcome():
    assert outcomes.counted([]) == "nothing was timed"
    assert outcomes.counted([SLOW, SLOW, QUICK]) == "slower in 2, faster in 1 of 3"
    assert outcomes.counted([multiply()]) == "equal in 1 of 1"


def test_a_timing_is_told_with_its_outcome_and_its_warnings():
    lucky = multiply(1.02, "slower", in_family="inconclusive")
    warned = Timing.model_validate(lucky.model_dump() | {"warnings": ["costs differ by call"]})
    assert outcomes.told(lucky).startswith("undecided (slower at 95 %), +2.00 %")
    assert outcomes.told(warned).endswith("; warning: costs differ by call")


def test_extremes_name_both_directions_or_none():
    def named(timing):
        return timing.case.name

    assert outcomes.extremes([multiply()], named) == "None is slower or faster"
    both = outcomes.extremes([SLOW, QUICK], named)
    assert both.startswith(f"Largest slowdown: {CASE.name}, +20.0 %")
    assert f"largest speed-up: {CASE.name}, −20.0 %" in both


@pytest.mark.parametrize(
    ("at_the_largest", "width", "words"),
    [
        (1.02, 0.002, "agrees with a fixed time"),
        (1.05, 0.002, "**The prediction of a fixed time was wrong.**"),
        (1.02, 0.018, "too wide to tell"),
    ],
)
def test_a_time_over_sizes_is_fixed_wrong_or_not_to_be_told(at_the_largest, width, words):
    sizes = [of_size(1.02), multiply(at_the_largest, width=width)]
    text = outcomes.over_sizes(sizes)
    assert words in text
    assert "adds 2,000 ns at the smallest size" in text
    assert "Most is shown at" in text


def test_sizes_are_counted_and_the_largest_slower_one_is_named():
    text = outcomes.over_sizes([of_size(1.2), multiply(1.0)])
    assert "slower at 1 of 2 sizes, and equal at 1." in text
    assert "The largest slower size has **16 elements**" in text
    assert "slower size" not in outcomes.over_sizes([of_size(1.0), multiply(1.0)])


def test_where_most_is_added_is_a_size_that_is_slower():
    undecided = multiply(1.5, "slower", in_family="inconclusive")
    assert "Most is shown at 16 elements" in outcomes.over_sizes([of_size(1.2), undecided])
    assert "Most is shown" not in outcomes.over_sizes([of_size(1.0), undecided])


@pytest.mark.parametrize(
    ("expanded", "behind", "meaning"),
    [
        (1.0, 1.09, "of the plain gate: equal. Both point to cold caches as the reason"),
        (1.0, 1.02, "of the plain gate: equal. Neither explanation is shown"),
        (1.2, 1.09, "of the plain gate: slower. Both explanations hold"),
        (1.2, 1.02, "of the plain gate: slower. The expanded gate slows the multiply; for cold"),
        (0.8, 1.09, "of the plain gate: faster. Cold caches cost time. The expanded gate does not"),
        (0.8, 1.02, "of the plain gate: faster. Neither explanation is shown"),
        (1.01, 1.09, "of the plain gate: undecided. Cold caches cost time. Whether"),
        (1.01, 1.02, "of the plain gate: undecided. This does not decide between the two"),
        (1.0, 1.023, "Neither explanation is shown"),  # the intervals overlap
    ],
)
def test_what_makes_a_call_cost_more_is_told_from_both_comparisons(expanded, behind, meaning):
    told = reasons_told(multiply(expanded), of_size(1.02), behind=of_size(behind))
    assert meaning in told
    assert "without it, 2,000 ns (1,800 ns to 2,200 ns)." in told


def test_ways_of_multiplying_are_compared_with_a_copy_in_pairs():
    def compared(ratio):
        return SimpleNamespace(ratio=ratio, ratio_interval=(ratio - 0.01, ratio + 0.01),
                               confidence=0.95)  # fmt: skip

    told = against_a_copy({"into memory": compared(1.0), "as written": compared(1.5)})
    assert told == (
        "Time against a copy, with its interval at 95 %: into memory +0.00 % (−1.00 to +1.00); "
        "as written +50.0 % (+49.0 to +51.0)."
    )


def test_an_expanded_gate_is_judged_as_one_of_many():
    lucky = multiply(1.02, "slower", in_family="inconclusive")
    assert "plain gate: undecided." in reasons_told(lucky, of_size(1.02), behind=of_size(1.02))


@pytest.mark.parametrize(
    ("writer", "other", "parts"),
    [
        ((1.6, "slower"), (1.0, "equivalent"),
         ("write more with the line: slower in 1 of 1", "write no more: equal in 1 of 1")),
        ((0.8, "faster"), (1.6, "slower"),
         ("write more with the line: faster in 1 of 1", "write no more: slower in 1 of 1")),
    ],
)  # fmt: skip
def test_what_is_said_of_writers_follows_their_timings(writer, other, parts):
    programs = [program("library", 2**20), program("compiler", 0)]
    sentence = outcomes.of_writers(
        programs, [block_in("library", *writer), block_in("compiler", *other)]
    )
    assert all(part in sentence for part in parts)


def test_a_program_that_writes_less_with_the_line_is_no_writer_and_one_untimed_says_so():
    less = outcomes.of_writers([program("library", -8)], [block_in("library", 0.8)])
    assert less == "Programs: in the 1 that write no more: faster in 1 of 1 timings."
    untimed = outcomes.of_writers([program("library", 8)], [])
    assert untimed == "Programs: in the 1 that write more with the line: nothing was timed."
    assert outcomes.of_writers([], []) == "Programs: nothing was timed."


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (6.3e-6, "6.3e-06"), (6.31e-6, "6.4e-06"), (0.0999, "0.1"), (141, "150")],
)
def test_a_maximum_is_never_rounded_down(value, shown):
    assert words.rounded_up(value) == shown
    assert float(shown) >= value


@pytest.mark.parametrize(
    ("block", "random", "whole", "words"),
    [
        (0, [True, True], 0, "have the same bits: the prediction holds."),
        (
            8,
            [True, False],
            0,
            "8 of 10 tensors of the block differ**, and 1 of 2 of the",
        ),
        (8, [True, False], 0, "With whole numbers none differs, so the difference is one of round"),
        (0, [True, False], 0, "was wrong: 0 of 10 tensors of the block differ**, and 1 of 2 of"),
        (8, [False, False], 1, "They differ with whole numbers too, so rounding is not the only"),
        (8, [True, True], 0, "The scale step alone does not show why the block differs."),
    ],
)
def test_second_gradients_are_the_same_or_their_difference_has_a_reason(
    block, random, whole, words
):
    whole_numbers = equality("second_gradients_of_whole_numbers", 2, whole)
    sentence = second_gradients_told(second_gradients(block), random, whole_numbers)
    assert words in sentence
    assert ("prediction holds" in sentence) == (not block and all(random) and not whole)
    reasons = ("one of rounding", "not the only reason", "does not show why")
    assert sum(reason in sentence for reason in reasons) == ("wrong" in sentence)


@pytest.mark.parametrize(
    ("parted", "shares", "told"),
    [
        ((), (0.0, 0.0), "**training does not notice**: the losses are the same in all runs, and"),
        ((4,), (0.0, 0.0), "**training notices**: the losses differ in 1 of 2 runs (penalty)."),
        ((), (0.1, 0.0), "**training notices**: a step is slower in contiguous."),
        ((4,), (0.1, -0.1), "(penalty), a step is slower in contiguous and a step is faster in ch"),
        ((), (0.0, 0.01), "**not decided whether training notices**: the losses are the same in"),
    ],
)
def test_by_its_rule_training_notices_or_not_or_it_is_not_decided(parted, shares, told):
    runs = [run("contiguous"), run("penalty", *parted)]
    steps = {
        name: next(iter(in_place("training_step", 1 + share, formats=(name,))))
        for name, share in zip(MEMORY_FORMATS, shares, strict=True)
    }
    assert told in noticed_told(runs, steps)


def row(alike, plain, expanded, name="block"):
    return {"compiled": name, "one form against the other": alike,
            "broadcast against eager": plain, "expand_as against eager": expanded}  # fmt: skip


def test_which_form_has_eager_modes_bits_is_read_off_the_table():
    same, other = compiled_words.SAME, "differ"
    sentence = compiled_words.bits_told(
        [row(other, other, same, "a"), row(other, same, other, "b")]
    )
    assert "same bits in 0 of 2 programs" in sentence
    assert "`x * y` returns eager mode's bits in *b*" in sentence
    assert "`x * y.expand_as(x)` returns eager mode's bits in *a*" in sentence
    neither = compiled_words.bits_told([row(same, other, other)])
    assert neither.count("in none of them") == 2
    assert compiled_words.bits_told([]) == NONE_DIFFER


def pairing(plain, expanded, kind="multiply, training"):
    programs = [
        SimpleNamespace(passes=loops, buffers=buffers) for loops, buffers in (plain, expanded)
    ]
    return SimpleNamespace(
        setting=SimpleNamespace(kind=kind), baseline=programs[0], candidate=programs[1]
    )  # fmt: skip


def test_which_form_needs_more_loops_or_buffers_is_told_in_both_directions():
    plain_more = compiled_words.loops_told([pairing((2, 2), (1, 1)), pairing((1, 1), (1, 1))])
    assert plain_more == (
        "`x * y` needs more in *multiply, training* (1 loop and 1 buffer). Both need the "
        "same in 1 of 2 kinds of program."
    )
    assert "`x * y.expand_as(x)` needs more" in compiled_words.loops_told([pairing((1, 1), (2, 1))])
    assert compiled_words.loops_told([]) == NONE_DIFFER


def test_a_graph_is_told_by_what_reaches_its_expansion_and_its_gate():
    full, small = Gradient((2, 3, 4, 5), "bfloat16"), Gradient((2, 3, 1, 1), "float32")
    expansion = Node("ExpandBackward", full, (1,))
    gate = Node("gradient of gate", small, ())
    sentence = training_figures.graphs_told({"expand_as": [expansion, gate], "broadcast": [gate]})
    assert sentence == (
        "With expand_as: 1 node of the expansion, which gets (2, 3, 4, 5) bfloat16, and the gate "
        "gets (2, 3, 1, 1) float32. With broadcast: 0 nodes of the expansion, and the gate gets "
        "(2, 3, 1, 1) float32."
    )
    turned = training_figures.graphs_told({"expand_as": [gate], "broadcast": [expansion]})
    assert "With expand_as: 0 nodes of the expansion" in turned
    assert turned.endswith("which gets (2, 3, 4, 5) bfloat16, and the gate gets nothing.")


def test_errors_are_compared_in_both_directions():
    def sentence(with_it, without):
        errors = {"float16": {"expand_as": with_it, "broadcast": without}}
        return training_figures.errors_told(errors, sizes=[1e-2, 1e-3, 1e-4], met=[2e-4, 1e-2])

    assert "gradient is 2 to 3 times as large for float16." in sentence([2, 6, 9], [1, 2, 1])
    assert "is 0.25 to 0.5 times as large for float16." in sentence([1, 1, 9], [2, 4, 1])
    assert "is 2 times as large for float16." in sentence([2, 4, 9], [1, 2, 1])
    assert training_figures.errors_told({}, sizes=[1.0], met=[0.1, 0.2]) == (
        "With expand_as: no size of the network's gradients was tried."
    )
