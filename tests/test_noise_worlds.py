"""Worlds in which nothing differs but by noise, and worlds in which anything may: many of each.

Where nothing differs, no claim may turn from supported into refuted, or the other way round, but
by a chance of less than one in a hundred. Whatever the world, a verdict is short.
"""

import math
from pathlib import Path
from statistics import NormalDist

import gpu_worlds
import numpy as np
import pytest
from claim_worlds import FLIPS, PLAIN, in_place_as
from gpu_worlds import plain_records, timed
from worlds import (
    COPIES_MIXED,
    COPIES_SAME,
    WRITES,
    agreement,
    by_identity,
    calls,
    equality,
    evidence,
    findings,
    gradients,
    grown,
    mixed_dtypes,
    pairings,
    parting,
    plain_world,
    planted,
    program,
    second_gradients,
    survival,
)

from investigation.claims import gpu, ledger
from investigation.evidence.kinds.correctness import RUNS
from investigation.evidence.kinds.deployments import RuntimeProgram
from investigation.evidence.kinds.in_place import LineInPlace
from investigation.evidence.kinds.programs import Survival
from investigation.evidence.kinds.timings import FAMILY_CONFIDENCE, MARGIN, Timing
from investigation.evidence.observation import Observation
from investigation.evidence.questions import Findings, ask
from investigation.timing import statistics
from pipeline.compare.runs import read_run

# A whole run of the book, whose intervals tell how far noise reaches.
BOOK = Path(__file__).parent / "data" / "book_of_schema_2.zip"
WORLDS = 600
RARE = 0.01
MOST_WORDS = 40
EVERYTHING = ask(Observation)


def z_of(confidence):
    return NormalDist().inv_cdf((1 + confidence) / 2)


def redrawn(timing, truth, spread, draw):
    """The timing as it would come out with this truth and this spread of its noise."""
    centre = math.log(truth) + spread * draw.standard_normal()

    def interval(confidence):
        reach = spread * z_of(confidence)
        return math.exp(centre - reach), math.exp(centre + reach)

    own = interval(timing.confidence)
    changed = {
        "ratio": math.exp(centre),
        "interval": own,
        "margin": MARGIN,
        "verdict": statistics.judge(own, MARGIN),
    }
    if timing.alone:
        judged = statistics.judge(interval(FAMILY_CONFIDENCE), MARGIN)
        changed["alone"] = timing.alone.model_copy(update={"verdict_in_family": judged})
    return timing.model_copy(update=changed)


def is_about_the_line(record):
    return isinstance(record, Timing | LineInPlace) and record.role == "measurement"


def of_a_step(timing):
    """Whether it is a whole step of a network with and without the call."""
    return timing.level in ("network", "training_step") and timing.candidate == "expand_as"


@pytest.fixture(scope="module")
def run():
    return [record for chapter in read_run(BOOK).evidences for record in chapter.records]


@pytest.fixture(scope="module")
def measured(run):
    """Every timing of the line in a whole run, with the spread that its interval implies."""
    return [
        (record, math.log(record.interval[1] / record.interval[0]) / 2 / z_of(record.confidence))
        for record in run
        if is_about_the_line(record)
    ]


@pytest.fixture(scope="module")
def untimed(run):
    """The plain world without its timings, with the remedies of a whole run."""
    remedies = [record for record in run if getattr(record, "family", None) == "remedy"]
    plain = [
        record for record in plain_world().values() if getattr(record, "family", None) != "remedy"
    ]
    return [record for record in (*plain, *remedies) if not is_about_the_line(record)]


def truth(timing):
    """Nothing differs but what the SE blocks take, which is no question of noise."""
    return 1.04 if timing.baseline == "no SE blocks" else 1.0


def as_recorded(measured, draw):
    del draw
    return [spread for _, spread in measured]


def within_a_per_cent(measured, draw):
    return draw.uniform(0.003, 0.01, len(measured))


def worlds(untimed, measured, spreads, truth, count, seed=20241227):
    """So many worlds of the same untimed records, in each of which every timing is drawn anew."""
    draw, plain = np.random.default_rng(seed), by_identity(untimed)
    identities = [record.identity for record, _ in measured]  # another draw changes none
    whole = evidence(*untimed)
    for _ in range(count):
        with_spreads = zip(measured, spreads(measured, draw), strict=True)
        redrawn_records = {
            identity: redrawn(record, truth(record), float(spread), draw)
            for identity, ((record, _), spread) in zip(identities, with_spreads, strict=True)
        }
        in_place = [in_place_as(one) for one in redrawn_records.values() if of_a_step(one)]
        world = plain | redrawn_records | by_identity(in_place)
        # What was checked when it was made need not be checked in each world.
        yield Findings((whole.model_copy(update={"records": tuple(world.values())}),))


