"""The sentences, the table and the picture of the first page, in worlds and in their opposites."""

import csv
import io
import math
import shutil

import pytest
from worlds import (
    CASE,
    MIXED,
    at_one_size,
    block_in,
    equality,
    evidence,
    findings,
    grown,
    memory_record,
    multiply,
    network,
    program,
    training_step,
)

from investigation.display import figure_data
from investigation.display.setting_figures import Mark, SettingRow, settings_figure
from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.layouts import Layouts
from investigation.subject.memory_formats import MEMORY_FORMATS
from pipeline import places
from pipeline.pages import (
    answers,
    assembly,
    decisions,
    disposition,
    gpus,
    picker,
    picture,
    settings,
    summary,
    verdicts,
    versions,
)

LARGE = CASE.model_copy(update={"slug": "large", "shape": (8, 256, 56, 56)})


def made_in(world):
    world_findings = findings(world)
    return decisions.decisions(world_findings, answers.answers(world_findings))


def rank(*plant):
    world = at_one_size(*plant)
    return disposition.priority(findings(world), made_in(world))


@pytest.mark.parametrize(
    ("plant", "headline", "ground"),
    [
        (
            (),
            "low, a matter of style",
            "the same time within ±1 % with the line (97.5 % intervals from −0.20 % to +0.20 %)",
        ),
        (network(1.01, "inconclusive"), "open", "cannot tell whether the line changes a step"),
        (network(1.008, "inconclusive"), "open", "by more than ±1 % (97.5 % intervals from"),
        (network(1.0, width=math.inf), "open", "in too few processes to tell"),
        (
            network(1.05, "slower"),
            "as filed, a performance bug",
            "with the line is slower in 2, equal in 2 of 4 (largest: +5.00 %); 97.5 % interval",
        ),
        (
            training_step(1.05, "slower"),
            "as filed, a performance bug",
            "slower in 2, equal in 2 of 4",
        ),
        (network(0.95, "faster"), "none, keep the line", "is faster in 2, equal"),
        (
            (*network(1.05, "slower"), *training_step(0.95, "faster")),
            "open",
            "slower in 2, faster in 2 of 4 (largest: +5.00 %, −5.00 %)",
        ),
        ((equality("same_dtype", 16, 1),), "open; change nothing yet", "different bits"),
    ],
)
def test_the_tickets_priority_follows_the_steps_of_its_own_network(plant, headline, ground):
    ranked = rank(*plant)
    assert ranked.headline == headline
    assert ground in ranked.grounds


@pytest.mark.parametrize(
    ("plant", "proposal"),
    [
        ((), disposition.CHANGE_IT),
        (network(1.05, "slower"), disposition.SLOWER),
        (network(0.95, "faster"), disposition.FASTER),
        ((*network(1.05, "slower"), *training_step(0.95, "faster")), disposition.BOTH_WAYS),
        (network(1.01, "inconclusive"), disposition.NOT_YET),
        ((equality("same_dtype", 16, 1),), disposition.KEEP_IT),
    ],
)
def test_the_change_is_proposed_to_the_ticket_only_where_its_network_is_decided(plant, proposal):
    assert rank(*plant).proposal == proposal


def test_a_difference_is_rounded_as_in_every_table():
    assert disposition.longer(decision_of(multiply(9.354, "slower")).worst) == "9.35 times as long"
    assert disposition.longer(decision_of(multiply(1.054, "slower")).worst) == "5.40 % longer"


def decision_of(*plant):
    return next(
        decision
        for decision in made_in(at_one_size(*plant))
        if decision.setting.name == settings.ONE_DTYPE and decision.worst
    )


CARD = DeviceFacts(statement="the device", device_name="Some Card", machine="card")


def on_a_card(*records):
    return [CARD, *(record.model_copy(update={"machine": "card"}) for record in records)]


