"""Which tensors of a generated program are as large as its input, read in its text."""

import pytest

from investigation.compiled.kernel_source import SourceError
from investigation.compiled.tensor_sizes import full_size
from investigation.subject.cases import Case

CASE = Case(slug="small", name="small", shape=(2, 8, 4, 3))
STATIC = """
def call(args):
    arg0_1, arg1_1 = args
    assert_size_stride(arg0_1, (2, 8, 4, 3), (96, 12, 3, 1))
    assert_size_stride(arg1_1, (2, 8, 1, 1), (8, 1, 1, 1))
    {}
    return (buf0, )
"""
DYNAMIC = """
def call(args):
    arg0_1, arg1_1, arg2_1 = args
    s77 = arg0_1
    s0 = arg1_1
    assert_size_stride(arg2_1, (s77, 8, s0, 3), (24*s0, 3*s0, 3, 1), 'input')
    {}
    return (buf0, )
"""
TOGETHER = """
def call(args):
    arg0_1, arg1_1 = args
    assert_size_stride_grouped((arg0_1, arg1_1), ((2, 8, 4, 3), (2, 8, 1, 1)), ((96, 12, 3, 1), (8, 1, 1, 1)))
    {}
    return (buf0, )
"""  # noqa: E501


def allocated(size, dtype="float32", device="cpu"):
    return f"buf0 = empty_strided_{device}(({size}), (1, 1, 1, 1), torch.{dtype})"


COUNTED = [
    (STATIC, allocated("2, 8, 4, 3"), 1),
    (STATIC, allocated("2, 8, 4, 3", device="cuda"), 1),
    (STATIC, allocated("2, 96"), 1),  # as large in another shape
    (STATIC, allocated("2, 8, 4, 2"), 0),
    (STATIC, allocated("2, 8, 1, 1"), 0),
    (STATIC, "buf0 = extern_kernels.mm(arg0_1, arg1_1)", 0),
    # Memory that another tensor takes over, and a second name of one tensor.
    (STATIC, "buf0 = arg0_1; del arg0_1", 1),
    (STATIC, "buf0 = arg1_1; del arg1_1", 0),
    (STATIC, "buf0 = reinterpret_tensor(arg0_1, (2, 96), (96, 1), 0); del arg0_1", 1),
    (STATIC, f"{allocated('2, 8, 4, 3')}; buf1 = buf0; del buf0", 2),
    (STATIC, f"{allocated('2, 8, 4, 3')}; buf1 = buf0", 1),
    (DYNAMIC, allocated("s77, 8, s0, 3"), 1),
    (DYNAMIC, allocated("s77, 24*s0"), 1),
    (DYNAMIC, allocated("s77, 8*(s0 // 2), 3"), 0),
    (DYNAMIC, allocated("s77, 8"), 0),
    (TOGETHER, allocated("2, 8, 4, 3"), 1),
    # What an operation returns that was not generated is checked, under its last name.
    (STATIC, "buf0 = torch.ops.copy(arg1_1); assert_size_stride(buf0, (2, 8, 4, 3), ())", 1),
    (STATIC, "buf0 = torch.ops.copy(arg1_1); assert_size_stride(buf0, (2, 8, 1, 1), ())", 0),
    (TOGETHER, "assert_tensor_metadata(buf0, (2, 8, 4, 3), (), torch.float32)", 1),
]


@pytest.mark.parametrize(("program", "line", "count"), COUNTED)
def test_a_tensor_is_as_large_as_the_input_by_its_elements(program, line, count):
    assert full_size(program.format(line), CASE) == count


@pytest.mark.parametrize(
    ("gate", "dtype", "count"),
    [
        (None, "float32", 1),
        (None, "bfloat16", 0),
        ("bfloat16", "bfloat16", 1),  # the gate, written out in its own dtype
        ("bfloat16", "bool", 0),
    ],
)
def test_and_its_dtype_is_no_narrower_than_those_of_input_and_gate(gate, dtype, count):
    case = CASE.with_gate(gate) if gate else CASE
    assert full_size(STATIC.format(allocated("2, 8, 4, 3", dtype)), case) == count


def test_a_size_that_does_not_follow_from_the_input_is_an_error():
    with pytest.raises(SourceError, match="does not follow from the input: u0"):
        full_size(STATIC.format(allocated("u0, 8")), CASE)
