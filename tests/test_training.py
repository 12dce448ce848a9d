import math

import pytest
import torch
from claim_worlds import in_place_as
from fake_clock import FakeMachine, steady
from worlds import by_identity, findings, plain_world, run

from investigation.claims import ledger
from investigation.claims.claim import judge
from investigation.display.chapter import Chapter
from investigation.evidence.kinds.correctness import RUNS
from investigation.evidence.kinds.timings import STEP_CONFIDENCE
from investigation.observe import training_runs
from investigation.observe.training_runs import TrainedNetwork
from investigation.subject import training, training_workloads
from investigation.subject.cases import Case
from investigation.subject.digits import digits
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.subject.training import SETTINGS
from investigation.subject.variants import SEBlock, broadcast, expand_as, materialized
from investigation.timing import planted_work
from investigation.timing.measure import compare_on
from investigation.timing.replication import Replication
from investigation.timing.settings import Settings

(D1,) = [claim for claim in ledger.CLAIMS if claim.id == "D1"]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Two threads that wait for each other make a small step slow if a core is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data():
    return digits()


def train(data, scale, setting="contiguous", seed=0):
    return training_runs.train(scale, SETTINGS[setting], data, epochs=1, seed=seed)


@pytest.fixture(scope="module")
def reference(data):
    return train(data, broadcast)


@pytest.fixture(scope="module")
def nudged(data):
    return train(data, training.one_ulp_more)


def test_the_digits_are_real_images_of_ten_classes(data):
    assert data.training.images.shape == (1437, 3, 8, 8)
    assert len(data.test) == 360
    assert set(data.test.classes.tolist()) == set(range(10))
    assert 0 == data.test.images.min() < data.test.images.max() == 1


def test_a_run_learns_and_repeats_bit_for_bit(data, reference):
    assert reference.accuracy > 0.5
    assert training_runs.same_run(reference, train(data, broadcast))


@pytest.mark.parametrize("setting", ["contiguous", "channels_last", "autocast"])
def test_with_one_dtype_both_forms_learn_the_same_bits(data, setting):
    assert training_runs.same_run(train(data, broadcast, setting), train(data, expand_as, setting))


def test_with_a_less_precise_gate_the_runs_part_and_stay_near(data):
    plain, other = (train(data, scale, "gate_bfloat16") for scale in (broadcast, expand_as))
    assert training_runs.parted(plain, other)
    assert training_runs.furthest_apart(plain, other) < 0.01


def test_one_unit_in_the_last_place_parts_a_run(reference, nudged):
    assert not training_runs.same_run(reference, nudged)


def test_another_seed_parts_a_run_at_once(data, reference):
    assert training_runs.parted(reference, train(data, broadcast, seed=1)) == 1


def test_one_unit_more_is_the_next_larger_number_and_learns_alike():
    x, gate = torch.tensor([1.0, -3.0, 0.0], requires_grad=True), torch.tensor([0.5])
    product = training.one_ulp_more(x, gate)
    product.sum().backward()
    expected = torch.nextafter(x[:2] * gate, torch.tensor(math.inf))
    assert product.tolist() == [*expected.tolist(), 0.0]
    assert x.grad.tolist() == [0.5, 0.5, 0.5]


def test_runs_part_at_their_first_different_loss():
    network = TrainedNetwork((3.0, 2.0, 1.0), 0.9, "a")
    assert training_runs.parted(network, TrainedNetwork((3.0, 2.0, 1.0), 0.9, "b")) is None
    assert training_runs.parted(network, TrainedNetwork((3.0, 2.5, 1.0), 0.9, "a")) == 2
    assert training_runs.parted(network, TrainedNetwork((math.nan, 2.0, 1.0), 0.9, "a")) == 1
    assert training_runs.furthest_apart(network, TrainedNetwork((3.0, 2.5, 1.1), 0.9, "a")) == 0.5
    assert not training_runs.same_run(network, TrainedNetwork((3.0, 2.0, 1.0), 0.9, "b"))


def test_a_record_can_name_every_way_of_training_that_there_is_and_no_other():
    assert tuple(SETTINGS) == RUNS


def test_a_setting_reaches_the_scale_step_and_the_loss(data):
    dtypes = []

    def spy(x, gate):
        dtypes.append((x.dtype, gate.dtype))
        return x * gate

    few = training.Images(data.training.images[:4], data.training.classes[:4])
    losses = {}
    for name in ("contiguous", "autocast", "penalty", "gate_float16"):
        network = training.host(spy, SETTINGS[name], seed=0)
        losses[name] = float(training.loss_of(network, few, SETTINGS[name]).detach())
    assert dtypes[0] == (torch.float32, torch.float32)
    assert (torch.bfloat16, torch.bfloat16) in dtypes
    assert dtypes[-1] == (torch.float32, torch.float16)
    assert losses["penalty"] > losses["contiguous"]


