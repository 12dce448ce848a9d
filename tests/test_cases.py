import pytest
import torch
from pydantic import ValidationError

from investigation.subject.cases import (
    Case,
    case_of_run,
    host_workloads,
    resnet_workloads,
    workloads_of_run,
)

CASE = Case(slug="small", name="small", shape=(2, 3, 4, 5))


def test_a_case_makes_the_same_tensors_each_time():
    for tensor, other in zip(CASE.tensors(), CASE.tensors(), strict=True):
        assert torch.equal(tensor, other)


def test_a_case_in_channels_last_has_the_same_numbers():
    x, _ = CASE.tensors()
    y, _ = CASE.with_format("channels_last").tensors()
    assert torch.equal(x, y)
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_a_gate_can_have_a_dtype_of_its_own():
    x, gate = CASE.with_gate("bfloat16").tensors()
    assert (x.dtype, gate.dtype) == (torch.float32, torch.bfloat16)


def test_scaling_reads_the_input_once_and_writes_the_output_once():
    assert CASE.bytes_moved == 2 * 4 * 2 * 3 * 4 * 5


def test_a_shape_of_the_wrong_rank_is_refused():
    with pytest.raises(ValidationError):
        Case(slug="flat", name="flat", shape=(2, 3))


def test_the_workloads_are_those_of_the_two_networks():
    assert [case.shape for case in host_workloads(128)] == [
        (128, 32, 32, 32), (128, 32, 16, 16), (128, 64, 16, 16),
        (128, 64, 8, 8), (128, 128, 8, 8), (128, 128, 4, 4),
    ]  # fmt: skip
    assert [case.shape[1:] for case in resnet_workloads(1)] == [
        (256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7),
    ]  # fmt: skip


def test_the_shape_of_a_run_that_is_a_named_workloads_is_run_once():
    named = workloads_of_run(case_of_run((2, 3, 4, 5), seed=7), 128, 8)
    repeated = workloads_of_run(case_of_run(host_workloads(128)[2].shape, seed=7), 128, 8)
    assert len(named) == len(repeated) + 1
    assert repeated[0].slug == "reader"
    assert len({case.shape for case in repeated}) == len(repeated)
