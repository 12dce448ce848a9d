import os

import pytest
import torch

from investigation.evidence.parameters import ParameterError, Parameters

CORES = os.cpu_count() or 1

BAD = {
    "a device that does not exist": ({"device": "banana"}, "DEVICE=banana: this machine has cpu"),
    "a negative budget": (
        {"budget_s": -1}, "BUDGET=-1: allowed is a number of seconds above 0 and up to 600"),
    "no budget": (
        {"budget_s": 0}, "BUDGET=0: allowed is a number of seconds above 0 and up to 600"),
    "an endless budget": (
        {"budget_s": float("inf")},
        "BUDGET=inf: allowed is a number of seconds above 0 and up to 600"),
    "a budget that is no number": (
        {"budget_s": "soon"}, "BUDGET=soon: allowed is a number of seconds"),
    "a shape of the wrong rank": (
        {"shape": [3, 4]}, "SHAPE=3,4: allowed are four sizes, B,C,H,W, such as 128,64,16,16"),
    "a shape typed with a size missing": (
        {"shape": "3,4,5"}, "SHAPE=3,4,5: allowed are four sizes, B,C,H,W"),
    "a shape with a size of 0": ({"shape": [0, 3, 4, 5]}, "SHAPE=0,3,4,5: allowed are four sizes"),
    "no threads": (
        {"threads": 0}, f"THREADS=0: allowed is a whole number from 1 to {CORES}"),
    "more threads than cores": (
        {"threads": CORES + 1}, f"THREADS={CORES + 1}: allowed is a whole number from 1 to"),
    "half a thread": (
        {"threads": 1.5}, f"THREADS=1.5: allowed is a whole number from 1 to {CORES}"),
    "a negative seed": ({"seed": -1}, "SEED=-1: allowed is a whole number from 0 to 4294967295"),
    "no examples": ({"examples": 0}, "EXAMPLES=0: allowed is a whole number from 1 to 100000"),
    "too many processes": (
        {"processes": 10**6}, "PROCESSES=1000000: allowed is a whole number from 1 to 100000"),
    "a level that is none": (
        {"levels": ["network"]}, "LEVELS=network: allowed are multiply and block, or one of them"),
    "a pair of dtypes with one that torch has no use for here": (
        {"dtype_pairs": "float32,float32:int8"},
        "DTYPE_PAIRS=float32,float32:int8: allowed are dtypes of input and gate, such as"),
    "the same dtypes twice": (
        {"dtype_pairs": "float32,float32"}, "DTYPE_PAIRS=float32,float32: allowed are dtypes"),
    "a name that is no parameter": ({"devise": "cpu"}, "devise: no such parameter; there are"),
}  # fmt: skip


@pytest.mark.parametrize("story", BAD)
def test_a_bad_parameter_gets_one_line_that_names_it_and_what_is_allowed(story):
    given, expected = BAD[story]
    with pytest.raises(ParameterError) as refused:
        Parameters.check(**given)
    assert str(refused.value).startswith(expected)
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_without_a_gpu_is_refused():
    with pytest.raises(ParameterError, match="DEVICE=cuda: this machine has cpu"):
        Parameters.check(device="cuda")


def test_what_the_command_line_types_is_understood():
    checked = Parameters.check(budget_s="0.5", shape="8,64,32,32", threads="1")
    assert (checked.budget_s, checked.shape, checked.threads) == (0.5, (8, 64, 32, 32), 1)
