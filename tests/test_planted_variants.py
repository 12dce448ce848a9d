"""The same flips once more, end to end: another variant in, another verdict out."""

import pytest
import torch
from worlds import fact, findings, plain_world

from investigation.claims.claim import judge
from investigation.claims.ledger import CLAIMS
from investigation.observe import acceptance, equality, layout, memory
from investigation.subject.cases import Case
from investigation.subject.variants import broadcast, expand_as, materialized

BY_ID = {claim.id: claim for claim in CLAIMS}
CASE = Case(slug="small", name="small", shape=(2, 3, 16, 16))


def copying(x, gate):
    return x * gate.expand_as(x).contiguous()


def forgetful(x, gate):
    return (x * gate).contiguous()


def allocation_records(expanding):
    x, gate = CASE.tensors()
    _, half = CASE.with_gate("bfloat16").tensors()
    output = x.numel() * 4
    for dtypes, one in (("same_dtype", gate), ("mixed_dtype", half)):
        for name, scale in (("expand_as", expanding), ("broadcast", broadcast)):
            asked = memory.bytes_allocated(lambda s=scale, g=one: s(x, g)) - output
            yield fact(f"allocation.extra.{dtypes}.{name}", asked, "allocation")
    operand = memory.multiplied_gate(expanding, x, gate)
    yield fact("layout.view.shares_storage", memory.shares_storage(operand, gate), "layout")
    yield fact("layout.view.is_view", memory.place(operand).is_view, "layout")


def layout_records(candidate):
    for name, sizes in (("ordinary", (layout.ORDINARY,)), ("ambiguous", layout.AMBIGUOUS)):
        pairings = list(layout.compare_layouts(expand_as, candidate, sizes, seed=0))
        differing = sum(not (one.same_layout and one.same_values) for one in pairings)
        yield fact(f"layout.{name}", differing, "layout", details={"tried": len(pairings)})


def equality_records(candidate):
    (result,) = equality.compare_dtypes(expand_as, candidate, [("float32", "float32")], 0, "cpu")
    yield fact("equality.same_dtype", result.worst == "none")


def acceptance_records(baseline):
    outcomes = acceptance.compare_acceptance(baseline, broadcast)
    grown = sum(one.silently_grown for one in outcomes)
    yield fact("acceptance.grown", grown, "acceptance", details={"tried": len(outcomes)})


def verdict(claim, records):
    """Judge in the plain world with these records; the variants run in eager mode alone."""
    plain = {key: one for key, one in plain_world().items() if "runtimes" not in key}
    world = plain | {record.id: record for record in records}
    world["runtimes.ran"] = plain_world()["runtimes.ran"]
    return judge(BY_ID[claim], findings(world)).status


def halved(x, gate):
    return x * gate * torch.tensor(0.5)


@pytest.mark.parametrize(
    ("claim", "observe", "real", "plant", "expected"),
    [
        ("T1", allocation_records, expand_as, copying, ("qualified", "supported")),
        ("P2", allocation_records, expand_as, copying, ("qualified", "refuted")),
        ("C2", allocation_records, expand_as, materialized, ("supported", "refuted")),
        ("T4", layout_records, broadcast, forgetful, ("refuted", "supported")),
        ("V2", layout_records, broadcast, forgetful, ("supported", "refuted")),
        ("T7", equality_records, broadcast, halved, ("supported", "refuted")),
        ("P4", acceptance_records, expand_as, broadcast, ("supported", "refuted")),
    ],
)
def test_a_planted_variant_flips_the_verdict(claim, observe, real, plant, expected):
    assert (verdict(claim, observe(real)), verdict(claim, observe(plant))) == expected
