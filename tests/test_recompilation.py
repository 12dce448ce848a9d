import pytest

from investigation.compiled.recompilation import compilations, guards
from investigation.subject.cases import Case

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

CASE = Case(slug="small", name="small", shape=(3, 12, 4, 4))
SHAPES = ((3, 12, 4, 4), (5, 12, 4, 4), (7, 12, 4, 4))
CASES = [CASE.model_copy(update={"shape": shape}) for shape in SHAPES]


def test_guards_are_the_conditions_on_both_inputs():
    conditions = guards("broadcast", CASE, dynamic=False)
    assert any(
        "L['x']" in condition and "size=[3, 12, 4, 4]" in condition for condition in conditions
    )
    assert any("L['gate']" in condition for condition in conditions)
    assert all("#" not in condition for condition in conditions)


def test_other_sizes_mean_other_guards():
    assert guards("broadcast", CASE, dynamic=False) != guards("broadcast", CASES[1], dynamic=False)


def test_both_forms_ask_the_same_of_their_inputs():
    for dynamic in (False, True):
        assert guards("expand_as", CASE, dynamic=dynamic) == guards(
            "broadcast", CASE, dynamic=dynamic
        )


def test_a_change_of_size_compiles_again_unless_shapes_are_dynamic():
    assert compilations("expand_as", CASES, dynamic=False) == (1, 2, 3)
    assert compilations("expand_as", CASES, dynamic=None) == (1, 2, 2)
    assert compilations("expand_as", CASES, dynamic=True) == (1, 1, 1)
