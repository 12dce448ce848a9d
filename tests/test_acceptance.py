import torch

from investigation.observe.acceptance import GATES, compare_acceptance
from investigation.subject.variants import broadcast, expand_as


def by_story(baseline, candidate):
    return {outcome.story: outcome for outcome in compare_acceptance(baseline, candidate)}


def test_expand_as_refuses_what_would_grow_the_output():
    outcome = by_story(expand_as, broadcast)["the gate of a larger batch"]
    assert outcome.silently_grown
    assert outcome.baseline.error.startswith("The expanded size of the tensor (1) must match")
    assert outcome.candidate.shape == (2, 3, 4, 5)


def test_both_refuse_a_gate_that_fits_nowhere():
    outcome = by_story(expand_as, broadcast)["the gate of another width of network"]
    assert not outcome.baseline.accepted
    assert not outcome.candidate.accepted
    assert str(outcome.candidate) == "raises"


def test_neither_catches_a_forgotten_reshape_whose_sizes_fit():
    outcome = by_story(expand_as, broadcast)["the same, and the sizes happen to fit"]
    assert outcome.baseline.accepted
    assert outcome.candidate.accepted


def test_the_recommended_assertion_refuses_just_what_expand_as_refuses():
    def asserted(x, gate):
        try:
            assert torch.broadcast_shapes(x.shape, gate.shape) == x.shape
        except AssertionError:
            raise RuntimeError("the gate is larger than its input") from None
        return x * gate

    assert not any(outcome.silently_grown for outcome in compare_acceptance(expand_as, asserted))
    for outcome in compare_acceptance(expand_as, asserted):
        assert outcome.baseline.accepted == outcome.candidate.accepted


def test_a_scale_that_checks_as_expand_as_does_grows_nothing():
    assert not any(outcome.silently_grown for outcome in compare_acceptance(expand_as, expand_as))
    assert len(compare_acceptance(expand_as, broadcast)) == len(GATES)
