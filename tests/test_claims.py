import pytest
from worlds import (
    COPIES_MIXED,
    COPIES_SAME,
    SLOW_BY_CHANCE,
    SLOW_EXPORTED,
    SLOW_MIX,
    SLOW_MULTIPLY,
    WRITES,
    also_for_a_gpu,
    block_cost,
    by_id,
    compiled_alike,
    fact,
    findings,
    form,
    inconclusive_network,
    parting_curves,
    plain_world,
    planted,
    runtime,
    same_only,
    slower_network,
    timing,
    training_step,
)

from investigation.claims import ledger
from investigation.claims.claim import judge
from investigation.claims.ledger import CLAIMS
from investigation.claims.rules_training import RUNS
from investigation.display.chapter import ruled

BY_ID = {claim.id: claim for claim in CLAIMS}
DECIDED = [claim.id for claim in CLAIMS if claim.decide]

# What each claim comes to in the plain world.
PLAIN = {
    "T1": "qualified", "T2": "supported", "T3": "supported", "T4": "refuted", "T5": "qualified",
    "T6": "refuted", "T7": "supported", "C1": "supported", "C2": "supported", "C3": "supported",
    "C4": "supported", "D1": "supported", "D2": "supported", "D3": "supported", "D4": "supported",
    "P1": "supported", "P2": "supported", "P3": "supported", "P4": "refuted", "P5": "supported",
    "V1": "supported", "V2": "supported", "V3": "supported",
    "X1": "refuted", "X2": "untested", "X3": "supported",
}  # fmt: skip

