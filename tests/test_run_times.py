"""What the page of run times says of the timings that a build's time was spent on."""

import pytest
from worlds import MIXED, evidence, multiply, network

from pipeline.pages import run_times

SLOW = multiply(1.2, "slower")
UNDECIDED = multiply(1.01, "inconclusive", case=MIXED)
AGAIN = multiply(1.01, "inconclusive", series="sizes")


def test_a_chapter_without_timings_has_none():
    assert str(run_times.timings([evidence()])) == "none"


def test_timings_of_every_kind_are_counted_and_the_undecided_among_them():
    steps = network(1.02, "slower")
    chapters = [evidence(SLOW), evidence(UNDECIDED, *steps, notebook="02_x")]
    assert [str(run_times.timings([chapter])) for chapter in chapters] == [
        "1, 0 undecided",
        f"{1 + len(steps)}, 1 undecided",
    ]
    assert run_times.timings(chapters).number == 2 + len(steps)


@pytest.mark.parametrize(
    "change", [{"machine": "another"}, {"role": "control"}, {"role": "demonstration"}]
)
def test_what_took_no_time_or_says_nothing_of_the_line_does_not_count(change):
    record = SLOW.model_copy(update=change)
    assert run_times.timings([evidence(record)]).number == 0


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "Nothing was timed in this run."),
        ([SLOW], "Of 1 timing none is undecided in this run, so less time may do: `BU"),
        ([UNDECIDED], "Of 1 timing 1 is undecided in this run. With less time"),
        (
            [SLOW, UNDECIDED, AGAIN],
            "Of 3 timings 2 are undecided in this run. With less time there could be "
            "more, so the timings keep theirs; `BUDGET=` and",
        ),
    ],
)
def test_whoever_would_spend_less_time_reads_what_that_would_cost(records, words):
    assert run_times.timings([evidence(*records)]).advice.startswith(words)
