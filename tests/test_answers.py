"""The first table and the picker: the decision in each setting follows its evidence."""

import pytest
from worlds import fact, findings, plain_world, timing

from investigation.evidence.records import Evidence
from pipeline import answers
from pipeline.answers import NO, NOT_MEASURED, OPEN, PART, YES


def run(world, **parameters):
    plain = Evidence.model_construct(notebook="04_eager_cost", parameters=parameters)
    return plain.model_copy(update={"records": tuple(world.values())})


def decision(world, name=answers.ONE_DTYPE, device=answers.CPU):
    found = answers.answers([run(world)])
    made = answers.decisions(findings(world), found)
    return next(one for one in made if (one.setting.name, one.setting.device) == (name, device))


def planted(*records):
    return plain_world() | {record.id: record for record in records}


NETWORK = "timing.network.contiguous"
MULTIPLY = "timing.multiply.host1_before.contiguous"
COPY = "allocation.extra.same_dtype.expand_as"


@pytest.mark.parametrize(
    ("plant", "change"),
    [
        ((), NO),
        ((timing(MULTIPLY, 1.2, "slower"),), PART),
        ((timing(NETWORK, 1.0, "inconclusive"),), OPEN),
        ((timing(NETWORK, 1.0, "inconclusive"), timing(MULTIPLY, 1.2, "slower")), OPEN),
        ((timing(NETWORK, 1.05, "slower"),), YES),
        ((fact(COPY, 4096, "allocation"),), YES),
    ],
)
def test_the_decision_follows_the_evidence(plant, change):
    assert decision(planted(*plant)).change == change


def test_one_slow_part_of_many_has_to_be_slow_at_the_confidence_of_its_family():
    lucky = timing(MULTIPLY, 1.001, "slower", in_family="inconclusive")
    assert decision(planted(lucky)).change == NO


def test_a_setting_that_no_chapter_measured_says_so():
    unmeasured = decision(plain_world(), device=answers.GPU)
    assert unmeasured.change == NOT_MEASURED
    assert "no GPU was measured yet: `make gpu record`" in unmeasured.measured
    assert decision({}, device=answers.CPU).measured == "`04_eager_cost` has not run here"


def test_the_words_name_the_whole_steps_the_dearest_part_and_the_memory():
    world = planted(
        timing(NETWORK, 1.004, "equivalent"),
        timing(MULTIPLY, 1.2, "slower"),
        timing("timing.multiply.other.contiguous", 1.3, "slower"),
        fact(COPY, 2**20, "allocation"),
    )
    words = decision(world).measured
    assert "1,024 KiB beside the output against 0 B" in words
    assert "a forward step of the host network, contiguous: +0.40 %" in words
    assert (
        "2 of 2 comparisons of a part slower, the dearest the multiply at 128×32×32×32: +30.00 %"
        in words
    )


def test_what_does_not_compare_the_two_forms_is_no_answer():
    control = fact("timing.multiply.control", "held", "timing", passed=True)
    kept = {one.record.id for one in answers.answers([run(planted(control))])}
    assert {NETWORK, MULTIPLY, "timing.mixed.host1_before"} <= kept
    assert not [key for key in kept if key.startswith(("timing.recalibration", "equality"))]
    assert control.id not in kept


def offered(world, **parameters):
    found = answers.answers([run(world)])
    made = answers.decisions(findings(world), found)
    return answers.choices([run(world, **parameters)], found, made)


def test_what_can_be_chosen_is_what_was_measured_and_a_gpu_in_any_case():
    network = timing(NETWORK, 1.0, "equivalent").model_copy(update={"case": None})
    chosen = offered(planted(network))
    assert chosen["devices"] == [answers.CPU, answers.GPU]
    assert set(chosen["sizes"]) == {answers.HOST, "128×32×32×32"}
    assert answers.ONE_DTYPE in chosen["settings"]


def test_what_was_not_measured_comes_with_the_command_that_measures_it():
    here, there = (
        next(
            one
            for one in offered(plain_world(), shape=[1, 2, 3, 4])["decisions"]
            if (one["name"], one["device"]) == (answers.ONE_DTYPE, device)
        )
        for device in (answers.CPU, answers.GPU)
    )
    assert (here["command"], here["shape"]) == ("make rerun NOTEBOOK=04_eager_cost", True)
    assert (there["command"], there["shape"]) == ("make gpu", False)


def test_a_gpu_that_was_measured_is_a_device_of_its_own():
    name = fact("on.some_card.device.facts", "Some Card", "timing")
    slow = timing("on.some_card.end_to_end.network.host_network.contiguous", 1.04, "slower")
    copies = fact("on.some_card.allocation.mixed_dtype.expand_as", 2**20, "allocation")
    spares = fact("on.some_card.allocation.mixed_dtype.broadcast", 0, "allocation")
    world = planted(name, slow, copies, spares)
    assert decision(world, device="Some Card").change == YES
    mixed = decision(world, answers.TWO_DTYPES, "Some Card")
    assert (mixed.change, mixed.measured) == (YES, "1,024 KiB beside the output against 0 B")
    assert answers.GPU not in offered(world)["devices"]


def exported(written, ratio=1.0, verdict="equivalent"):
    """A world in which one exported runtime ran the block."""
    details = {"runtime": "A Runtime", "family": "exported"}
    cost = timing("timing.runtimes.a.host1_before", ratio, verdict)
    kept = fact("runtimes.written.a", written, "allocation", details=details)
    return planted(kept, cost.model_copy(update={"details": cost.details | details}))


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
    assert decision(world, "A Runtime").change == change


def test_where_no_exported_runtime_ran_one_line_says_so():
    world = {key: one for key, one in plain_world().items() if "runtimes" not in key}
    assert decision(world, "exported runtimes").change == NOT_MEASURED


def test_what_is_compiled_to_the_same_kernels_is_said_with_its_count():
    same = fact("codegen.same_kernels.cpu", 11, "codegen", details={"tried": 12})
    made = decision(planted(same), "torch.compile")
    assert (made.change, made.measured) == (NO, "the same kernels in 11 of 12 cases")
