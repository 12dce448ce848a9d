"""The line on other kinds of tensors, in place, and shared out over processes."""

import pytest
import torch
from torch import distributed as torch_distributed

from investigation.evidence.kinds.correctness import Support
from investigation.observe import distributed, tensor_kinds, writing
from investigation.subject.cases import Case

CASE = Case(slug="small", name="small", shape=(4, 8, 6, 6))
OUTPUT = 4 * CASE.elements
pytestmark = pytest.mark.filterwarnings("ignore:The PyTorch API of nested:UserWarning")


def test_a_kind_that_both_forms_take_is_compared_and_one_that_a_form_refuses_is_not(monkeypatch):
    assert tensor_kinds.compare_kind("complex", 1).same is True
    different = {"expand_as": lambda x, y: x * y, "broadcast": lambda x, y: x * y * 2}
    monkeypatch.setattr(tensor_kinds, "FORMS", different)
    assert tensor_kinds.compare_kind("complex", 1).same is False
    assert tensor_kinds.compare_kind("sparse, dense gate", 1).same is False

    def refuses(*_):
        raise RuntimeError("not for these\nat all")

    monkeypatch.setattr(tensor_kinds, "FORMS", different | {"broadcast": refuses})
    compared = tensor_kinds.compare_kind("complex", 1)
    assert (compared.refusals, compared.same) == (
        {"expand_as": None, "broadcast": "not for these"},
        None,
    )


@pytest.mark.parametrize("kind", tensor_kinds.KINDS)
def test_every_kind_is_what_its_name_says_and_gets_an_answer(kind):
    x, _ = tensor_kinds.KINDS[kind][0](torch.Generator().manual_seed(1))
    assert x.is_complex() == (kind == "complex")
    assert x.is_nested == kind.startswith("nested")
    assert (x.layout == torch.sparse_csr) == ("CSR" in kind)
    assert x.is_mkldnn == (kind == "mkldnn")
    compared = tensor_kinds.compare_kind(kind, 1)
    assert compared.refusals.keys() == {"expand_as", "broadcast"}
    assert (compared.same is None) == any(compared.refusals.values())


def test_gates_of_every_rank_that_both_accept_are_tried_and_a_difference_shows(monkeypatch):
    by_shape = tensor_kinds.compare_ranks(1)
    assert {len(shape) for shape in by_shape} == {0, 1, 2, 3, 4}
    monkeypatch.setattr(tensor_kinds, "broadcast", lambda x, gate: (x * gate) + 1)
    assert not any(tensor_kinds.compare_ranks(1).values())


def test_what_takes_a_kind_of_tensor_is_said_in_words():
    def support(**refusals):
        return Support(statement="x", tensor="x", refusals=refusals, same=None).value

    assert support(expand_as=None, broadcast=None) == "expand_as and broadcast"
    assert support(expand_as="no", broadcast=None) == "broadcast"
    assert support(expand_as="no", broadcast="no") == "neither form"


def test_in_place_nothing_is_asked_for_and_the_expansion_adds_its_copy_all_the_same():
    same, mixed = (writing.compare_ways(case) for case in (CASE, CASE.with_gate("bfloat16")))
    bytes_of = {way: written.bytes_asked for way, written in same.items()}
    assert bytes_of["x * y"] == bytes_of["x * y.expand_as(x)"] == OUTPUT
    assert bytes_of["x.mul_(y)"] == bytes_of["torch.mul(x, y, out=out)"] == 0
    copied = mixed["x.mul_(y.expand_as(x))"].bytes_asked - mixed["x.mul_(y)"].bytes_asked
    assert copied > OUTPUT / 2
    assert len(same["x.mul_(y.expand_as(x))"].calls) > len(same["x.mul_(y)"].calls)


def test_the_line_dispatches_an_operation_more_to_dtensor_and_leaves_no_group_behind():
    operations = distributed.dispatched(CASE)
    assert [operation.partition(".")[0] for operation in operations["expand_as"]] == [
        "expand",
        "mul",
    ]
    assert [operation.partition(".")[0] for operation in operations["broadcast"]] == ["mul"]
    assert not torch_distributed.is_initialized()
    assert distributed.dispatched(CASE) == operations, "and it can be asked again"
