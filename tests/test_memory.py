import pytest
import torch

from investigation.observe import memory
from investigation.subject.variants import SCALES, broadcast, expand_as, materialized

X, GATE = torch.randn(2, 3, 16, 16), torch.rand(2, 3, 1, 1)
EXPANDED_BYTES = X.numel() * 4


def extra(scale, gate=GATE):
    return memory.bytes_allocated(lambda: scale(X, gate)) - EXPANDED_BYTES


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(24).reshape(2, 3, 4),
        torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1),
        torch.arange(24).reshape(2, 3, 4)[:, 1:, ::2],
        torch.arange(3).reshape(1, 3, 1).expand(2, 3, 4),
    ],
)
def test_an_address_is_where_the_element_lies(tensor):
    storage = torch.arange(24)[: tensor.untyped_storage().nbytes() // 8]
    assert torch.equal(storage[memory.addresses(tensor)], tensor)


def test_the_multiply_is_handed_a_view_a_gate_or_a_copy():
    operands = {name: memory.multiplied_gate(scale, X, GATE) for name, scale in SCALES.items()}
    assert operands["broadcast"] is GATE
    assert memory.shares_storage(operands["expand_as"], GATE)
    assert memory.place(operands["expand_as"]).stride == (3, 1, 0, 0)
    assert not memory.shares_storage(operands["materialized"], GATE)


def test_a_scale_that_does_not_multiply_has_no_operand():
    with pytest.raises(LookupError, match="the scale did not multiply"):
        memory.multiplied_gate(torch.add, X, GATE)


def test_the_dtypes_of_every_multiply_are_noted():
    assert memory.multiplied_dtypes(lambda: expand_as(X, GATE.bfloat16()) * 2 * X) == [
        ("float32", "bfloat16"), ("float32", "float32"),
    ]  # fmt: skip


def test_the_profiler_sees_a_copy_and_only_a_copy():
    assert extra(expand_as) == 0
    assert extra(broadcast) == 0
    assert extra(materialized) == EXPANDED_BYTES


def test_what_is_freed_again_inside_one_call_still_counts():
    half = GATE.bfloat16()
    assert extra(expand_as, half) == EXPANDED_BYTES
    assert extra(broadcast, half) == GATE.numel() * 4


def test_calls_are_listed_with_their_nesting():
    calls = memory.profiled_calls(lambda: expand_as(X, GATE))
    assert [(call.name, call.depth) for call in calls] == [
        ("aten::expand_as", 0), ("aten::expand", 1), ("aten::as_strided", 2), ("aten::mul", 0),
    ]  # fmt: skip


def test_a_phase_asks_for_all_and_holds_what_is_not_freed():
    tensors = []
    phases = memory.by_phase(
        {
            "first": lambda: tensors.append(torch.empty(1000).clone()),
            "second": lambda: tensors.append(tensors[0].clone()),
        }
    )
    assert phases["first"] == memory.PhaseMemory(bytes_asked=8000, peak_bytes=8000)
    assert phases["second"] == memory.PhaseMemory(bytes_asked=4000, peak_bytes=8000)


def test_a_phase_that_asks_for_nothing_holds_nothing():
    assert memory.by_phase({"idle": lambda: None}) == {"idle": memory.PhaseMemory(0, 0)}
