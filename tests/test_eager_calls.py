import pytest
import torch

from investigation.compiled import compile_settings
from investigation.observe import eager_calls
from investigation.observe.eager_calls import launches, launching
from investigation.subject.cases import Case
from investigation.subject.variants import SCALES

CASE = Case(slug="x", name="x", shape=(8, 16, 4, 4))


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_the_multiply_is_one_launch_in_both_forms_and_the_copy_one_more(dtype, layout):
    case = CASE.with_format(layout).model_copy(update={"gate_dtype": dtype})
    counts = {
        name: launches(eager_calls.multiply_calls(scale, case)) for name, scale in SCALES.items()
    }
    assert counts == {"expand_as": 1, "broadcast": 1, "materialized": 2}


def test_every_call_is_on_the_device_that_is_not_there():
    calls = eager_calls.multiply_calls(SCALES["expand_as"], CASE)
    assert [(call.name, call.is_view, call.device) for call in calls] == [
        ("expand", True, "cuda"), ("mul.Tensor", False, "cuda"),
    ]  # fmt: skip


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_the_block_launches_as_much_in_both_forms(layout):
    case = CASE.with_format(layout)
    block_calls = {name: eager_calls.block_calls(name, case) for name in SCALES}
    counts = {name: launches(calls) for name, calls in block_calls.items()}
    assert counts["expand_as"] == counts["broadcast"] == counts["materialized"] - 1
    assert len(block_calls["expand_as"]) == len(block_calls["broadcast"]) + 1


def test_backward_launches_as_much_in_both_forms():
    counts = {
        name: launches(eager_calls.backward_calls(scale, CASE)) for name, scale in SCALES.items()
    }
    assert counts["expand_as"] == counts["broadcast"] == counts["materialized"] - 1


def test_a_call_that_only_changes_strides_launches_nothing():
    x = torch.empty(2, 3, device="meta")
    calls = eager_calls.listed_calls(lambda: x.t().as_strided_((3, 2), (2, 1)).add(1))
    assert [(call.name, call.launches) for call in calls] == [
        ("t", False), ("as_strided_", False), ("add.Tensor", True),
    ]  # fmt: skip


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
@pytest.mark.parametrize("calls", [eager_calls.multiply_calls, eager_calls.backward_calls])
def test_what_both_forms_launch_is_the_same_call_by_call_and_the_copys_is_not(calls, layout):
    launched = {name: launching(calls(SCALES[name], CASE.with_format(layout))) for name in SCALES}
    assert launched["expand_as"] == launched["broadcast"] != launched["materialized"]
    assert launched["expand_as"][0] == (
        "mul.Tensor(float32 8×16×4×4 in steps of "
        + {"contiguous": "(256, 16, 4, 1)", "channels_last": "(256, 1, 64, 16)"}[layout]
        + "; float32 8×16×4×4 in steps of (16, 1, 0, 0)) → float32 8×16×4×4 in steps of "
        + {"contiguous": "(256, 16, 4, 1)", "channels_last": "(256, 1, 64, 16)"}[layout]
    )


def test_the_blocks_launches_are_the_same_call_by_call():
    launched = {name: launching(eager_calls.block_calls(name, CASE)) for name in SCALES}
    assert launched["expand_as"] == launched["broadcast"] != launched["materialized"]


def test_as_many_launches_in_another_order_are_not_the_same():
    case = CASE.with_gate("bfloat16")
    backward = [
        eager_calls.backward_calls(SCALES[form], case) for form in ("expand_as", "broadcast")
    ]
    assert launches(backward[0]) == launches(backward[1])
    assert launching(backward[0]) != launching(backward[1])


@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: x / y,  # another name
        lambda x, y: x[:1] * y[:1],  # another shape
        lambda x, y: x * y.mT,  # other strides
        lambda x, y: x * y[..., :1],  # a gate that is repeated
        lambda x, y: x * y.bfloat16(),  # another dtype
    ],
)
def test_a_launch_that_differs_in_anything_is_another(change):
    x, y = torch.empty(2, 3, 4, 4), torch.empty(2, 3, 4, 4)
    plain, other = (
        launching(eager_calls.listed_calls(run))[-1]
        for run in (lambda: x * y, lambda: change(x, y))
    )
    assert plain != other


def test_a_launch_with_another_argument_is_another():
    x = torch.empty(2, 3)
    first, second = (
        launching(eager_calls.listed_calls(run))
        for run in (lambda: x.add(x, alpha=1), lambda: x.add(x, alpha=2))
    )
    assert first != second


@pytest.mark.parametrize("dtype", compile_settings.AUTOCAST_TO)
def test_under_autocast_the_block_is_cast_by_the_policy_of_its_device(dtype):
    case = CASE.with_gate(dtype)
    launched = {
        device: launching(eager_calls.block_calls("expand_as", case, device))
        for device in ("cpu", "cuda")
    }
    assert (
        launched["cuda"] == launched["cpu"] != launching(eager_calls.block_calls("expand_as", CASE))
    )
    assert any(f"→ {dtype}" in call for call in launched["cuda"])
    assert not any(map(torch.is_autocast_enabled, ("cpu", "cuda")))


@pytest.mark.parametrize("dtype", compile_settings.AUTOCAST_TO)
def test_a_block_that_the_two_policies_cast_differently_would_be_noticed(monkeypatch, dtype):
    class Exponential(eager_calls.SEBlock):
        def forward(self, x):
            return super().forward(x.to(getattr(torch, dtype)).exp())  # CUDA's alone widens it

    monkeypatch.setattr(eager_calls, "SEBlock", Exponential)
    case = CASE.with_gate(dtype)
    on_cpu, on_cuda = (
        launching(eager_calls.block_calls("expand_as", case, device)) for device in ("cpu", "cuda")
    )
    assert on_cpu != on_cuda
