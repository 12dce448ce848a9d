import pytest
import torch

from investigation.observe import eager_calls, torch_source
from investigation.observe.eager_calls import launches
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
    assert [(one.name, one.is_view, one.device) for one in calls] == [
        ("expand", True, "cuda"), ("mul.Tensor", False, "cuda"),
    ]  # fmt: skip


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_the_block_launches_as_much_in_both_forms(layout):
    case = CASE.with_format(layout)
    made = {name: eager_calls.block_calls(name, case) for name in SCALES}
    counts = {name: launches(calls) for name, calls in made.items()}
    assert counts["expand_as"] == counts["broadcast"] == counts["materialized"] - 1
    assert len(made["expand_as"]) == len(made["broadcast"]) + 1


def test_backward_launches_as_much_in_both_forms():
    counts = {
        name: launches(eager_calls.backward_calls(scale, CASE)) for name, scale in SCALES.items()
    }
    assert counts["expand_as"] == counts["broadcast"] == counts["materialized"] - 1


def test_a_call_that_only_changes_strides_launches_nothing():
    x = torch.empty(2, 3, device="meta")
    calls = eager_calls.listed_calls(lambda: x.t().as_strided_((3, 2), (2, 1)).add(1))
    assert [(one.name, one.launches) for one in calls] == [
        ("t", False), ("as_strided_", False), ("add.Tensor", True),
    ]  # fmt: skip


def test_a_comment_of_torchs_own_is_found_or_its_absence_said(tmp_path):
    assert "pushed down into the kernel" in torch_source.comment(torch_source.CASTING, "On CUDA")
    (tmp_path / "a.h").write_text("// one\n// two\nint x;\n// three\n")
    assert torch_source.comment("a.h", "two", tmp_path) == "one two"
    with pytest.raises(LookupError, match=r"a\.h has no comment on 'four'"):
        torch_source.comment("a.h", "four", tmp_path)
    with pytest.raises(LookupError, match=r"b\.h is not installed"):
        torch_source.comment("b.h", "one", tmp_path)
