import torch

from investigation.observe.saved import saved_tensors, storage_bytes
from investigation.subject.variants import broadcast, expand_as, materialized

X, GATE = torch.randn(2, 3, 16, 16), torch.rand(2, 3, 1, 1)


def saved(scale, x_learns=True):
    x, gate = X.detach().requires_grad_(x_learns), GATE.detach().requires_grad_()
    return saved_tensors(lambda: scale(x, gate))


def test_an_expanded_gate_is_saved_as_the_few_numbers_that_it_reads():
    expected = (X.numel() + GATE.numel()) * 4
    assert storage_bytes(saved(expand_as)) == expected
    assert storage_bytes(saved(broadcast)) == expected
    assert (3, 1, 0, 0) in [tensor.stride() for tensor in saved(expand_as)]


def test_a_gate_that_was_written_out_is_saved_in_full():
    assert storage_bytes(saved(materialized)) == 2 * X.numel() * 4


def test_a_detached_input_needs_no_gate_saved():
    assert storage_bytes(saved(expand_as, x_learns=False)) == X.numel() * 4


def test_a_storage_counts_once_however_often_it_is_saved():
    assert storage_bytes([X, X[0], X.transpose(0, 1)]) == X.numel() * 4
    assert storage_bytes([]) == 0
