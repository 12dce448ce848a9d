from types import SimpleNamespace as Planted

import pytest
import torch
from worlds import pairings as counted

from investigation.display.layout_words import copy_told, narrow_gate_told
from investigation.observe import layout
from investigation.subject.variants import SCALES, broadcast, expand_as


def forgetful(x, gate):
    return (x * gate).contiguous()


def differing(candidate, sizes):
    pairings = layout.compare_layouts(expand_as, candidate, sizes, seed=0)
    return [pairing for pairing in pairings if not (pairing.same_layout and pairing.same_values)]


def test_no_pairing_with_elements_differs():
    assert not differing(broadcast, (layout.ORDINARY,))
    assert not [pairing for pairing in differing(broadcast, layout.AMBIGUOUS) if pairing.elements]


def test_a_product_that_forgets_channels_last_is_noticed():
    noticed = {pairing.input_layout for pairing in differing(forgetful, (layout.ORDINARY,))}
    assert "channels_last" in noticed
    assert "contiguous" not in noticed


def test_empty_outputs_differ_in_strides_and_in_nothing_else():
    pairings = differing(broadcast, layout.EMPTY)
    assert pairings
    assert all(pairing.same_values and pairing.elements == 0 for pairing in pairings)


def test_groups_of_shapes_are_compared_and_only_channels_last_selects_from_others(monkeypatch):
    monkeypatch.setattr(layout, "AMBIGUOUS", layout.AMBIGUOUS[:2])
    monkeypatch.setattr(layout, "EMPTY", layout.EMPTY[:2])
    groups = layout.compare_all(expand_as, broadcast, seed=0)
    assert list(groups) == ["ordinary", "ambiguous", "volumes", "empty", "channels_last"]
    selected = groups["channels_last"]
    assert all(pairing.elements and "channels_last" in pairing.input_layout for pairing in selected)
    others = groups["ordinary"] + groups["ambiguous"] + groups["volumes"]
    assert 0 < len(selected) < len(others)
    assert all(any(pairing is other for other in others) for pairing in selected)


def test_the_smallest_pairing_and_the_largest_empty_batch_are_found():
    sizes = ((0, 1, 1, 1), (0, 3, 4, 5), (0, 3, 0, 5), (1, 3, 4, 5))
    pairings = list(layout.compare_layouts(expand_as, broadcast, sizes, seed=0))
    assert layout.smallest(pairings).sizes == (0, 1, 1, 1)
    assert layout.largest_empty_batch(pairings).sizes == (0, 3, 4, 5)
    assert layout.smallest([]) is None
    assert layout.largest_empty_batch([]) is None


def test_a_convolution_is_given_the_product_of_each_form():
    batch = next(layout.compare_layouts(expand_as, broadcast, ((0, 3, 4, 5),), seed=0))
    with_it, without = (layout.convolved(batch, scale, seed=0) for scale in (expand_as, broadcast))
    assert with_it.shape == without.shape == (0, 4, 4, 5)
    assert with_it.product == batch.baseline
    assert without.product == batch.candidate


def in_turn(x, gate):
    """A product in whichever memory format its input does not have."""
    product = x * gate
    formats = torch.channels_last, torch.contiguous_format
    return product.contiguous(memory_format=formats["channels_last" in layout.layout(x).formats])


def test_a_convolution_that_returns_another_layout_is_noticed():
    pairings = list(layout.compare_layouts(broadcast, in_turn, (layout.ORDINARY,), seed=0))
    otherwise = layout.convolved_otherwise(pairings, broadcast, in_turn, seed=0)
    assert {"contiguous", "channels_last"} <= {pairing.input_layout for pairing in otherwise}
    assert layout.convolved_otherwise(pairings, broadcast, broadcast, seed=0) == []


def narrow(baseline, candidate, sizes):
    compared = layout.compare_layouts(baseline, candidate, sizes, 0, layout.NARROW_GATE)
    return [pairing for pairing in compared if not pairing.alike]


def test_with_a_gate_of_lower_precision_strides_differ_only_where_a_size_is_1():
    assert narrow(expand_as, broadcast, (layout.ORDINARY,)) == []
    unlike = narrow(expand_as, broadcast, layout.AMBIGUOUS)
    assert unlike
    assert all(pairing.same_values for pairing in unlike)
    assert layout.convolved_otherwise(unlike, expand_as, broadcast, seed=0)
    assert not any(pairing.of_the_block for pairing in unlike)


