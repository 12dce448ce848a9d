import pytest
import torch

from investigation.observe import equality
from investigation.observe.equality import difference, same_bits
from investigation.subject.variants import broadcast, expand_as

FLOATS = [(name, name) for name in ("float32", "bfloat16", "complex64", "int32", "bool")]


def one_ulp_off(x, gate):
    product = x * gate
    return torch.nextafter(product, torch.full_like(product, torch.inf))


def test_same_bits_tells_what_equal_does_not():
    zero, nan = torch.zeros(2), torch.full((2,), torch.nan)
    assert torch.equal(zero, -zero)
    assert not same_bits(zero, -zero)
    assert not torch.equal(nan, nan)
    assert same_bits(nan, nan.clone())


@pytest.mark.parametrize(
    ("tensor", "other", "expected"),
    [
        (torch.ones(2), torch.ones(2), "none"),
        (torch.zeros(2), -torch.zeros(2), "sign of zero"),
        (torch.tensor([torch.nan]), -torch.tensor([torch.nan]), "NaN bits"),
        (torch.ones(2), torch.full((2,), 2.0), "numbers"),
        (torch.ones(2), torch.full((2,), torch.nan), "numbers"),
        (torch.ones(2), torch.ones(2).double(), "dtype or shape"),
        (torch.ones(2), torch.ones(1, 2), "dtype or shape"),
    ],
)
def test_a_difference_is_called_by_its_gravest_name(tensor, other, expected):
    assert difference(tensor, other) == expected


def test_random_bits_hold_nan_infinity_and_subnormals():
    tensor = equality.random_bits((64, 1024), torch.bfloat16, torch.Generator().manual_seed(0))
    number = tensor.float()
    assert number.isnan().any()
    assert number.isinf().any()
    assert ((number != 0) & (number.abs() < torch.finfo(torch.bfloat16).tiny)).any()


def test_both_forms_have_the_same_bits_with_one_dtype():
    results = equality.compare_dtypes(expand_as, broadcast, FLOATS, 0, "cpu")
    assert {result.worst for result in results} == {"none"}


def test_a_product_that_is_off_by_one_unit_is_caught():
    results = equality.compare_dtypes(expand_as, one_ulp_off, [("float32", "float32")], 0, "cpu")
    assert [result.worst for result in results] == ["numbers"]


def test_a_dtype_without_a_multiply_is_reported_with_torchs_words():
    (result,) = equality.compare_dtypes(expand_as, broadcast, [("bits8", "bits8")], 0, "cpu")
    assert result.worst is None
    assert "not implemented" in result.refusal


def test_an_integer_that_bfloat16_cannot_hold_shows_a_difference_of_numbers():
    (result,) = equality.compare_dtypes(expand_as, broadcast, [("bfloat16", "int16")], 0, "cpu")
    assert result.worst == "numbers"


def test_special_values_catch_a_form_that_forgets_the_sign_of_zero():
    equal = equality.compare_specials(expand_as, lambda x, y: x * y + 0.0, "float32", "cpu")
    assert not equal["-0", "one"]
    assert equal["one", "one"]


def test_the_search_finds_a_planted_difference_and_shrinks_it():
    searched = equality.search(
        expand_as, lambda x, y: (x * y).contiguous(), [("float32", "float32")], 300, 0
    )
    assert searched.counterexample is not None
    assert searched.counterexample.startswith("input float32 (1, ")
    assert searched.differs == "strides"


def test_the_search_tells_other_bits_from_other_strides():
    def halved(x, gate):
        return x * gate / 2

    searched = equality.search(expand_as, halved, [("float32", "float32")], 200, 0)
    assert searched.differs == "bits"


def test_the_search_finds_nothing_between_the_two_forms():
    searched = equality.search(expand_as, broadcast, [("float32", "float32")], 200, 0)
    assert searched.counterexample is None
    assert searched.tried >= 200


def test_autocast_makes_two_dtypes_meet():
    rows = list(equality.compare_autocast(expand_as, broadcast, ["bfloat16"], 0, "cpu"))
    assert rows == [("bfloat16", "bfloat16", "float32", True)]


def test_autocast_catches_a_product_that_is_off_by_one_unit():
    (row,) = equality.compare_autocast(expand_as, one_ulp_off, ["bfloat16"], 0, "cpu")
    assert row[3] is False
