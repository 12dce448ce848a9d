"""Exports with open sizes, and quantised ones: what is read of them, and what is kept."""

import importlib.util

import pytest

from investigation.evidence.kinds.timings import MARGIN
from investigation.evidence.recorder import Recorder
from investigation.runtimes import recording, variations
from investigation.runtimes.variations import VARIATIONS, Variation
from investigation.subject.cases import Case
from investigation.timing.processes import Reply

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

TINY = Case(slug="tiny", name="a tiny case", shape=(2, 8, 6, 6))
BY_SLUG = {variation.slug: variation for variation in VARIATIONS}
MUL = {"op": "Mul", "bytes_written": 64, "expands": False}
EXPAND = {"op": "Expand", "bytes_written": 256, "expands": True}
BROKEN = Variation("no_such", "nothing", "dynamic", ())
TIMES = {"budget_s": 0.2, "seed": 0, "margin": MARGIN}


def survival(with_it, without):
    reply = Reply({"steps": {"expand_as": with_it, "broadcast": without}})
    return recording.varied(Recorder("08_runtimes"), BY_SLUG["qdq"], reply, TINY)


def test_an_expansion_that_only_the_line_runs_survives_and_what_it_writes_is_counted():
    record = survival([EXPAND, MUL], [MUL])
    assert (record.survives, record.bytes_expanded) == (True, 256)
    assert (record.steps, record.plain_steps) == (("Expand", "Mul"), ("Mul",))


def test_an_expansion_that_both_forms_run_is_not_the_line_s():
    assert survival([EXPAND, MUL], [EXPAND, MUL]).survives is False
    assert survival([MUL], [MUL]).survives is False


@pytest.fixture(scope="module")
def replies():
    """What became of every export whose packages are here, and of one that fails."""
    packages = {name for variation in VARIATIONS for name in variation.packages}
    here = {name for name in packages if importlib.util.find_spec(name)}
    wanted = [variation for variation in VARIATIONS if set(variation.packages) <= here]
    return variations.ask([BROKEN, *wanted], TINY, **TIMES)


def test_an_export_that_fails_is_told_in_a_line_and_the_others_go_on(replies):
    crashes = {variation.slug: reply.crash for variation, reply in replies.items()}
    assert crashes.pop("no_such") == "KeyError: 'no_such'"
    assert set(crashes.values()) <= {None}


@pytest.mark.parametrize("slug", BY_SLUG)
def test_every_export_runs_here_and_multiplies(slug, replies):
    if BY_SLUG[slug] not in replies:
        pytest.skip("not installed here")
    reply = replies[BY_SLUG[slug]]
    assert reply.crash is None, reply.log
    steps = {form: variations.steps_of(reply, form) for form in variations.FORMS}
    assert all(steps.values())
    assert not any(step.expands for step in steps["broadcast"])
    recorder = Recorder("08_runtimes")
    timing = recording.varied_cost(recorder, BY_SLUG[slug], reply, TINY)
    assert (timing.family, timing.role, timing.baseline) == ("varied", "measurement", "broadcast")
    copies, control, _ = recorder.evidence().records
    assert (copies.role, copies.candidate) == ("control", "broadcast again")
    assert control.of == BY_SLUG[slug].runtime


def test_two_exports_of_one_runtime_keep_their_times_apart():
    runtimes = [variation.runtime for variation in VARIATIONS]
    assert len({*runtimes}) == len(VARIATIONS)
    assert runtimes[1] == "executorch, dynamic"
