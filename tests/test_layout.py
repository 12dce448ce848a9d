import torch

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
    with_it, without = layout.convolved(batch, {"with": expand_as, "without": broadcast}, seed=0)
    assert (with_it["form"], without["form"]) == ("with", "without")
    assert with_it["convolution returns"] == without["convolution returns"] == "(0, 4, 4, 5)"


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
