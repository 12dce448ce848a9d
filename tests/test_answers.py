"""The first table and the picker: the decision in each setting follows its evidence."""

import pytest
from worlds import (
    CASE,
    MIXED,
    agreement,
    asked,
    block_in,
    control,
    evidence,
    findings,
    multiply,
    network,
    plain_world,
    planted,
    program,
    recalibration,
)

from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.questions import Findings
from pipeline.pages import answers, settings
from pipeline.pages.answers import NO, NOT_MEASURED, OPEN, PART, YES


def run(world, **parameters):
    return evidence(*world.values(), notebook="04_eager_cost", parameters=parameters)


def decision(world, name=settings.ONE_DTYPE, device=settings.CPU):
    known = findings(world)
    made = answers.decisions(known, answers.answers(known))
    return next(one for one in made if (one.setting.name, one.setting.device) == (name, device))


COPY = asked(count=4096)
UNCLEAR = network(1.0, "inconclusive", formats=("contiguous",))


@pytest.mark.parametrize(
    ("plant", "change"),
    [
        ((), NO),
        ((multiply(1.2, "slower"),), PART),
        (UNCLEAR, OPEN),
        ((*UNCLEAR, multiply(1.2, "slower")), OPEN),
        (network(1.05, "slower", formats=("contiguous",)), YES),
        ((COPY,), YES),
    ],
)
def test_the_decision_follows_the_evidence(plant, change):
    assert decision(planted(*plant)).change == change


def test_one_slow_part_of_many_has_to_be_slow_at_the_confidence_of_its_family():
    lucky = multiply(1.001, "slower", in_family="inconclusive")
    assert decision(planted(lucky)).change == NO


def test_a_setting_that_no_chapter_measured_says_so():
    unmeasured = decision(plain_world(), device=settings.GPU)
    assert unmeasured.change == NOT_MEASURED
    assert "no GPU was measured yet: `make gpu record`" in unmeasured.measured
    assert decision({}, device=settings.CPU).measured == "`04_eager_cost` has not run here"


def test_the_words_name_the_whole_steps_the_dearest_part_and_the_memory():
    other = CASE.model_copy(update={"slug": "other"})
    world = planted(
        *network(1.004, formats=("contiguous",)),
        multiply(1.2, "slower"),
        multiply(1.3, "slower", case=other),
        asked(count=2**20),
    )
    words = decision(world).measured
    assert "1,024 KiB beside the output against 0 B" in words
    assert "a forward step of the host network, contiguous: +0.40 %" in words
    assert (
        "2 of 2 comparisons of a part slower, the dearest the multiply at 128×32×32×32: +30.00 %"
        in words
    )


def test_what_does_not_compare_the_two_forms_is_no_answer():
    others = [multiply(role="control"), multiply(quantity="cold"), control()]
    found = [one.timing for one in answers.answers(findings(planted(*others)))]
    assert {multiply(), multiply(case=MIXED), *network()} <= set(found)
    assert not {*recalibration(), others[0], others[1]} & set(found)


def test_a_comparison_is_credited_to_the_chapter_that_made_it():
    runs = (evidence(multiply(), notebook="04_x"), evidence(block_in("eager", family="pytorch"),
            notebook="08_y"))  # fmt: skip
    found = {one.timed: one.chapter for one in answers.answers(Findings(runs))}
    assert found["the multiply"] == "04_x"
    assert found["the SE block, beside the runtimes"] == "08_y"


def offered(world, **parameters):
    known = findings(world)
    found = answers.answers(known)
    return answers.choices([run(world, **parameters)], found, answers.decisions(known, found))


def test_what_can_be_chosen_is_what_was_measured_and_a_gpu_in_any_case():
    chosen = offered(plain_world())
    assert chosen["devices"] == [settings.CPU, settings.GPU]
    assert set(chosen["sizes"]) == {answers.HOST, "128×32×32×32"}
    assert settings.ONE_DTYPE in chosen["settings"]


def test_what_was_not_measured_comes_with_the_command_that_measures_it():
    here, there = (
        next(
            one
            for one in offered(plain_world(), shape=[1, 2, 3, 4])["decisions"]
            if (one["name"], one["device"]) == (settings.ONE_DTYPE, device)
        )
        for device in (settings.CPU, settings.GPU)
    )
    assert (here["command"], here["shape"]) == ("make rerun NOTEBOOK=04_eager_cost", True)
    assert (there["command"], there["shape"]) == ("make gpu", False)


def test_a_gpu_that_was_measured_is_a_device_of_its_own():
    card = DeviceFacts(says="the device", device_name="Some Card")
    measured = [card, *network(1.04, "slower"), asked(dtypes="mixed", count=2**20),
                asked("broadcast", "mixed")]  # fmt: skip
    world = planted(*(one.model_copy(update={"machine": "some-card"}) for one in measured))
    assert decision(world, device="Some Card").change == YES
    mixed = decision(world, settings.TWO_DTYPES, "Some Card")
    assert (mixed.change, mixed.measured) == (YES, "1,024 KiB beside the output against 0 B")
    assert settings.GPU not in offered(world)["devices"]


def exported(written, ratio=1.0, verdict="equivalent"):
    """A world in which one exported runtime ran the block."""
    return planted(program("library", written), block_in("library", ratio, verdict))


@pytest.mark.parametrize(
    ("world", "change"),
    [
        (exported(0), NO),
        (exported(0, 1.03, "slower"), NO),  # two copies of one program can differ by so much
        (exported(0, 1.2, "slower"), PART),
        (exported(2**20, 1.2, "slower"), YES),
    ],
)
def test_each_exported_runtime_is_a_setting_of_its_own(world, change):
    assert decision(world, "library").change == change


def test_where_no_exported_runtime_ran_one_line_says_so():
    world = {key: one for key, one in plain_world().items() if not hasattr(one, "family")}
    assert decision(world, "exported runtimes").change == NOT_MEASURED


def test_what_is_compiled_to_the_same_kernels_is_said_with_its_count():
    made = decision(planted(agreement("kernels", 11)), "torch.compile")
    assert (made.change, made.measured) == (NO, "the same kernels in 11 of 88 cases")
