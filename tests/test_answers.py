"""The decision in each setting, the picker and the first page follow their evidence."""

from itertools import product

import pytest
from worlds import (
    CASE,
    MIXED,
    agreement,
    at_one_size,
    block_in,
    control,
    equality,
    evidence,
    findings,
    in_place,
    memory_record,
    multiply,
    network,
    program,
    recalibration,
    training_step,
)

from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.questions import Findings
from pipeline.pages import answers, decisions, disposition, picker, settings, versions
from pipeline.pages.decisions import (
    BY_CASE,
    CANNOT_TELL,
    CHANGE,
    KEEP,
    NO_DIFFERENCE,
    NOT_MEASURED,
    SIZE,
)  # fmt: skip

SMALL = CASE.model_copy(update={"slug": "small", "shape": (1, 16, 2, 2)})
OUTCOMES = {"slower": 1.2, "faster": 0.8, "equivalent": 1.0, "inconclusive": 1.01}


def run(world, **parameters):
    return evidence(*world.values(), notebook="04_eager_cost", parameters=parameters)


def made_in(world):
    world_findings = findings(world)
    return decisions.decisions(world_findings, answers.answers(world_findings))


def decision(world, name=settings.ONE_DTYPE, device=settings.CPU):
    decided = made_in(world)
    return next(
        candidate
        for candidate in decided
        if (candidate.setting.name, candidate.setting.device) == (name, device)
    )


COPY = memory_record(count=4096).model_copy(update={"case": CASE})
COPY_ELSEWHERE = COPY.model_copy(update={"case": SMALL})
UNCLEAR = network(1.01, "inconclusive")


@pytest.mark.parametrize(
    ("plant", "change"),
    [
        ((), NO_DIFFERENCE),
        ((multiply(1.2, "slower"),), SIZE),  # and the network shows no difference
        ((multiply(0.8, "faster"),), SIZE),
        (UNCLEAR, CANNOT_TELL),  # the multiply shows no difference, the network cannot tell
        ((*UNCLEAR, multiply(1.2, "slower")), CHANGE),  # nothing is shown to be otherwise
        ((*UNCLEAR, multiply(0.8, "faster")), KEEP),
        ((*UNCLEAR, multiply(1.01, "inconclusive")), CANNOT_TELL),
        ((*network(1.05, "slower"), multiply(1.2, "slower")), CHANGE),
        ((*network(0.95, "faster"), multiply(0.8, "faster")), KEEP),
        (network(1.05, "slower", formats=("contiguous",)), SIZE),
        ((*network(1.05, "slower", formats=("contiguous",)),
          *network(0.95, "faster", formats=("channels_last",))), BY_CASE),
        ((COPY,), SIZE),  # the copy was seen at one size, and the network shows no difference
        ((*UNCLEAR, COPY), CHANGE),
        ((*UNCLEAR, COPY_ELSEWHERE), SIZE),  # one multiply is equal, another writes a copy
        ((COPY, multiply(0.8, "faster")), SIZE),
    ],
)  # fmt: skip
def test_the_decision_follows_the_evidence(plant, change):
    assert decision(at_one_size(*plant)).change == change


def test_a_decision_that_depends_on_size_names_the_sizes():
    world = at_one_size(multiply(1.2, "slower"), multiply(0.8, "faster", case=SMALL))
    decided = decision(world)
    assert decided.by_size == {
        "1×16×2×2": KEEP,
        "128×32×32×32": CHANGE,
        answers.HOST: NO_DIFFERENCE,
    }
    assert (
        "change it at 128×32×32×32; keep it at 1×16×2×2; no difference at the host network"
        in decided.measured
    )


def test_a_decision_that_does_not_hold_at_every_size_says_where_it_cannot_tell():
    decided = decision(at_one_size(*UNCLEAR, multiply(1.2, "slower")))
    assert "change it at 128×32×32×32; cannot tell at the host network" in decided.measured


def test_what_the_backward_pass_allocates_is_not_said_to_lie_beside_the_output():
    passes = [memory_record(form, "mixed", count, phase="backward")
              for form, count in (("expand_as", 4096), ("broadcast", 2048))]  # fmt: skip
    words = decision(at_one_size(*passes), settings.TRAINING_MIXED).measured
    assert "the backward pass allocates 4,096 B instead of 2,048 B" in words


