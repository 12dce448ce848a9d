"""Each way to keep the shape check: what it accepts, what it refuses, what it returns."""

import pytest
import torch

from investigation.observe.acceptance import GATES
from investigation.observe.equality import same_bits
from investigation.subject.shape_checks import CHECKS, annotated, refuses
from investigation.subject.variants import broadcast

GROWN = [
    (x, gate)
    for x, gate, _ in GATES
    if not refuses(broadcast, x, gate) and refuses(CHECKS["expand_as"], x, gate)
]


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_lets_the_gate_of_a_block_through_and_changes_nothing(name):
    x, gate = torch.randn(2, 3, 4, 5), torch.rand(2, 3, 1, 1)
    assert same_bits(CHECKS[name](x, gate), broadcast(x, gate))


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(("x", "gate"), GROWN)
def test_a_check_refuses_whatever_would_make_the_output_grow(name, x, gate):
    assert refuses(CHECKS[name], x, gate)


def test_without_a_check_the_output_grows():
    assert GROWN
    for x, gate in GROWN:
        assert tuple(broadcast(torch.ones(x), torch.ones(gate)).shape) != x


def test_the_exact_shape_refuses_what_happens_to_fit():
    vector = ((2, 3, 4, 5), (5,))
    assert not refuses(CHECKS["expand_as"], *vector)
    assert not refuses(CHECKS["assert, broadcast_shapes"], *vector)
    assert refuses(CHECKS["assert, the exact shape"], *vector)
    assert refuses(CHECKS["annotation, jaxtyping"], *vector)


def test_the_annotation_names_the_argument_that_does_not_fit():
    with pytest.raises(TypeError, match="gate"):
        annotated(torch.ones(2, 1, 4, 5), torch.ones(2, 3, 1, 1))