# The worlds in which it comes to something else, and what the sentence must then say.
FLIPS = [
    ("T1", COPIES_MIXED, "qualified", "where input and gate differ in dtype"),
    ("T1", COPIES_SAME | COPIES_MIXED, "qualified", "where the dtypes are the same"),
    ("T1", COPIES_SAME, "qualified", "where the dtypes are the same"),
    ("T1", {"layout__view__is_view": False}, "refuted", "neither a view nor a copy"),
    ("T1", WRITES, "qualified", "1 of 2 exported runtimes write it out in full: library"),
    ("T1", COPIES_SAME | COPIES_MIXED | WRITES, "qualified", "1 of 2 exported runtimes"),
    (
        "T1",
        COPIES_SAME | COPIES_MIXED | WRITES | by_id(runtime("compiler", 2**24)),
        "supported",
        "in every setting tried",
    ),
    ("T2", {"layout__view__is_view": False}, "refuted", "does not return a view"),
    ("T2", {"equality__same_dtype": False}, "refuted", "other bits"),
    ("T3", {"equality__reference": False}, "refuted", "differs from the product"),
    ("T4", {"layout__ordinary": 1}, "supported", "layout.ordinary"),
    ("T4", {"layout__block__channels_last_detached": 1}, "supported", "channels_last_detached"),
    ("T5", {"dispatch__expand_as": 1}, "refuted", "No operation more anywhere"),
    ("T5", {"graph__more__torch_compile": True}, "supported", "runs in torch.compile."),
    (
        "T5",
        {"graph__more__export": form("torch.export", True)},
        "qualified",
        "an operation more runs in torch.export; none more in torch.compile",
    ),
    (
        "T5",
        {"graph__more__export": form("torch.export", True), "dispatch__expand_as": 1},
        "qualified",
        "makes 1 ATen calls",
    ),
    ("T6", slower_network(1.04), "supported", "at every level"),
    ("T6", SLOW_MULTIPLY, "qualified", "+5.00 %"),
    ("T6", SLOW_MIX, "qualified", "2.3 times"),
    ("T6", SLOW_EXPORTED, "qualified", "exported: up to +60.00 % (+59.80 to +60.20) in library"),
    ("T6", slower_network(1.04) | SLOW_EXPORTED, "qualified", "depends on the setting"),
    ("T6", inconclusive_network(), "untested", "cannot tell"),
    ("T7", {"equality__same_dtype": False}, "refuted", "differ for input and gate of one dtype"),
    ("T7", {"acceptance__grown": 5}, "qualified", "5 that `expand_as` refuses"),
    ("T7", {"equality__mixed": 27}, "qualified", "27 of 180 pairs"),
    ("C1", slower_network(), "refuted", "+2.00 %"),
    ("C1", SLOW_MIX, "qualified", "2.3 times"),
    ("C1", inconclusive_network(), "untested", "cannot tell"),
    ("C2", {"layout__view__shares_storage": False}, "refuted", "does not return a view"),
    ("C2", {"allocation__view": 4}, "refuted", "no memory"),
    ("C4", slower_network(), "refuted", "measurable in the network"),
    ("C4", SLOW_MULTIPLY, "qualified", "measurable one below it"),
    ("C4", training_step(1.02, "slower"), "refuted", "measurable in the network"),
    ("C4", training_step(1.0, "inconclusive", 0.05), "untested", "a training step"),
    ("D1", training_step(1.02, "slower"), "refuted", "+2.00 %"),
    ("D1", training_step(1.02, "slower", formats=("channels_last",)), "refuted", "+2.00 %"),
    ("D1", training_step(0.97, "faster"), "refuted", "-3.00 %"),
    ("D1", training_step(1.008, "slower", 0.004), "untested", "cannot tell"),
    ("D1", training_step(1.0, "inconclusive", 0.05), "untested", "cannot tell"),
    ("D1", parting_curves("gate_bfloat16"), "qualified", "gate_bfloat16 (from step 4 of 69"),
    ("D1", parting_curves("contiguous"), "qualified", "In 5 of 6"),
    ("D1", parting_curves(*RUNS), "refuted", "part in every run"),
    ("D2", {"allocation__view": 4}, "refuted", "memory of its own"),
    (
        "D2",
        {
            f"timing__recalibration__{name}": timing(f"timing.recalibration.{name}", 1.3, "slower")
            for name in ("contiguous", "channels_last")
        },
        "qualified",
        "not cheap by the rule",
    ),
    (
        "D2",
        {
            "timing__recalibration__contiguous": timing(
                "timing.recalibration.contiguous", 1.09, "slower", 0.02
            )
        },
        "qualified",
        "undecided",
    ),
    ("C3", same_only("codegen.same_kernels", 70), "qualified", "same in 70 of 88 settings tried"),
    ("C3", same_only("codegen.same_kernels", 70), "qualified", "(not in training: float32)"),
    ("C3", same_only("codegen.same_kernels", 0), "refuted", "same in 0 of 88"),
    ("C3", also_for_a_gpu("codegen.same_kernels", 80), "qualified", "for gpu, the generated"),
    ("D3", same_only("codegen.fused", 87), "qualified", "in 87 of 88"),
    ("D3", same_only("codegen.fused", 0), "refuted", "in 0 of 88"),
    ("P3", same_only("codegen.same_source", 1), "qualified", "in 1 of 88"),
    ("P3", same_only("codegen.same_source", 0), "refuted", "in 0 of 88"),
    ("D4", {"layout__channels_last": 1}, "refuted", "do not stay identical"),
    ("P1", slower_network(), "refuted", "Not negligible"),
    ("P1", SLOW_MIX, "qualified", "2.3 times"),
    ("P2", COPIES_MIXED, "qualified", "16,384 KiB beside the output"),
    ("P2", {"allocation__view": 4}, "refuted", "memory of its own"),
    ("P4", {"acceptance__grown": 5}, "supported", "refuses 5"),
    ("P5", slower_network(), "refuted", "Not only style"),
    ("P5", COPIES_MIXED, "qualified", "never only style"),
    ("P5", {"acceptance__grown": 5}, "qualified", "drops a shape check"),
    ("V1", {"equality__same_dtype": False}, "refuted", "differ"),
    ("V1", {"equality__mixed": 27}, "qualified", "27 of 180"),
    ("V2", {"layout__ambiguous": 2}, "refuted", "layout.ambiguous"),
    ("V3", slower_network(), "refuted", "takes longer"),
    ("V3", SLOW_MULTIPLY, "qualified", "longer in the multiply alone"),
    ("V3", inconclusive_network(), "untested", "cannot tell"),
    ("X1", WRITES, "qualified", "in full: library. Nothing more is written by compiler"),
    ("X1", WRITES | by_id(runtime("compiler", 8)), "supported", "2 of 2 exported runtimes"),
    ("X1", WRITES | by_id(runtime("eager", 0, "pytorch")), "qualified", "1 of 2 exported"),
    ("X2", WRITES, "refuted", "slower in none of them"),
    ("X2", WRITES | SLOW_EXPORTED, "supported", "library; and nowhere else"),
    (
        "X2",
        WRITES | SLOW_EXPORTED | by_id(block_cost("compiler", 1.2, "slower")),
        "qualified",
        "also in compiler",
    ),
    (
        "X2",
        WRITES | SLOW_EXPORTED | by_id(runtime("compiler", 2**24)),
        "qualified",
        "not seen in compiler",
    ),
    ("X3", by_id(runtime("mend", 2**24, "remedy")), "refuted", "all the same: mend"),
    ("X3", by_id(runtime("mend", 0, "remedy", equal=False)), "refuted", "all the same: mend"),
    ("X3", by_id(block_cost("mend", 1.3, "slower", "remedy")), "refuted", "all the same: mend"),
    (
        "X3",
        by_id(runtime("rule", 8, "remedy"), block_cost("rule", 1.0, "equivalent", "remedy")),
        "qualified",
        "It does in 1 of 2",
    ),
]


