import pytest
import torch

from investigation import workloads
from investigation.cases import MEMORY_FORMATS, Case
from investigation.equality import same_bits

CASE = Case(slug="small", name="small", shape=(2, 8, 6, 6))


def agree(arms):
    baseline, candidate = arms
    with torch.no_grad():
        return same_bits(baseline(), candidate())


@pytest.mark.parametrize("memory_format", MEMORY_FORMATS)
def test_both_arms_compute_the_same_at_every_level(memory_format):
    case = CASE.with_format(memory_format)
    assert agree(workloads.multiply_arms(case, "broadcast", "expand_as"))
    assert agree(workloads.block_arms(case, "broadcast", "expand_as"))
    assert agree(workloads.network_arms(2, memory_format, "broadcast", "expand_as"))


def test_a_network_without_se_blocks_computes_something_else():
    assert not agree(workloads.network_arms(2, "contiguous", None, "broadcast"))


def test_a_sweep_before_a_call_does_not_change_what_it_returns():
    arms = workloads.multiply_arms(CASE, "broadcast", "expand_as")
    swept = workloads.after_a_sweep(arms, elements=64)
    assert same_bits(arms[0](), swept[0]())


def test_a_case_given_as_json_makes_the_same_arms():
    arms = workloads.replicated_multiply(CASE.model_dump(mode="json"), "broadcast", "expand_as")
    assert same_bits(arms[0](), workloads.multiply_arms(CASE, "broadcast", "expand_as")[0]())
    assert agree(workloads.replicated_network(2, "contiguous", 0))