@pytest.mark.parametrize(
    ("plant", "headline", "ground", "proposal"),
    [
        ((), "low, a matter of style", gpus.NOTHING, disposition.CHANGE_IT),
        (
            on_a_card(*network()),
            "low, a matter of style",
            "On a Some Card a step of its network is equal in 2 of 2, at 95 %.",
            disposition.CHANGE_IT,
        ),
        (
            on_a_card(*network(1.05, "slower"), *training_step(1.0095, "inconclusive")),
            "low, a matter of style, on a CPU; as filed, a performance bug, on a GPU",
            "slower in 2, undecided in 2 of 4 (largest: +5.00 %), at 95 %.",
            disposition.SLOWER_ON_A_GPU,
        ),
        (
            on_a_card(*network(0.95, "faster")),
            "low, a matter of style, on a CPU; none, keep the line, on a GPU",
            "faster in 2 of 2 (largest: −5.00 %), at 95 %.",
            disposition.FASTER_ON_A_GPU,
        ),
        (
            on_a_card(*network(1.0095, "inconclusive")),
            "low, a matter of style, on a CPU; open, on a GPU",
            "undecided in 2 of 2, at 95 %.",
            disposition.NOT_YET,
        ),
        (
            [*network(1.05, "slower"), *on_a_card(*network(1.05, "slower"))],
            "as filed, a performance bug",
            "slower in 2 of 2 (largest",
            disposition.SLOWER,
        ),
    ],
)
def test_the_priority_tells_what_was_measured_on_gpus(plant, headline, ground, proposal):
    ranked = rank(*plant)
    assert (ranked.headline, ranked.proposal) == (headline, proposal)
    assert ranked.grounds.endswith(ground) or ground in ranked.grounds


def cause(*records):
    return gpus.cause(answers.answers(findings(at_one_size(*on_a_card(*records)))))


def test_parts_of_a_call_on_a_gpu_are_shown_and_do_not_decide():
    host = multiply(1.3, "slower", quantity="host")
    equal = made_in(at_one_size(*on_a_card(multiply(1.0), host)))
    on_card = [one for one in equal if one.setting.device == CARD.device_name]
    assert on_card[0].change == decisions.NO_DIFFERENCE
    assert "slower" not in on_card[0].measured
    everything = answers.answers(findings(at_one_size(*on_a_card(multiply(1.0), host))))
    (beside,) = [answer for answer in everything if not answer.decides]
    assert beside.timed == "the multiply, the host's part"


def test_the_last_sentence_tells_where_the_time_of_a_gpu_goes_and_only_if_one_was_measured():
    assert len(sentences()) == len(sentences(*on_a_card(*network(1.05, "slower")))) == 4
    timed = {
        "host": multiply(1.25, "slower"),
        "end_to_end": multiply(1.1, "slower"),
        "device": multiply(1.0),
    }
    parts = [record.model_copy(update={"quantity": quantity}) for quantity, record in timed.items()]
    sentence = sentences(*on_a_card(*parts))[-1]
    assert sentence.startswith(
        "On a GPU a call of the multiply or of the block is slower in 1 of 1 (largest: +10.0 %)"
    )
    assert sentence.endswith("; the device's own part is equal in 1 of 1.")
    assert "costs there is the host's time" in cause(*parts)
    other = [*parts[:2], multiply(0.8, "faster").model_copy(update={"quantity": "device"})]
    assert "part is faster in 1 of 1 (" in sentences(*on_a_card(*other))[-1]
    assert cause(*other) == ""


def test_a_gpu_is_named_with_the_torch_of_its_record_or_as_one_of_this_run():
    world = findings(at_one_size(CARD, *on_a_card(*network())))
    record = evidence(notebook="07_gpu")
    assert gpus.with_torch(findings(at_one_size()), {"card": record}) == ""
    assert gpus.with_torch(world, {}) == "Some Card (in this run)"
    torch = record.environment.torch
    assert gpus.with_torch(world, {"card": record}) == f"Some Card (recorded, torch {torch})"


def elsewhere(*plant):
    return disposition.elsewhere(made_in(at_one_size(*plant)))