def test_a_step_in_phases_is_a_step(data):
    batch = next(training.batches(data.training, SETTINGS["contiguous"], 1, seed=0))
    digests = []
    for whole in (True, False):
        network = training.host(expand_as, SETTINGS["contiguous"], seed=0)
        optimizer = training.optimizer_of(network)
        arguments = network, optimizer, batch, SETTINGS["contiguous"]
        for part in [lambda: training.step(*arguments)] if whole else phases(*arguments):  # noqa: B023
            part()
        digests.append(training_runs.weights_sha256(network))
    assert digests[0] == digests[1]


def phases(*arguments):
    return training.phases(*arguments).values()


def test_a_gradient_arrives_at_each_of_the_six_blocks(data):
    few = training.Images(data.training.images[:4], data.training.classes[:4])
    network = training.host(broadcast, SETTINGS["contiguous"], seed=0)
    sizes = training_runs.upstream_sizes(network, few, SETTINGS["contiguous"])
    assert len(sizes) == 6
    assert min(sizes) > 0


@pytest.mark.parametrize("memory_format", MEMORY_FORMATS)
def test_both_timed_steps_train_one_network_on_and_alike(memory_format):
    def losses(order):
        arms = training_workloads.replicated_training(2, memory_format, seed=0)
        return [float(arms[arm]()) for arm in order]

    in_turn = losses([0, 1, 1, 0])
    assert in_turn == losses([0, 0, 0, 0])
    assert len(set(in_turn)) == 4


def test_each_timed_step_runs_its_own_line():
    network_of = training_workloads.host
    networks = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            training_workloads,
            "host",
            lambda *given: networks.append(network_of(*given)) or networks[-1],
        )
        arms = training_workloads.training_arms(2, "contiguous", "materialized", "expand_as")
    (network,) = networks
    blocks = [module for module in network.modules() if isinstance(module, SEBlock)]
    for arm, scale in zip(arms, (materialized, expand_as), strict=True):
        arm()
        assert {block.scale for block in blocks} == {scale}


def test_the_timed_scale_steps_return_the_same_gradients():
    case = Case(slug="small", name="small", shape=(2, 3, 4, 5))
    plain, other = (
        make()() for make in training_workloads.scale_step_makers(case, "broadcast", "expand_as")
    )
    assert [tuple(gradient.shape) for gradient in plain] == [(2, 3, 4, 5), (2, 3, 1, 1)]
    assert all(map(torch.equal, plain, other))


class Ticking:
    """A clock that moves on by a millisecond whenever it is read."""

    def __init__(self):
        self.time_s = 0.0

    def now(self):
        self.time_s += 0.001
        return self.time_s

    def synchronize(self):
        pass


def test_more_work_is_the_call_and_a_wait_of_its_share():
    clock = Ticking()

    def call():
        clock.time_s += 1.0
        return "done"

    longer = planted_work.with_more_work(call, 0.02, clock)
    start = clock.time_s
    assert longer() == "done"
    assert clock.time_s - start == pytest.approx(1.02, abs=0.003)


def timed_step(ratio):
    """A step timed on a made-up machine, in eight processes, at the rule's own confidence."""
    comparisons = []
    for seed in range(8):
        machine = FakeMachine(steady, seed)
        arms = machine.work(0.04), machine.work(ratio * 0.04)
        settings = Settings(
            budget_s=4.0,
            seed=seed,
            confidence=STEP_CONFIDENCE,
            baseline_name="broadcast",
            name="expand_as",
        )
        comparisons.append(compare_on(machine, settings, *arms))
    return Replication.of(comparisons)


def decided(ratio, *runs):
    """The claim in the plain world, with steps of that ratio, and with these training runs."""
    chapter = Chapter("05_training")
    steps = [
        chapter.timing(timed_step(ratio), "a step", "training_step", memory_format=memory_format)
        for memory_format in MEMORY_FORMATS
    ]
    others = [
        record
        for record in plain_world().values()
        if getattr(record, "level", "") != "training_step"
    ]
    lines = [in_place_as(step) for step in steps]
    return judge(D1, findings(by_identity([*others, *steps, *lines, *runs])))


def test_two_per_cent_more_work_leave_the_margin_and_flip_the_verdict():
    assert decided(1.0).status == "supported"
    assert decided(1.02).status == "refuted"
    assert any("+2.0" in value for _, value in decided(1.02).table)


def test_a_planted_unit_in_the_last_place_flips_the_verdict(reference, nudged):
    step = training_runs.parted(reference, nudged)
    assert step
    assert decided(1.0, run("contiguous", parted=step)).status == "qualified"
