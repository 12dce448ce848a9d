import math

import pytest
from worlds import evidence, timed, timing

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
    (predicted,) = prediction.predictions((case,), HOST, (CARD,))
    assert predicted.bound == bound


def test_without_the_hosts_cost_nothing_is_said_of_the_side_that_waits():
    predicted = prediction.predictions((CASE,), None)
    assert len(predicted) == len(CARDS)
    assert {predicted_case.bound for predicted_case in predicted} == {None}


def multiply_of(side, seconds, **about):
    """A multiply of the eager chapter over sizes, half as long again with `expand_as`."""
    case = Case(slug=f"side{side}", name=f"side {side}", shape=(1, 16, side, side))
    record = timing("multiply", 1.5, "slower", case=case, **{"series": "sizes"} | about)
    return record.model_copy(update={"alone": timed(1.5, "slower", seconds=seconds)})


def test_the_hosts_cost_is_that_of_the_smallest_multiply():
    measured = (
        multiply_of(64, 8e-6),
        multiply_of(1, 2e-6),
        multiply_of(8, 4e-6),
        multiply_of(1, 3e-6, baseline="dropped"),
        multiply_of(1, 5e-6, quantity="cold"),
        multiply_of(1, 6e-6, series="workloads"),
    )
    assert HostCost.measured_in(evidence(*measured, notebook="04_eager_cost")) == HOST


def test_where_no_size_was_measured_that_is_said():
    named = evidence(multiply_of(1, 2e-6, series="workloads"), notebook="04_eager_cost")
    with pytest.raises(LookupError, match="04_eager_cost has no timing with series sizes"):
        HostCost.measured_in(named)


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
    card = card_called(driver_says)
    assert (card.name if card else None) == name


def test_every_description_names_its_source():
    assert all(card.source for card in CARDS)
    assert all(chip.sources for chip in CHIPS)
    assert len({card.slug for card in CARDS}) == len(CARDS)


def test_a_chip_is_found_by_its_slug_or_the_slugs_are_said():
    assert chip("sm_90").capability == (9, 0)
    assert chip("sm_100").capability == (10, 0)
    assert chip("gfx942").capability == (9, 4)
    assert (chip("gfx942").assembly, chip("sm_80").binary) == ("amdgcn", "cubin")
    with pytest.raises(KeyError, match="no such chip; there are sm_80, sm_90, sm_100, gfx942"):
        chip("sm_10")