def test_elsewhere_names_where_to_change_where_to_keep_and_where_to_look_first():
    assert "no measured setting gives a reason to act on the line" in elsewhere()
    slow, quick = block_in("library", 1.6, "slower"), block_in("library", 0.8, "faster")
    assert "change it in library (up to 60.0 % longer at 128×32×32×32)" in elsewhere(slow)
    assert "keep it in library (up to 20.0 % shorter at 128×32×32×32)" in elsewhere(quick)
    slower = block_in("compiler", 3.0, "slower")
    two = "change it in library and compiler (compiler: up to 3 times as long at 128×32×32×32)"
    assert two in elsewhere(slow, slower)
    both = elsewhere(slow, quick.model_copy(update={"case": LARGE}))
    assert "check your size first in library" in both


def test_ways_into_one_product_are_named_together_only_if_they_agree():
    def named(*names):
        decided = made_in(at_one_size(*(program(name) for name in names)))
        return disposition.products(
            [decision for decision in decided if decision.setting.name in names]
        )

    assert named("Product (a)", "Product (b)") == ["Product"]
    assert named("Product (a)", "library") == ["library", "Product (a)"]


def sentences(*plant):
    world = at_one_size(*plant)
    return summary.sentences(findings(world), made_in(world))


def test_the_first_sentence_tells_of_bits_layouts_and_gradients():
    plain = sentences()[0]
    assert plain.startswith("With one dtype both forms return the same bits, in the same memory")
    assert "layout. Tensors of training with other bits: 0 of 10 where a gradient is" in plain
    assert "different bits in 3 of 16 dtypes" in sentences(equality("same_dtype", 16, 3))[0]
    elsewhere = Layouts(statement="pairings", group="ordinary", tried=9, differing=1)
    assert "in another memory layout for some inputs" in sentences(elsewhere)[0]
    twice = sentences(equality("second_gradients", 10, 8))[0]
    assert "layout. Tensors of training with other bits: 8 of 10 where a gradient is" in twice


def test_the_second_sentence_tells_of_one_dtype_in_both_directions():
    assert "slower with the line in 0 of 1 timings." in sentences()[1]
    assert "at worst 50.0 % longer at 128×32×32×32" in sentences(multiply(1.5, "slower"))[1]
    assert "0 of 1 timings, and faster in 1" in sentences(multiply(0.5, "faster"))[1]


def test_the_third_sentence_tells_of_two_dtypes_or_that_nothing_was_found():
    assert "neither more memory nor more time" in sentences()[2]
    sentence = sentences(
        memory_record(dtypes="mixed", count=2**23), multiply(2.3, "slower", case=MIXED)
    )[2]
    assert "requests 8,192 KiB besides the output instead of 0 B" in sentence
    assert "the multiply takes up to 2.3 times as long" in sentence


def test_many_programs_that_are_faster_are_counted_instead_of_named():
    quick = [block_in(name, 0.8, "faster") for name in ("library", "compiler", "third")]
    three = sentences(program("third"), *quick)[3]
    assert "at some size 3 programs are faster with it" in three
    assert "at some size library and compiler are faster with it" in sentences(*quick[:2])[3]


def test_the_fourth_sentence_tells_of_exported_programs_in_both_directions():
    assert "takes the same time either way" in sentences()[3]
    slow = sentences(block_in("library", 9.0, "slower"))[3]
    assert (
        "1 of 2 programs of the block is slower with the line at some size, up to 9 times as long"
        in slow
    )
    quick = sentences(block_in("library", 0.8, "faster"))[3]
    assert "0 of 2 programs" in quick
    assert "at some size library is faster with it" in quick