def test_one_slow_part_of_many_has_to_be_slow_at_the_confidence_of_its_family():
    lucky = multiply(1.012, "slower", in_family="inconclusive")
    decided = decision(at_one_size(lucky, *UNCLEAR))
    assert decided.change == CANNOT_TELL


def worlds_of_one_runtime():
    """Every pair of outcomes at two sizes, with and without bytes that are written."""
    for small, large, written in product(OUTCOMES, OUTCOMES, (0, 2**20)):
        blocks = [block_in("library", OUTCOMES[small], small).model_copy(update={"case": SMALL}),
                  block_in("library", OUTCOMES[large], large)]  # fmt: skip
        yield at_one_size(program("library", written), *blocks)


@pytest.mark.parametrize("world", list(worlds_of_one_runtime()))
def test_nobody_is_advised_into_a_slower_program(world):
    for decided in made_in(world):
        for answer in decided.answers:
            for advice in (decided.change, decided.by_size[answer.size]):
                assert not (advice == CHANGE and answer.outcome == "faster"), decided.measured
                assert not (advice == KEEP and answer.outcome == "slower"), decided.measured
                assert advice != NO_DIFFERENCE or answer.outcome == "equivalent", decided.measured


def test_a_setting_that_no_chapter_measured_says_so():
    unmeasured = decision(at_one_size(), device=settings.GPU)
    assert unmeasured.change == NOT_MEASURED
    assert unmeasured.measured == "`make gpu record` adds it, on a machine with a GPU"
    assert decision({}, device=settings.CPU).measured == "`04_eager_cost` has not run here"


def test_the_words_name_the_whole_steps_the_worst_part_and_the_memory():
    other = CASE.model_copy(update={"slug": "other"})
    world = at_one_size(
        *network(1.004, formats=("contiguous",)),
        multiply(1.2, "slower"),
        multiply(1.3, "slower", case=other),
        memory_record(count=2**20),
    )
    words = decision(world).measured
    assert "requests 1,024 KiB besides the output instead of 0 B" in words
    assert "a forward step of the host network, contiguous: +0.40 %" in words
    assert (
        "slower in 2 of 2 timings; largest slowdown: the multiply, 128×32×32×32, +30.0 %" in words
    )


def test_what_does_not_compare_the_two_forms_is_no_answer():
    others = [multiply(role="control"), multiply(quantity="cold"), control()]
    timings = [answer.timing for answer in answers.answers(findings(at_one_size(*others)))]
    assert {multiply(), multiply(case=MIXED), *in_place("network")} <= set(timings)
    # A check of the line in place.
    whole = [record for record in network() if isinstance(record, Timing)]
    assert not {*whole, *recalibration(), others[0], others[1]} & set(timings)


def test_a_comparison_is_credited_to_the_chapter_that_made_it():
    runs = (evidence(multiply(), notebook="04_x"), evidence(block_in("eager", family="pytorch"),
            notebook="08_y"))  # fmt: skip
    chapters = {answer.timed: answer.chapter for answer in answers.answers(Findings(runs))}
    assert chapters["the multiply"] == "04_x"
    assert chapters["the SE block (timed in the runtimes chapter)"] == "08_y"


def offered(world, **parameters):
    world_findings = findings(world)
    all_answers = answers.answers(world_findings)
    return picker.choices(
        [run(world, **parameters)],
        all_answers,
        decisions.decisions(world_findings, all_answers),
        versions.in_order([]),
    )


def test_what_can_be_chosen_is_what_was_measured_and_a_gpu_in_any_case():
    chosen = offered(at_one_size())
    assert chosen["devices"] == [settings.CPU, settings.GPU]
    assert set(chosen["sizes"]) == {answers.HOST, "128×32×32×32"}
    assert settings.ONE_DTYPE in chosen["settings"]


def test_the_picker_has_the_decision_at_each_size():
    chosen = offered(at_one_size(multiply(1.2, "slower"), multiply(0.8, "faster", case=SMALL)))
    row = next(choice for choice in chosen["decisions"] if choice["name"] == settings.ONE_DTYPE)
    assert row["sizes"]["1×16×2×2"] == KEEP
    assert row["sizes"]["128×32×32×32"] == CHANGE


def test_timings_with_more_threads_are_shown_and_do_not_decide():
    two = multiply(1.5, "slower", series="threads", threads=2)
    alone, beside = at_one_size(), at_one_size(two)
    assert [decision.change for decision in made_in(beside)] == [
        decision.change for decision in made_in(alone)
    ]
    (shown,) = [answer for answer in answers.answers(findings(beside)) if not answer.decides]
    assert (shown.timing, shown.timed) == (two, "the multiply, more threads")
    assert offered(alone)["threads"] == [1]
    assert offered(beside)["threads"] == [1, 2]


