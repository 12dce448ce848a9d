import math
from datetime import UTC, datetime

import pytest
from worlds import fact

from investigation.evidence.environment import describe
from investigation.evidence.records import Evidence
from investigation.gpu import prediction
from investigation.gpu.prediction import HostCost
from investigation.subject.cases import Case
from investigation.subject.gpu_catalog import CARDS, CHIPS, Card, card_called, chip

CARD = Card("made up", 1e12, ("MADE",), "nowhere")
CASE = Case(slug="one", name="one", shape=(2, 3, 4, 5))
HOST = HostCost(2e-6, 1e-6)


def test_the_scale_step_moves_input_output_and_gate():
    assert prediction.scale_bytes(CASE) == 4 * (2 * 120 + 6)
    half = CASE.model_copy(update={"dtype": "float16"}).with_gate("float32")
    assert prediction.scale_bytes(half) == 2 * 240 + 4 * 6


def test_the_devices_time_is_bytes_over_bandwidth():
    assert prediction.device_s(CASE, CARD) == pytest.approx(984e-12)


def test_from_the_size_that_hides_the_host_on_both_sides_need_the_same():
    elements = prediction.hidden_from(CARD, HOST.with_expand_s, "bfloat16")
    side = math.isqrt(round(elements))
    case = Case(slug="edge", name="edge", shape=(1, 1, side, side), dtype="bfloat16")
    assert prediction.device_s(case, CARD) == pytest.approx(HOST.with_expand_s, rel=0.001)


@pytest.mark.parametrize(("side", "bound"), [(8, "launch"), (4096, "bandwidth")])
def test_a_small_tensor_waits_for_the_host_and_a_large_one_for_memory(side, bound):
    case = Case(slug="x", name="x", shape=(1, 1, side, side))
    (found,) = prediction.predictions((case,), HOST, (CARD,))
    assert found.bound == bound


def test_without_the_hosts_cost_nothing_is_said_of_the_side_that_waits():
    found = prediction.predictions((CASE,), None)
    assert len(found) == len(CARDS)
    assert {one.bound for one in found} == {None}


def chapter(*records):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Evidence(
        notebook="04_eager_cost",
        source_sha256="0",
        package_sha256="0",
        parameters={},
        environment=describe(1),
        started=now,
        finished=now,
        records=records,
    )


def test_the_hosts_cost_is_that_of_the_smallest_multiply():
    smallest = fact(prediction.SMALLEST, 1.5, "timing",
                    details={"baseline_s": 2e-6, "difference_s": 1e-6})  # fmt: skip
    assert HostCost.measured_in(chapter(smallest)) == HOST
    with pytest.raises(LookupError, match=r"04_eager_cost has no record timing\.sweep\.side1"):
        HostCost.measured_in(chapter())


@pytest.mark.parametrize(
    ("driver_says", "name"),
    [
        ("NVIDIA H200", "H200"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM"),
        ("NVIDIA A100-SXM4-80GB", "A100-80GB SXM"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("Tesla T4", "T4"),
        ("AMD Instinct MI300X", "MI300X"),
        ("NVIDIA H100 PCIe", None),
        ("NVIDIA A100-SXM4-40GB", None),
        ("NVIDIA L40", None),
    ],
)
def test_a_card_is_known_by_its_drivers_name_and_only_by_that(driver_says, name):
    found = card_called(driver_says)
    assert (found.name if found else None) == name


def test_every_description_names_its_source():
    assert all(card.source for card in CARDS)
    assert all(one.sources for one in CHIPS)
    assert len({card.slug for card in CARDS}) == len(CARDS)


def test_a_chip_is_found_by_its_slug_or_the_slugs_are_said():
    assert chip("cuda90").capability == (9, 0)
    assert chip("cuda100").capability == (10, 0)
    assert chip("gfx942").capability == (9, 4)
    assert (chip("gfx942").assembly, chip("cuda80").binary) == ("amdgcn", "cubin")
    with pytest.raises(KeyError, match="no such chip; there are cuda80, cuda90, cuda100, gfx942"):
        chip("cuda10")