def test_the_short_table_has_at_most_six_rows_however_much_was_measured():
    cards = [DeviceFacts(statement="the device", device_name=f"Card {number}",
                         machine=f"card-{number}")
             for number in range(3)]  # fmt: skip
    steps = [record.model_copy(update={"machine": card.machine}) for card in cards
             for record in network(1.05, "slower")]  # fmt: skip
    runtimes = [
        record for number in range(9) for record in (program(f"r{number}"), block_in(f"r{number}"))
    ]
    rows = summary.rows(made_in(at_one_size(*cards, *steps, *runtimes)))
    assert len(rows) == 6
    assert rows[0].where == settings.ONE_DTYPE
    assert (rows[-1].where, rows[-1].change) == ("on a GPU", decisions.CHANGE)
    assert rows[-1].why == "a network's step: slower"


def test_the_row_of_gpus_tells_times_from_start_to_finish_and_not_of_a_part():
    host, whole = multiply(1.5, "slower", quantity="host"), multiply(1.1, "slower")
    row = summary.rows(made_in(at_one_size(*on_a_card(host, whole))))[-1]
    assert row.why == "up to 10.0 % longer at 128×32×32×32"
    assert summary.rows(made_in(at_one_size()))[-1].change == decisions.NOT_MEASURED


def test_a_row_tells_of_the_steps_of_a_network_only_if_no_part_differs():
    def why(*plant):
        return summary.rows(made_in(at_one_size(*plant)))[0].why

    assert why() == "a network's step: equal; alone: equal"
    undecided = "a network's step: equal in 1, undecided in 1 of 2; alone: equal"
    assert why(*network(1.01, "inconclusive", formats=MEMORY_FORMATS[:1])) == undecided
    assert why(multiply(1.5, "slower")) == "up to 50.0 % longer at 128×32×32×32"
    both = (multiply(1.5, "slower"), multiply(0.5, "faster", case=LARGE))
    assert why(*both) == "from 50.0 % shorter to 50.0 % longer"


def test_a_row_for_several_programs_counts_their_decisions():
    world = at_one_size(block_in("library", 1.6, "slower"))
    row = next(
        short_row
        for short_row in summary.rows(made_in(world))
        if short_row.where == "exported programs"
    )
    assert row.change == "change it in 1, no difference in 1 of 2"
    assert row.why == "up to 60.0 % longer in library"


def points(rows, **how):
    return list(csv.DictReader(io.StringIO(figure_data.as_csv(settings_figure(rows, 0.01, **how)))))


@pytest.mark.parametrize("narrow", [False, True])
def test_every_mark_of_the_picture_has_the_setting_the_label_and_the_numbers_of_its_timing(narrow):
    world = at_one_size(
        multiply(1.2, "slower"), multiply(1.1, "slower", case=LARGE),
        multiply(1.3, "slower", case=CASE.model_copy(update={"slug": "b", "name": "of one size"})),
        block_in("library", 1.6, "slower"),
        block_in("library", 0.7, "faster").model_copy(update={"case": LARGE}),
    )  # fmt: skip
    decided = made_in(world)
    marks = {
        (row["y"], row["series"]): row
        for row in points(picture.setting_rows(decided), narrow=narrow)
    }
    expected = {(decision.setting.name, answer.label): answer.timing
                for decision in decided for answer in decision.answers}  # fmt: skip
    assert marks.keys() == expected.keys()
    for key, timing in expected.items():
        numbers = [float(marks[key][name]) for name in ("x", "low", "high")]
        assert numbers == pytest.approx([timing.ratio, *timing.interval])


def test_all_gpus_share_a_row_of_the_picture_with_their_times_from_start_to_finish():
    def row(*records):
        return next(row for row in picture.setting_rows(made_in(at_one_size(*records)))
                    if row.name == picture.ON_A_GPU)  # fmt: skip

    assert (row().decision, row().marks) == (decisions.NOT_MEASURED, ())
    other = CARD.model_copy(update={"machine": "other", "device_name": "Other Card"})
    quick = multiply(0.9, "faster").model_copy(update={"machine": "other"})
    host = multiply(1.3, "slower", quantity="host")
    slow = on_a_card(multiply(1.1, "slower"), host)
    alone, both = row(*slow), row(*slow, other, quick)
    assert [(mark.ratio, mark.outcome) for mark in alone.marks] == [(1.1, "slower")]
    assert alone.marks[0].label.startswith("Some Card: the multiply, from start to finish")
    assert {mark.ratio for mark in both.marks} == {1.1, 0.9}
    assert both.decision == decisions.BY_CASE


