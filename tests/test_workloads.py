import json

import pytest
import torch

from investigation.observe.equality import same_bits
from investigation.subject import training_workloads, variants, workloads
from investigation.subject.cases import Case
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.subject.variants import SCALES

CASE = Case(slug="small", name="small", shape=(2, 8, 6, 6))


def results(makers):
    return tuple(make() for make in makers)


def agree(arms):
    baseline, candidate = arms
    with torch.no_grad():
        return same_bits(baseline(), candidate())


@pytest.mark.parametrize("memory_format", MEMORY_FORMATS)
def test_both_arms_compute_the_same_at_every_level(memory_format):
    case = CASE.with_format(memory_format)
    assert agree(workloads.multiply_arms(case, "broadcast", "expand_as"))
    assert agree(results(workloads.multiply_makers(case, "broadcast", "expand_as")))
    assert agree(results(workloads.block_makers(case, "broadcast", "expand_as")))
    assert agree(workloads.network_arms(2, memory_format, "broadcast", "expand_as"))


def test_a_network_without_se_blocks_computes_something_else():
    assert not agree(results(workloads.recalibration_makers(2, "contiguous", "broadcast")))


def scales_met(make_arms):
    """The scale steps that each arm goes through, both called in turn, twice."""
    met = {}
    with pytest.MonkeyPatch.context() as patch:
        spies = {name: spy(name, met) for name in SCALES}
        patch.setattr(workloads, "SCALES", spies)
        patch.setattr(variants, "SCALES", spies)
        arms = make_arms()
        for index in (0, 1, 0, 1):
            met.clear()
            arms[index]()
            yield index, dict(met)


def spy(name, met):
    def scale(x, gate):
        met[name] = met.get(name, 0) + 1
        return SCALES[name](x, gate)

    return scale


@pytest.mark.parametrize(
    ("make", "blocks"),
    [
        (lambda: results(workloads.block_makers(CASE, "broadcast", "materialized")), 1),
        (lambda: workloads.network_arms(2, "contiguous", "broadcast", "materialized"), 6),
    ],
)
def test_arms_that_share_their_weights_each_run_their_own_line(make, blocks):
    names = "broadcast", "materialized"
    for index, met in scales_met(make):
        assert met == {names[index]: blocks}


def test_what_is_made_has_operands_of_its_own_laid_out_alike():
    x, gate = CASE.with_format("channels_last").tensors()
    gate.requires_grad_()
    make = workloads.made_with(lambda *operands: operands, x, gate)
    first, second = make()(), make()()
    assert len({tensor.data_ptr() for tensor in (x, first[0], second[0])}) == 3
    assert first[0].stride() == x.stride()
    assert all(map(same_bits, first, (x, gate)))
    assert [tensor.requires_grad for tensor in first] == [False, True]
    assert first[1].is_leaf


def test_a_sweep_before_a_call_does_not_change_what_it_returns():
    makers = workloads.multiply_makers(CASE, "broadcast", "expand_as")
    swept = workloads.after_a_sweep(makers, elements=64)
    assert same_bits(makers[0]()(), swept[0]()())


def test_a_case_given_as_json_makes_the_same_arms():
    makers = workloads.replicated_multiply(CASE.model_dump(mode="json"), "broadcast", "expand_as")
    expected = workloads.multiply_arms(CASE, "broadcast", "expand_as")
    assert same_bits(makers[0]()(), expected[0]())
    assert agree(workloads.replicated_network(2, "contiguous", 0))


def test_a_recipe_is_json_and_makes_what_it_names():
    make, given = workloads.multiply_recipe(CASE, "broadcast", "expand_as")
    assert agree([call() for call in make(**json.loads(json.dumps(given)))])


def test_a_network_has_a_recipe_for_each_memory_format():
    recipes = workloads.network_recipes(2, seed=3)
    assert list(recipes) == list(MEMORY_FORMATS)
    for memory_format, (make, given) in recipes.items():
        assert make is workloads.replicated_network
        assert given == {"batch": 2, "memory_format": memory_format, "seed": 3}
    of_training = training_workloads.training_recipes(2, seed=3)
    assert {make for make, _ in of_training.values()} == {training_workloads.replicated_training}
    assert [given for _, given in of_training.values()] == [given for _, given in recipes.values()]
