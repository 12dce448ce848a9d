import math
from dataclasses import dataclass

import pytest

from investigation.evidence import words


@pytest.mark.parametrize(
    ("ratio", "interval", "text"),
    [
        (1.0234, (1.01, 1.0367), "+2.34 % (+1.00 to +3.67)"),
        (1.278, (0.0, math.inf), "+27.8 % (no interval)"),
        (0.9, (0.85, 0.95), "−10.0 % (−15.0 to −5.00)"),
        (2.5, (2.25, 3), "2.5 times (2.25 to 3)"),
        (1.0234, (0, math.inf), "+2.34 % (no interval)"),
        (2.5, (1.5, math.inf), "2.5 times (no interval)"),
    ],
)
def test_a_ratio_is_a_change_with_its_interval_or_a_factor_where_it_is_large(ratio, interval, text):
    assert words.percent(ratio, interval) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0052, "+0.52 %"), (0.9948, "−0.52 %"), (1.123, "+12.3 %"), (1.0, "+0.00 %")],
)
def test_a_change_has_its_sign_and_no_more_decimals_than_it_can_carry(ratio, text):
    assert words.change(ratio) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(4.1e-9, "+4.1 ns"), (-1.44e-6, "−1.44 µs"), (0.0123, "+12.3 ms"), (2.0, "+2 s")],
)
def test_a_signed_time_is_written_in_the_unit_that_suits_it(value, text):
    assert words.signed_seconds(value) == text


def test_times_have_one_form_each_in_microseconds_and_nanoseconds():
    assert words.microseconds(1.2345678e-3) == "1,234.57 µs"
    assert words.nanoseconds(1.2345e-6) == "1,234 ns"
    assert words.added(1.5e-6, (-1e-6, 2.25e-3)) == "+1.50 µs (−1.00 to +2,250.00)"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (2**14 - 1, "16,383 B"), (2**14, "16 KiB"), (2**22, "4,096 KiB")],
)
def test_bytes_are_written_in_the_unit_that_suits_them(count, text):
    assert words.kib(count) == text


def test_more_bytes_are_more_or_less_and_never_negative():
    assert [words.more_bytes(count) for count in (8, 0, -(2**15))] == [
        "8 B more",
        "0 B more",
        "32 KiB less",
    ]


@pytest.mark.parametrize(
    ("count", "unit", "text"),
    [(1, "tensors", "1 tensor"), (1, "launches", "1 launch"), (1, "series", "1 series"),
     (2000, "launches", "2,000 launches"), (0, "bytes", "0 bytes"), (1, "", "1")],
)  # fmt: skip
def test_a_unit_that_is_given_in_the_plural_agrees_with_its_count(count, unit, text):
    assert words.of_unit(count, unit) == text


def test_one_thing_is_singular_and_no_thing_plural():
    assert [words.number_of(count, "tensor") for count in range(3)] == [
        "0 tensors",
        "1 tensor",
        "2 tensors",
    ]


@pytest.mark.parametrize(("value", "text"), [(1234567.8, "1,234,568"), (12.3456, "12.35")])
def test_a_large_number_keeps_every_digit_before_its_point(value, text):
    assert words.readable(value) == text


def test_an_enumeration_ends_in_and():
    assert [words.listed(list(names)) for names in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert words.capital("so it is") == "So it is"


@dataclass(frozen=True)
class Judged:
    ratio: float
    ratio_interval: tuple[float, float]
    verdict: str
    margin: float = 0.01
    confidence: float = 0.95
    name: str = "A"
    baseline_name: str = "B"


@pytest.mark.parametrize(
    ("judged", "text"),
    [
        (
            Judged(1.001, (0.999, 1.003), "equivalent"),
            "A and B are equal within 1 %: +0.10 % (95 % interval −0.10 % to +0.30 %",
        ),
        (
            Judged(1.2, (0.9, math.inf), "inconclusive", confidence=0.9999),
            "A against B is undecided: +20.0 % (99.99 % interval without an end",
        ),
        (
            Judged(0.8, (0.78, 0.82), "faster"),
            "A is 20.0 % faster than B (95 % interval 18.0 % to 22.0 %",
        ),
        (
            Judged(3.0, (2.5, 3.5), "slower"),
            "A takes 3 times as long as B (95 % interval 2.5 to 3.5 times",
        ),
    ],
)
def test_each_outcome_has_its_words_and_its_interval(judged, text):
    assert words.outcome(judged) == text
