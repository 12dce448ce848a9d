import pytest
from gpu_worlds import STEPS, allocations, evidence, findings, plain_records, timed

from investigation.claims import gpu_claims
from investigation.claims.claim import Verdict
from investigation.claims.gpu_claims import RULES
from investigation.display import gpu_session
from investigation.display.chapter import Chapter
from investigation.evidence.records import Findings
from pipeline import verdicts

BY_CLAIM = {rule.claim: rule for rule in RULES}
NETWORK = {f"{one}__network": 1.02 for one in ("host", "end_to_end")}
MULTIPLY = {"host__multiply": 1.2, "end_to_end__multiply": 1.1}
MIXED = {"end_to_end__mixed": 1.5}
SAME = "allocation.same_dtype.expand_as"
TWO = "allocation.mixed_dtype.expand_as"

PLAIN = {"T1": "refuted", "T6": "refuted", "C4": "supported", "P1": "supported", "V3": "supported"}
FLIPS = [
    ("T6", NETWORK, "supported", "+2.00 %"),
    ("T6", MULTIPLY, "qualified", "handed over by the host up to +20.00 %"),
    ("T6", NETWORK | MIXED, "qualified", "depends on the setting"),
    ("C4", NETWORK, "refuted", "measurable in the network"),
    ("C4", MULTIPLY, "qualified", "a measurable one below it"),
    ("C4", MIXED, "qualified", "with two dtypes up to +50.00 %"),
    ("P1", NETWORK, "refuted", "Not negligible"),
    ("P1", MIXED, "qualified", "two dtypes"),
    ("V3", NETWORK, "refuted", "takes longer"),
    ("V3", MULTIPLY, "qualified", "longer in the multiply alone"),
]


def verdict(claim, records) -> Verdict:
    ((machine, found),) = [
        (one.machine, one.verdict)
        for one in gpu_claims.on_each_machine(BY_CLAIM[claim], findings(records))
    ]
    assert machine == "nvidia_h200"
    return found


@pytest.mark.parametrize("claim", PLAIN)
def test_where_nothing_differs_each_claim_has_its_verdict(claim):
    assert verdict(claim, plain_records()).status == PLAIN[claim]


@pytest.mark.parametrize(("claim", "slow", "status", "says"), FLIPS)
def test_another_machine_has_another_verdict(claim, slow, status, says):
    found = verdict(claim, plain_records(**slow))
    assert found.status == status, found.sentence
    assert says in found.sentence


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ({SAME: 2**20, TWO: 2**20}, "supported", "in every setting tried"),
        ({TWO: 2**20}, "qualified", "in some settings"),
    ],
)
def test_memory_that_the_line_asks_for_decides_t1(more, status, says):
    asked = {one.id: one for one in allocations(**more)}
    found = verdict("T1", [asked.get(one.id, one) for one in plain_records()])
    assert found.status == status
    assert says in found.sentence
    assert "1,024 KiB" in found.sentence


def test_t1_is_untested_where_the_device_keeps_no_count():
    kept = [one for one in plain_records() if not one.id.startswith("allocation")]
    assert verdict("T1", kept).status == "untested"


@pytest.mark.parametrize("claim", ["T6", "C4", "P1", "V3"])
def test_a_claim_of_time_is_untested_where_the_network_is_inconclusive(claim):
    unclear = {
        step.id: timed(step, 1.0, "inconclusive")
        for step in STEPS
        if step.id.startswith("end_to_end.network")
    }
    found = verdict(claim, [unclear.get(one.id, one) for one in plain_records()])
    assert found.status == "untested"
    assert "cannot tell" in found.sentence


def test_slower_by_chance_among_many_is_no_overhead():
    step = next(one for one in STEPS if one.id.startswith("host.multiply"))
    chance = {step.id: timed(step, 1.01, "slower", in_family="inconclusive")}
    found = verdict("T6", [chance.get(one.id, one) for one in plain_records()])
    assert found.status == "refuted"


def test_every_rule_has_a_world_in_which_its_verdict_flips():
    flipped = {claim for claim, _, status, _ in FLIPS if status != PLAIN[claim]} | {"T1"}
    assert flipped == set(PLAIN) == set(BY_CLAIM)


def test_without_a_measurement_every_claim_is_untested_on_a_gpu():
    rows = list(gpu_claims.rows(Findings(())))
    assert {row["verdict"] for row in rows} == {"untested on a GPU"}
    assert len(rows) == len(RULES)


def test_each_machine_has_a_row_of_its_own():
    chapter = Chapter("07_gpu", device="cpu")
    for machine in ("nvidia-h200", gpu_session.HERE):
        gpu_session.adopt(chapter, machine, evidence())
    rows = list(gpu_claims.rows(Findings((chapter.evidence(),))))
    assert {row["who"] for row in rows} == {"on nvidia_h200", "on this_run"}


def test_the_ledgers_page_gets_a_verdict_a_machine_or_says_that_there_is_none():
    none = verdicts.on_a_gpu("T6", Findings(()))
    assert none == {"rule": BY_CLAIM["T6"].rule, "found": []}
    (found,) = verdicts.on_a_gpu("T6", findings(plain_records(**MULTIPLY)))["found"]
    assert (found["machine"], found["verdict"]) == ("nvidia_h200", "qualified")
    assert verdicts.on_a_gpu("T2", Findings(())) is None
