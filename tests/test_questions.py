"""Questions find evidence by its fields, and a wrong question fails when it is written."""

import pytest
from worlds import (
    CASE,
    MIXED,
    SMALL,
    equality,
    evidence,
    findings,
    multiply,
    network,
    plain_world,
    planted,
)

from investigation.evidence.files import EvidenceError
from investigation.evidence.kinds.correctness import Equality
from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.questions import ANYWHERE, Findings, QuestionError, ask


def test_the_answers_are_the_records_with_the_fields_that_were_asked_for():
    world = findings(planted(multiply(1.2, "slower", series="sizes")))
    small, slow = world.answers(ask(Timing, level="multiply", series="sizes"))
    assert (small.case, slow.case, slow.verdict) == (SMALL, CASE, "slower")
    assert [answer.case for answer in world.answers(ask(Timing, level="multiply"))] == [
        CASE,
        MIXED,
        SMALL,
        CASE,
    ]
    assert len(world.answers(ask(Timing, level="multiply", dtypes="mixed"))) == 1


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda: ask(Timing, colour="red"), "Timing has no field colour; there are alone, "),
        (lambda: ask(Timing, levle="network"), "Timing has no field levle"),
        (lambda: ask(Equality, name="x"), "Equality has no field name"),
        (lambda: ask(Timing, level="netwrok"), "Timing.level cannot be 'netwrok': "),
        (lambda: ask(Timing, replicated="yes"), "Timing.replicated cannot be 'yes': "),
        (lambda: ask(Timing, dtypes="both"), "Timing.dtypes cannot be 'both': "),
        (
            lambda: ask(Timing, every={"memory_format": ("contiguous", "chanels_last")}),
            "Timing.memory_format cannot be 'chanels_last': ",
        ),
        (
            lambda: ask(Equality, differing_by={"values": 1}),
            "Equality.differing_by is a table, and records are found by fields of one value",
        ),
    ],
)
def test_a_misspelt_field_or_value_fails_where_the_question_is_written(question, message):
    with pytest.raises(QuestionError) as refused:
        question()
    assert str(refused.value).startswith(message)


def test_a_question_that_needs_every_memory_format_has_no_answer_where_one_is_missing():
    both = ask(Timing, level="network", every={"memory_format": ("contiguous", "channels_last")})
    assert len(Findings((evidence(*network()),)).answers(both)) == 2
    one_format = Findings((evidence(*network(formats=("contiguous",))),))
    assert one_format.answers(both) == ()
    assert len(one_format.answers(ask(Timing, level="network"))) == 1


def test_a_question_is_about_this_machine_unless_it_names_another():
    here, there = multiply(), multiply(1.3, "slower", machine="nvidia-h200")
    findings = Findings((evidence(here, there),))
    assert findings.answers(ask(Timing, level="multiply")) == (here,)
    assert findings.answers(ask(Timing, level="multiply").on("nvidia-h200")) == (there,)
    assert findings.answers(ask(Timing, level="multiply", machine=ANYWHERE)) == (here, there)


def test_a_machine_is_known_by_the_facts_of_its_device():
    device = DeviceFacts(statement="the device", device_name="NVIDIA H200", machine="nvidia-h200")
    elsewhere = multiply(machine="epyc-2-cores")
    assert Findings((evidence(device, elsewhere),)).machines == ("nvidia-h200",)


def test_the_only_answer_is_returned_and_anything_else_is_an_error_that_quotes_the_question():
    world = findings(plain_world())
    assert world.answer(ask(Equality, aspect="reference")).same
    with pytest.raises(EvidenceError, match=r"0 records for one question: device facts$"):
        world.answer(ask(DeviceFacts))
    with pytest.raises(EvidenceError, match="2 records for one question: timing with level netw"):
        world.answer(ask(Timing, level="network", baseline="broadcast"))


def test_records_of_one_identity_in_two_chapters_are_refused_and_both_are_named():
    first = evidence(equality("reference", 1), notebook="01_a")
    second = evidence(equality("reference", 1, 1), notebook="02_b")
    with pytest.raises(EvidenceError, match=r"recorded twice: equality\.reference, in 01_a and"):
        Findings((first, second))


def test_a_record_knows_the_chapter_that_made_it():
    findings = Findings((evidence(multiply(), notebook="04_x"), evidence(*network())))
    assert findings.chapter_of(multiply(1.5, "slower")) == "04_x"
    assert findings.chapter_of(network()[0]) == "01_x"