def test_every_sentence_of_the_ticket_and_its_reviews_is_in_the_ledger():
    expected = [f"T{i}" for i in range(1, 8)] + [f"C{i}" for i in range(1, 5)]
    expected += [f"D{i}" for i in range(1, 5)] + [f"P{i}" for i in range(1, 6)]
    expected += ["V1", "V2", "V3"]
    assert [claim.id for claim in CLAIMS if claim.who != ledger.OURS] == expected


@pytest.mark.parametrize("claim", DECIDED)
def test_the_plain_world_has_its_verdict(claim):
    verdict = judge(BY_ID[claim], findings(plain_world()))
    assert verdict.status == PLAIN[claim], verdict.sentence


@pytest.mark.parametrize(("claim", "change", "status", "says"), FLIPS)
def test_another_world_has_another_verdict(claim, change, status, says):
    verdict = judge(BY_ID[claim], planted(**change))
    assert verdict.status == status, verdict.sentence
    assert says in verdict.sentence
    assert verdict != judge(BY_ID[claim], findings(plain_world()))


@pytest.mark.parametrize("claim", ["T6", "C4", "V3"])
def test_one_multiply_that_is_slower_by_chance_moves_no_claim(claim):
    verdict = judge(BY_ID[claim], planted(**SLOW_BY_CHANCE))
    assert verdict.status == PLAIN[claim], verdict.sentence


def test_every_decided_claim_has_a_world_in_which_its_verdict_flips():
    flipped = {claim for claim, _, status, _ in FLIPS if status != PLAIN[claim]}
    assert flipped == set(DECIDED)


@pytest.mark.parametrize("claim", DECIDED)
def test_a_claim_is_untested_while_any_of_its_evidence_is_missing(claim):
    for missing in BY_ID[claim].reads:
        world = plain_world()
        del world[missing]
        verdict = judge(BY_ID[claim], findings(world))
        assert verdict.status == "untested"
        assert BY_ID[claim].needs in verdict.sentence


def test_every_claim_has_a_rule_a_chapter_and_a_deciding_cell():
    assert set(DECIDED) == set(BY_ID)
    assert all(claim.chapters and claim.cell and claim.reads for claim in CLAIMS)


def test_targets_that_came_out_alike_share_a_sentence():
    alike = [compiled_alike("codegen.same_kernels", 80, target) for target in ("one", "two")]
    verdict = judge(BY_ID["C3"], planted(**by_id(*alike)))
    assert "; for one and two, the generated kernels are the same in 80 of 88" in verdict.sentence
    assert "settings tried each" in verdict.sentence


def test_a_form_that_two_chapters_tried_is_named_once():
    forms = [fact(f"graph.more.{name}", 1, details={"form": "library"}) for name in ("one", "two")]
    assert "runs in library;" in judge(BY_ID["T5"], planted(**by_id(*forms))).sentence


def test_a_row_of_the_ledger_shows_rule_and_verdict():
    verdict = judge(BY_ID["T3"], findings(plain_world()))
    row = ledger.row(BY_ID["T3"], verdict)
    assert row["rule"] == BY_ID["T3"].rule
    assert row["verdict"] == "supported"
    said, rule, outcome = ruled([row, row]).data.split("\n- ")[1].split("\\\n  ")
    assert said == f"**T3**, ticket: “{BY_ID['T3'].quote}”"
    assert rule == f"*Rule.* {BY_ID['T3'].rule}"
    assert outcome == f"**supported**: {verdict.sentence}"


def test_a_runtime_that_is_slower_by_chance_or_by_a_little_costs_nothing():
    lucky = block_cost("library", 1.2, "slower", in_family="inconclusive")
    little = block_cost("library", 1.03, "slower")
    for costs in (lucky, little):
        verdict = judge(BY_ID["X2"], planted(**WRITES, **by_id(costs)))
        assert verdict.status == "refuted"


def test_where_no_exported_runtime_ran_the_ledger_says_what_became_of_them():
    world = {key: one for key, one in plain_world().items() if "runtimes.written" not in key}
    verdict = judge(BY_ID["X1"], findings(world))
    assert verdict.status == "untested"
    assert "library: ran" in verdict.sentence