@pytest.mark.parametrize("spreads", [as_recorded, within_a_per_cent])
def test_noise_alone_turns_no_verdict_into_its_opposite(untimed, measured, spreads):
    opposite = {"supported": "refuted", "refuted": "supported"}
    turned, decided = dict.fromkeys(PLAIN, 0), set()
    for world in worlds(untimed, measured, spreads, truth, WORLDS):
        for claim, verdict in ledger.verdicts(world).items():
            turned[claim] += verdict.status == opposite.get(PLAIN[claim])
            decided |= {claim} if verdict.status == PLAIN[claim] else set()
    assert {claim: count for claim, count in turned.items() if count >= RARE * WORLDS} == {}
    assert {"C1", "D2", "P1", "P5"} <= decided  # some worlds are quiet enough


def test_where_the_network_is_slower_noise_does_not_hide_it(untimed, measured):
    def slower(timing):
        of_the_line = timing.level == "network" and timing.baseline != "no SE blocks"
        return 1.1 if of_the_line else truth(timing)

    for world in worlds(untimed, measured, within_a_per_cent, slower, 20):
        statuses = {key: verdict.status for key, verdict in ledger.verdicts(world).items()}
        assert {statuses[claim] for claim in ("C1", "C4", "P1", "P5", "V3")} == {"refuted"}


def anything(draw):
    """Records that plant any of many differences, drawn by coin."""
    some = [
        COPIES_MIXED,
        COPIES_SAME,
        WRITES,
        program("compiler", 2**24),
        calls("expand_as", 1),
        grown(int(draw.integers(1, 16))),
        mixed_dtypes(int(draw.integers(1, 180))),
        gradients(differing=int(draw.integers(1, 30))),
        second_gradients(8),
        equality("same_dtype", 16, 3),
        equality("gradients_over_layouts", 15552, 1234),
        pairings("channels_last", 7),
        pairings("empty", 5),
        *parting(*RUNS[:4]),
        *(agreement(layer, int(draw.integers(88)), target)
          for layer in ("kernels", "elided", "fused", "source") for target in ("cpu", "chip")),
        survival("torch.export", True),
    ]  # fmt: skip
    return [record for record in some if draw.random() < 0.4]


def test_whatever_the_world_a_verdict_has_at_most_forty_words(run, measured, untimed):
    draw = np.random.default_rng(7)
    programs = [record for record in run if isinstance(record, RuntimeProgram | Survival)]

    def any_truth(timing):
        del timing
        return math.exp(draw.normal(0, draw.choice([0.01, 0.3])))

    for drawn_world in worlds(untimed, measured, within_a_per_cent, any_truth, 60, seed=8):
        records = drawn_world.answers(EVERYTHING)
        world = by_identity([*records, *programs, *anything(draw)])
        for claim, verdict in ledger.verdicts(findings(world)).items():
            words = len(verdict.sentence.split())
            assert 3 <= words <= MOST_WORDS, (claim, verdict.sentence)


@pytest.mark.parametrize(("claim", "records"), [(claim, records) for claim, records, *_ in FLIPS])
def test_every_planted_verdict_has_at_most_forty_words_and_numbers_under_it(claim, records):
    verdict = ledger.verdicts(findings(planted(*records)))[claim]
    assert len(verdict.sentence.split()) <= MOST_WORDS
    assert all(label and value for label, value in verdict.table)


@pytest.mark.parametrize("rule", gpu.RULES, ids=lambda rule: rule.claim)
def test_the_same_holds_on_a_gpu_whatever_was_measured(rule):
    draw = np.random.default_rng(9)
    for _ in range(20):
        timings = [timed(step, math.exp(draw.normal(0, 0.2))) for step in gpu_worlds.STEPS]
        world = gpu_worlds.findings(plain_records(*timings))
        for verdict in gpu.on_each_machine(rule, world).values():
            assert len(verdict.sentence.split()) <= MOST_WORDS, verdict.sentence