def test_a_setting_without_timings_leaves_its_row_empty_and_shifts_none():
    mark = Mark("the block", 1.5, (1.4, 1.6), "slower")
    rows = [SettingRow("first", "not measured", ()), SettingRow("second", "change it", (mark,))]
    assert [row["y"] for row in points(rows)] == ["second"]
    assert [row["y"] for row in points(rows[::-1])] == ["second"]


def test_two_settings_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two rows of one name: first"):
        settings_figure([SettingRow("first", "", ())] * 2, 0.01)


def test_two_marks_of_one_label_are_refused():
    mark = Mark("the block", 1.5, (1.4, 1.6), "slower")
    with pytest.raises(ValueError, match="two marks of one name: the block"):
        settings_figure([SettingRow("first", "", (mark, mark))], 0.01)


def test_the_caption_and_the_alternative_text_count_what_is_drawn():
    plain, slow = (made_in(at_one_size(*plant)) for plant in ((), (multiply(1.2, "slower"),)))
    assert "slower" not in picture.finding(picture.setting_rows(plain))
    found = picture.finding(picture.setting_rows(slow))
    assert "slower in 1, equal in" in found
    for made in (plain, slow):
        shown = picture.of_settings(made)
        for decision in made:
            assert shown.count(f"{picture.name_of(decision)}: {decision.change}") == 2
    # In two alternative texts, for a wide page and for a phone, and in the caption.
    assert picture.of_settings(slow).count(found) == 3


def index_in(world, folder):
    """The first page as it is filled in for a world."""
    world_findings = findings(world)
    all_answers = answers.answers(world_findings)
    all_decisions = decisions.decisions(world_findings, all_answers)
    look_up = assembly.records_of(world_findings)
    run = evidence(*world.values(), notebook="04_eager_cost")
    shutil.copytree(places.BOOK / "_parts", folder / "_parts")
    shutil.copy(places.BOOK / "index.md", folder)
    names = assembly.first_page(world_findings, all_answers, all_decisions) | {
        "picker": picker.choices([run], all_answers, all_decisions, versions.in_order([])),
        "titles": {"04_eager_cost": "Cost"},
        "claims": verdicts.claims(world_findings),
        "claim": {claim["id"]: claim for claim in verdicts.claims(world_findings)},
        "runs": [run],
        "record": assembly.the_only(look_up),
        "records": look_up,
    }
    assembly.write_pages(folder, names)
    return (folder / "index.md").read_text()


@pytest.mark.parametrize(
    ("plant", "words", "never"),
    [
        ((), "priority: low, a matter of style", "You lose a shape check"),
        ((grown(5),), "returns a larger result without a warning (5 of 16", "Nothing that was tri"),
        (network(1.05, "slower"), "priority: as filed, a performance bug", "matter of style"),
        (network(0.95, "faster"), "priority: none, keep the line", "matter of style"),
    ],
)
def test_the_first_page_holds_in_each_world(tmp_path, plant, words, never):
    page = index_in(at_one_size(*plant), tmp_path)
    assert words in page
    assert never not in page
    assert ("+ assert result.shape == x.shape" in page) == ("You lose a shape check" in page)


def test_an_interval_without_ends_is_drawn_and_published_as_it_is():
    world = at_one_size(*network(1.0, width=math.inf))
    decided = made_in(world)
    rows = [
        row for row in points(picture.setting_rows(decided)) if row["series"].startswith("a forw")
    ]
    assert [(row["low"], row["high"]) for row in rows] == [("-inf", "inf")] * 2
    assert "<svg" in picture.of_settings(decided)
