"""X4, a whole deployed network is slower for it: by network and runtime, in both directions."""

import pytest
from worlds import by_identity, findings, network, planted, released

from investigation.claims.claim import judge
from investigation.claims.ledger import CLAIMS
from investigation.claims.scope import scope

(X4,) = (claim for claim in CLAIMS if claim.id == "X4")
XNNPACK = "executorch_xnnpack"
SLOW_ONE = released("one_net", XNNPACK, 1.2)
SLOW_OTHER = released("other_net", XNNPACK, 1.3)
FAST_OTHER = released("other_net", XNNPACK, 0.8)
UNCLEAR_OTHER = released("other_net", XNNPACK, width=0.05)


def judged(*records):
    return judge(X4, findings(planted(*records)))


SLOW = "1 slower (one_net with ExecuTorch (XNNPACK))"
FAST = "1 faster (other_net with ExecuTorch (XNNPACK))"
WORLDS = [
    ([], "refuted", "Of 2 pairs of network and runtime, 2 equal."),
    ([SLOW_ONE, SLOW_OTHER], "supported", "2 slower (one_net and other_net with ExecuTorch"),
    ([SLOW_ONE], "qualified", f"{SLOW} and 1 equal."),
    ([SLOW_ONE, FAST_OTHER], "qualified", f"{SLOW} and {FAST}."),
    ([SLOW_ONE, UNCLEAR_OTHER], "qualified", f"{SLOW} and 1 undecided."),
    ([FAST_OTHER], "refuted", f"{FAST} and 1 equal."),
    ([UNCLEAR_OTHER], "untested", "1 equal and 1 undecided."),
]


@pytest.mark.parametrize(("records", "status", "words"), WORLDS)
def test_each_network_in_each_runtime_counts_by_itself(records, status, words):
    verdict = judged(*records)
    assert (verdict.status, words in verdict.sentence) == (status, True), verdict.sentence
    assert len(verdict.sentence.split()) <= 40


def test_what_is_slower_by_chance_among_many_is_not_slower():
    lucky = released("one_net", XNNPACK, 1.2, in_family="inconclusive")
    assert judged(lucky).status == "untested"


def test_every_pair_of_network_and_runtime_is_a_row_of_the_table():
    rows = dict(judged(SLOW_ONE, released("one_net", "onnxruntime", 0.9)).table)
    assert rows["one_net, ExecuTorch (XNNPACK)"].startswith("+20.0 %")
    assert rows["one_net, ONNX Runtime (dynamo)"].endswith(": faster")
    assert rows["other_net, ExecuTorch (XNNPACK)"].endswith(": equal")


def test_controls_and_the_host_network_are_no_evidence_of_it():
    copies = released("one_net", XNNPACK, 1.2, role="control", candidate="copy")
    assert judged(copies, *network(1.2)).status == "refuted"


def test_what_was_recorded_on_another_machine_counts_and_is_named():
    there = released("one_net", XNNPACK, 1.2, machine="epyc-2-cores")
    world = findings(by_identity([there]))
    assert judge(X4, world).status == "supported"
    assert dict(scope(X4.questions, world))["machine"] == "epyc-2-cores"


def test_without_a_measured_network_it_is_untested_and_the_command_is_named():
    verdict = judge(X4, findings({}))
    assert verdict.status == "untested"
    assert "make wild NETWORK=all" in verdict.sentence