def test_what_another_torch_gives_is_counted_against_this_run_s():
    evidences = [
        evidence(equality("search", 9), equality("exponent", 9, differing=nan), torch=release)
        for release, nan in (("2.8.0", 1), ("2.13.0+cpu", 0), ("2.15.0", 0))
    ]
    recorded = versions.in_order(evidences)
    run_with = [evidence(torch="2.13.0+cpu")]
    told = {each["release"]: each["known"] for each in picker.releases(run_with, recorded)}
    assert list(told) == ["2.13.0", "2.15.0", "2.8.0"], "this run's own first, then the newest"
    assert told == {
        "2.13.0": "",
        "2.15.0": "With torch 2.15.0 no time was measured. Without a clock, 2 of 2 observations "
        "are the same as with 2.13.0.",
        "2.8.0": "With torch 2.8.0 no time was measured. Without a clock, 1 of 2 observations "
        "are the same as with 2.13.0.",
    }
    (_, other, *_) = picker.releases([evidence(torch="2.9.0")], recorded)
    assert other["known"].endswith("Nothing is recorded for 2.9.0 to compare it with.")


def test_what_was_not_measured_comes_with_the_command_that_measures_it():
    here, there = (
        next(
            choice
            for choice in offered(at_one_size(), shape=[1, 2, 3, 4])["decisions"]
            if (choice["name"], choice["device"]) == (settings.ONE_DTYPE, device)
        )
        for device in (settings.CPU, settings.GPU)
    )
    assert (here["command"], here["shape"]) == ("make rerun NOTEBOOK=04_eager_cost", True)
    assert (there["command"], there["shape"]) == ("make gpu", False)


def test_a_gpu_that_was_measured_is_a_device_of_its_own():
    card = DeviceFacts(statement="the device", device_name="Some Card")
    measured = [card, *network(1.04, "slower"), *training_step(), memory_record(dtypes="mixed",
                count=2**20), memory_record("broadcast", "mixed")]  # fmt: skip
    world = at_one_size(
        *(record.model_copy(update={"machine": "some-card"}) for record in measured)
    )
    assert decision(world, device="Some Card").change == CHANGE
    assert decision(world, settings.TRAINING, "Some Card").change == NO_DIFFERENCE
    mixed = decision(world, settings.TWO_DTYPES, "Some Card")
    assert mixed.change == CHANGE
    assert mixed.measured == "requests 1,024 KiB besides the output instead of 0 B"
    assert settings.GPU not in offered(world)["devices"]


def exported(written, ratio=1.0, verdict="equivalent"):
    """A world in which one exported runtime ran the block."""
    return at_one_size(program("library", written), block_in("library", ratio, verdict))


@pytest.mark.parametrize(
    ("world", "change"),
    [
        (exported(0), NO_DIFFERENCE),
        (exported(0, 1.01, "inconclusive"), CANNOT_TELL),
        (exported(0, 1.2, "slower"), CHANGE),
        (exported(0, 0.8, "faster"), KEEP),
        (exported(2**20, 1.2, "slower"), CHANGE),
        (exported(2**20, 0.8, "faster"), KEEP),
        (exported(2**20), CHANGE),
    ],
)
def test_each_exported_runtime_is_a_setting_of_its_own(world, change):
    assert decision(world, "library").change == change


def test_where_no_exported_runtime_ran_one_line_says_so():
    world = {key: record for key, record in at_one_size().items() if not hasattr(record, "family")}
    assert decision(world, "exported runtimes").change == NOT_MEASURED


@pytest.mark.parametrize(("same", "change"), [(88, NO_DIFFERENCE), (11, CANNOT_TELL)])
def test_only_programs_that_are_all_the_same_show_that_there_is_no_difference(same, change):
    decided = decision(at_one_size(agreement("kernels", same)), settings.COMPILED)
    assert (decided.change, decided.measured) == (change, f"the same kernels in {same} of 88 cases")


def test_other_bits_stop_any_advice_to_the_ticket():
    world = at_one_size(equality("same_dtype", 16, 3))
    rank = disposition.priority(findings(world), made_in(world))
    assert rank.headline == "open; change nothing yet"
