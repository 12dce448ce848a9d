from itertools import product

import pytest
import torch

from investigation.observe import gradients, layout, ways
from investigation.observe.gradients import GATE, INPUT
from investigation.subject.cases import Case
from investigation.subject.variants import broadcast, expand_as, materialized

CASE = Case(slug="small", name="small", shape=(4, 8, 16, 16))
SIZES = (layout.ORDINARY, (1, 3, 1, 5), (2, 1, 4, 1))


def forgetful(x, gate):
    return (x * gate).contiguous()


def louder(x, gate):
    return x * gate * 1.5


def parted(candidate):
    agreements = gradients.compare_layouts(broadcast, candidate, SIZES, seed=0)
    return [agreement for agreement in agreements if not agreement.alike]


def test_no_layout_tells_the_two_forms_apart():
    assert not parted(expand_as)


def test_a_sum_in_another_order_is_noticed_in_the_gates_gradient_alone():
    noticed = parted(gradients.mirrored)
    assert {agreement.tensor for agreement in noticed if not agreement.same_values} == {GATE}


def test_an_output_that_forgets_channels_last_is_noticed_by_its_strides():
    noticed = parted(forgetful)
    assert {agreement.tensor for agreement in noticed} == {"output"}
    assert all(agreement.same_values and not agreement.same_strides for agreement in noticed)


def test_the_gates_gradient_differs_exactly_where_the_gate_is_less_precise_than_the_product():
    pairs = product(("bfloat16", "float32", "complex128"), repeat=2)
    for result in gradients.compare_dtypes(broadcast, expand_as, pairs, seed=0):
        assert result.differing == ((GATE,) if result.narrower_gate else ()), result


def test_writing_the_gate_out_rounds_as_early_as_the_view_does():
    pairs = [("float32", "bfloat16"), ("float32", "float16")]
    for result in gradients.compare_dtypes(expand_as, materialized, pairs, seed=0):
        assert result.differing == ()


def test_rounding_before_the_sum_loses_accuracy_and_the_smallest_float16_gradients_most():
    def error(scale, dtype, size):
        return gradients.gate_gradient_error(scale, CASE.with_gate(dtype), size)

    for dtype in ("bfloat16", "float16"):
        assert error(expand_as, dtype, 1.0) > error(broadcast, dtype, 1.0)
    assert error(expand_as, "float16", 1e-6) > 5 * error(broadcast, "float16", 1e-6)
    assert error(expand_as, "float32", 1.0) == error(broadcast, "float32", 1.0) < 1e-6


def test_second_gradients_differ_by_rounding_and_by_nothing_else():
    def second(x, gate):
        both = [gradients.second_gradients(scale, x, gate) for scale in (broadcast, expand_as)]
        torch.testing.assert_close(*both)
        return {
            agreement.tensor for agreement in gradients.agreements("", *both) if not agreement.alike
        }

    assert second(*CASE.tensors()) == {GATE}
    assert second(*gradients.whole_numbers(CASE)) == set()


def test_a_gradient_of_a_wrong_scale_is_noticed():
    x, gate = CASE.tensors()
    both = [gradients.scale_gradients(s, x, gate, torch.ones_like(x)) for s in (broadcast, louder)]
    agreements = gradients.agreements("", *both)
    apart = {agreement.tensor for agreement in agreements if not agreement.alike}
    assert apart == {"output", INPUT, GATE}


def test_passes_that_name_other_tensors_are_not_compared():
    with pytest.raises(ValueError, match=r"here: \['a'\] against \['b'\]"):
        list(gradients.agreements("here", {"a": torch.ones(1)}, {"b": torch.ones(1)}))


@pytest.mark.parametrize("way", ways.WAYS)
def test_every_way_of_training_gives_the_same_gradients_and_notices_others(way):
    chosen = {way: ways.WAYS[way]}
    assert all(
        agreement.alike for agreement in ways.compare_ways(broadcast, expand_as, chosen, seed=0)
    )
    noticed = list(ways.compare_ways(broadcast, louder, chosen, seed=0))
    assert {agreement.setting for agreement in noticed if not agreement.same_values} == {
        f"{way}, contiguous", f"{way}, channels_last",
    }  # fmt: skip


@pytest.mark.parametrize("way", ways.SECOND_WAYS | ways.MIXED_WAYS)
def test_second_gradients_and_mixed_dtypes_part_the_block(way):
    chosen = {way: (ways.SECOND_WAYS | ways.MIXED_WAYS)[way]}
    agreements = list(ways.compare_ways(broadcast, expand_as, chosen, seed=0))
    assert any(not agreement.same_values for agreement in agreements)
    assert all(agreement.same_strides for agreement in agreements)


def test_a_detached_input_gets_no_gradient():
    (setting,) = {"detached input": ways.WAYS["detached input"]}.items()
    agreements = ways.compare_ways(broadcast, expand_as, dict([setting]), seed=0)
    assert "gradient of the input" not in {agreement.tensor for agreement in agreements}


def test_second_gradients_of_one_form_agree_with_themselves_and_name_their_setting():
    agreements = gradients.second_agreements("itself", (broadcast, broadcast), *CASE.tensors())
    assert {agreement.setting for agreement in agreements} == {"itself"}
    assert {agreement.tensor for agreement in agreements} == {INPUT, GATE}
    assert all(agreement.alike for agreement in agreements)


def test_errors_are_listed_by_form_one_a_size():
    sizes = [1e-1, 1e-3]
    case = CASE.with_gate("bfloat16")
    errors = gradients.gate_gradient_errors({"broadcast": broadcast}, case, sizes)
    assert errors == {
        "broadcast": [gradients.gate_gradient_error(broadcast, case, size) for size in sizes]
    }