def test_the_copy_that_the_multiply_makes_of_such_a_gate_accounts_for_it():
    def copied_in_full(x, gate):
        return x * gate.expand_as(x).to(x.dtype)

    assert narrow(expand_as, copied_in_full, layout.AMBIGUOUS) == []
    assert narrow(broadcast, copied_in_full, layout.AMBIGUOUS)


@pytest.mark.parametrize("name", layout.GATES)
def test_a_cast_gate_lies_as_before(name):
    gate = layout.GATES[name](layout.ORDINARY, torch.Generator().manual_seed(0))
    cast = layout.cast_as_it_lies(gate, torch.bfloat16)
    assert (cast.stride(), cast.storage_offset()) == (gate.stride(), gate.storage_offset())
    assert torch.equal(cast, gate.to(torch.bfloat16))


def test_volumes_keep_channels_last_3d():
    pairings = list(layout.compare_volumes(expand_as, broadcast, seed=0))
    assert all(pairing.same_layout for pairing in pairings)
    assert any("channels_last_3d" in pairing.candidate.formats for pairing in pairings)


def test_every_input_layout_has_the_shape_it_says():
    generator = torch.Generator().manual_seed(0)
    for make in layout.INPUTS.values():
        assert make(layout.ORDINARY, generator).shape == layout.ORDINARY
    for make in layout.GATES.values():
        assert make(layout.ORDINARY, generator).shape == (2, 3, 1, 1)


def test_the_block_is_alike_forward_and_backward():
    for detached in (False, True):
        traces = list(
            layout.compare_blocks("expand_as", "broadcast", torch.channels_last, detached, seed=0)
        )
        assert all(trace.same_layout and trace.same_values for trace in traces)
        assert {"output", "gradient of the input"} < {trace.tensor for trace in traces}


def test_a_block_that_forgets_channels_last_is_noticed(monkeypatch):
    monkeypatch.setattr("investigation.subject.variants.SCALES", {**SCALES, "forgetful": forgetful})
    traces = layout.compare_blocks("expand_as", "forgetful", torch.channels_last, False, seed=0)
    assert not next(trace for trace in traces if trace.tensor == "output").same_layout


def unlike(size, same_values=True):
    """A pairing whose product differs in bits or in strides, at a shape with this size."""
    return Planted(sizes=(2, 3, 4, size), same_values=same_values, same_layout=not same_values)


@pytest.mark.parametrize(
    ("pairings", "more", "sentences"),
    [
        (
            [],
            {"convolved": 0, "in_the_block": 0},
            ["products have the same strides and bits in all 9 pairings."],
        ),
        (
            [unlike(1), unlike(1)],
            {"convolved": 0, "in_the_block": 0},
            [
                "None of them has input and gate laid out as in the ticket's block",
                "products differ: the strides in 2 of 9 pairings**, all of them with a dimension",
                "A convolution after the product returns the same layout in both forms.",
            ],
        ),
        (
            [unlike(1), unlike(2, same_values=False)],
            {"convolved": 1, "in_the_block": 2},
            [
                "2 of them have input and gate laid out as in the ticket's block",
                "the strides in 1 of 9 and the bits in 1 of 9 pairings**, 1 of them without a",
                "In 1 of them a convolution after the product returns another layout",
            ],
        ),
    ],
)
def test_a_sentence_tells_what_differs_with_a_gate_of_lower_precision(pairings, more, sentences):
    told = narrow_gate_told(counted("narrow_gate", len(pairings), **more), pairings)
    assert all(sentence in told for sentence in sentences)


def test_what_was_not_counted_is_no_none():
    with pytest.raises(ValueError, match="not counted in the block, or behind a convolution"):
        narrow_gate_told(counted("narrow_gate", 1, convolved=0), [unlike(1)])


def test_a_sentence_tells_whether_the_copy_accounts_for_the_strides():
    assert "accounts for the strides of both forms in all 9 pairings" in copy_told(0, 9)
    assert copy_told(2, 9) == "The copy does not account for 2 of 9 pairings."
