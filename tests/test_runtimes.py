"""The SE block in other runtimes: what is handed over, what is read back, what becomes a row."""

import platform
from functools import partial
from types import SimpleNamespace

import process_jobs
import pytest
import torch
from fake_clock import FakeMachine
from torch import nn

from investigation.evidence.recorder import Recorder
from investigation.runtimes import graph_pass, heap, modules, observe, recording, traces, workers
from investigation.runtimes.adapters import inductor
from investigation.runtimes.observe import close
from investigation.runtimes.program import Step, Trace
from investigation.runtimes.survey import survey
from investigation.subject import runtimes as registry
from investigation.subject.cases import Case
from investigation.subject.runtimes import BY_SLUG, REMEDIES, RUNTIMES

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

TINY = Case(slug="tiny", name="a tiny case", shape=(2, 8, 6, 6))
X, _ = TINY.tensors()
SETTINGS = {"budget_s": 0.05, "threads": 1, "seed": 0, "margin": 0.01}


def expansions(program):
    return [node for node in program.graph.nodes if node.target in graph_pass.EXPANSIONS]


class TestModules:
    def test_the_gates_are_of_every_size_and_differ_between_channels_and_images(self):
        gate = modules.block(TINY, "broadcast").gate(X).flatten(1)
        assert gate.std(dim=0).min() > 0
        assert gate.std(dim=1).min() > 0.05
        assert gate.min() < 0.3
        assert gate.max() > 0.7

    @pytest.mark.parametrize("variant", ["expand_as", "materialized", "kept"])
    def test_every_variant_computes_the_same(self, variant):
        expected = modules.block(TINY, "broadcast")(X)
        assert torch.equal(modules.first(modules.block(TINY, variant)(X)), expected)


class TestTolerance:
    def test_another_order_of_summing_is_within_it(self):
        module = modules.block(TINY, "broadcast")
        exact = module.double()(X.double()).float()
        assert close(modules.block(TINY, "broadcast")(X), exact)

    def test_half_precision_a_gate_on_the_wrong_channel_or_another_shape_is_not(self):
        module = modules.block(TINY, "broadcast")
        right = module(X)
        assert not close(right.bfloat16().float(), right)
        assert not close(X * module.gate(X).roll(1, dims=1), right)
        assert not close(right[:1], right)


class TestGraphPass:
    @pytest.mark.parametrize("dynamic", [False, True])
    def test_it_takes_the_expansion_out_and_keeps_the_result(self, dynamic):
        program = modules.exported(modules.block(TINY, "expand_as"), X, dynamic=dynamic)
        assert len(expansions(program)) == 1
        mended = graph_pass.without_expansions(program)
        assert not expansions(mended)
        assert torch.equal(mended.module()(X), modules.block(TINY, "broadcast")(X))

    @pytest.mark.parametrize("dynamic", [False, True])
    def test_it_mends_other_operators_and_either_order(self, dynamic):
        class Other(nn.Module):
            def forward(self, x):
                row = x.mean((2, 3), keepdim=True)
                return row.expand(x.shape) / x - (row.expand_as(x) + x)

        program = modules.exported(Other(), X, dynamic=dynamic)
        mended = graph_pass.without_expansions(program)
        assert not expansions(mended)
        assert torch.equal(mended.module()(X), Other()(X))

    def test_it_leaves_an_expansion_that_is_returned_written_or_alone_gives_the_shape(self):
        class Returned(nn.Module):
            def forward(self, x):
                wide = x.mean((2, 3), keepdim=True).expand_as(x)
                return x * wide, wide

        class Alone(nn.Module):
            def forward(self, x):
                row = x.mean((2, 3), keepdim=True)
                return row.expand_as(x) * row

        class Doubled(nn.Module):
            def forward(self, x):
                wide = x.mean((2, 3), keepdim=True).expand_as(x)
                return wide * wide

        for module in (Returned(), Alone(), Doubled()):
            program = modules.exported(module, X)
            before = len(expansions(program))
            mended = graph_pass.without_expansions(program)
            assert len(expansions(mended)) == before
            assert torch.equal(modules.first(mended.module()(X)), modules.first(module(X)))


class TestTraces:
    def test_bytes_belong_to_the_outermost_call_and_the_rest_to_generated_code(self):
        def call(name, ts, dur):
            return {"name": name, "ts": ts, "dur": dur}

        def memory(ts, count):
            return {"name": "[memory]", "ts": ts, "args": {"Bytes": count}}

        events = [
            call("aten::mul", 20, 5),
            call("aten::linear", 0, 10),
            call("aten::addmm", 2, 5),
            call("aten::expand_as", 12, 2),
            memory(3, 64),
            memory(4, -64),
            memory(5, 8),
            memory(21, 100),
            memory(40, 7),
            call("cpu_op", 2, 3),
        ]
        assert traces.read(events) == (
            Step("linear", 72),
            Step("expand_as", 0, expands=True),
            Step("mul", 100),
            Step("generated code", 7),
        )

    def test_eager_writes_the_copy_of_the_control_and_not_the_view(self):
        traced = {
            variant: Trace(traces.steps(lambda v=variant: modules.block(TINY, v)(X)), None)
            for variant in ("broadcast", "expand_as", "materialized")
        }
        size = X.numel() * 4
        plain = traced["broadcast"].bytes_written
        assert [step.op for step in traced["expand_as"].expansions] == ["expand_as"]
        assert traced["expand_as"].bytes_written == plain
        assert traced["materialized"].bytes_written == plain + size

    def test_generated_code_is_read_kernel_by_kernel(self):
        code = """
            buf0 = empty_strided_cpu((2, 8), (8, 1), torch.float32)
            cpp_fused_mean_0(arg0, buf0)
            buf1 = empty_strided_cpu((2, 4), (4, 1), torch.bfloat16)
            buf2 = empty_strided_cpu((), (), torch.float32)
            extern_kernels.mm(buf0, arg1, out=buf1)
            cpp_fused_relu_1(buf1)
        """
        assert tuple(inductor.steps(code)) == (
            Step("cpp_fused_mean_0", 64),
            Step("mm", 20),
            Step("cpp_fused_relu_1", 0),
        )


def test_a_runtime_gets_one_thread_and_an_empty_folder_and_cannot_report_its_use():
    outcomes = workers.run(process_jobs.reports, [{}, {}])
    first, other = (outcome.answer for outcome in outcomes)
    assert first.pop("folder") != other.pop("folder")
    assert first == other == {
        "reports": False, "files": [], "OMP_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1",
    }  # fmt: skip


def test_a_budget_does_not_follow_what_a_runtime_does_once_in_a_process(monkeypatch):
    machine, given = FakeMachine(), {}
    load = machine.work(0.01, "load", first_call_s=5)
    call = machine.work(0.02, "call", first_call_s=3)
    loads = dict.fromkeys("ab", lambda: (load(), call)[1])
    monkeypatch.setattr(observe.DeviceClock, "of", lambda _: machine)

    def sampled(*_, **settings):
        given.update(settings)
        return SimpleNamespace(to_dict=dict)

    monkeypatch.setattr(observe, "sample_made_patiently", sampled)
    settings = {"budget_s": 0.3, "threads": 1, "seed": 0, "margin": 0.01}
    observe.timed_loads(loads, settings, "a", "b")
    preparation_s = 2 * 0.01 + observe.PAIRS_AFFORDED * 2 * 0.02
    assert given["budget_s"] == pytest.approx(
        observe.SPARE * (2 + observe.FEWEST) * preparation_s, rel=0.05
    )


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps none")
def test_room_that_is_kept_between_what_stays_is_given_back_by_a_large_process(monkeypatch):
    pieces = [torch.ones(size) for _ in range(2000) for size in (20_000, 1000)]
    freed = sum(piece.nbytes for piece in pieces[::2])
    del pieces[::2]  # what stays lies between, so that no room is at the end
    kept = heap.resident_bytes()
    monkeypatch.setattr(heap, "MOST_RESIDENT_BYTES", 2 * kept)
    heap.give_back()
    assert abs(heap.resident_bytes() - kept) < freed / 2  # this process is not that large
    monkeypatch.setattr(heap, "MOST_RESIDENT_BYTES", kept // 2)
    heap.give_back()
    assert kept - heap.resident_bytes() > freed / 2


def test_room_is_given_back_before_a_load_and_never_between_two_calls(monkeypatch):
    def sampled(first, second, **_):
        first()(), second()()
        return SimpleNamespace(to_dict=dict)

    done = []
    monkeypatch.setattr(heap, "give_back", lambda: done.append("give back"))
    monkeypatch.setattr(observe, "sample_made_patiently", sampled)
    monkeypatch.setattr(observe, "_once_warm", lambda *_: (0.1, 0.1))
    loads = {
        name: lambda name=name: done.append(name) or partial(done.append, "call")
        for name in ("one", "other")
    }
    settings = {"budget_s": 0.1, "threads": 1, "seed": 0, "margin": 0.01}
    observe.timed_loads(loads, settings, "one", "other")
    assert done == ["give back", "one", "call", "give back", "other", "call"]


class TestRegistry:
    def test_slugs_name_records_and_remedies_belong_to_a_runtime_of_the_book(self):
        slugs = [runtime.slug for runtime in (*RUNTIMES, *REMEDIES)]
        assert len(set(slugs)) == len(slugs)
        assert {remedy.adapter for remedy in REMEDIES} <= {runtime.adapter for runtime in RUNTIMES}
        assert all(remedy.options.get("remedy") for remedy in REMEDIES)

    def test_every_runtime_that_was_left_out_says_why(self):
        assert all(runtime.why for runtime in registry.LEFT_OUT)


@pytest.fixture(scope="module")
def surveyed():
    """Two runtimes and a remedy, really run on a tiny case."""
    runtimes = [BY_SLUG[slug] for slug in ("eager", "onnxruntime", "onnxruntime_rule")]
    return {row.runtime.slug: row for row in survey(runtimes, [TINY], SETTINGS)}


class TestSurvey:
    def test_eager_keeps_a_view_and_onnx_runtime_writes_it(self, surveyed):
        eager, exported = surveyed["eager"], surveyed["onnxruntime"]
        assert eager.state == exported.state == "ran"
        assert eager.survives(TINY)
        assert eager.written_more(TINY) == 0
        assert exported.survives(TINY)
        assert exported.written_more(TINY) == X.numel() * 4

    def test_the_rule_takes_it_out(self, surveyed):
        mended = surveyed["onnxruntime_rule"]
        assert not mended.survives(TINY)
        assert mended.written_more(TINY) == 0
        assert mended.same_steps(TINY)

    def test_results_are_equal_and_both_arms_were_timed(self, surveyed):
        for slug, row in surveyed.items():
            assert row.seen(TINY, "expand_as")["equal"]
            record = recording.costs(Recorder("08_runtimes"), row)[TINY.slug]
            assert (record.baseline, record.candidate) == ("broadcast", "expand_as")
            assert (record.level, record.runtime, record.family) == (
                "block",
                slug,
                row.runtime.family,
            )
            assert (record.role, record.case) == ("measurement", TINY)

    def test_the_controls_were_made(self, surveyed):
        for slug in ("eager", "onnxruntime"):
            assert surveyed[slug].written_more(TINY, "kept") >= X.numel() * 4
            assert surveyed[slug].control("materialized") is not None
        assert surveyed["onnxruntime_rule"].control("materialized") is None

    def test_copies_are_controls_and_no_evidence_about_the_line(self, surveyed):
        recorder = Recorder("08_runtimes")
        for slug in ("onnxruntime", "onnxruntime_rule"):
            (placed,) = recording.copies(recorder, surveyed[slug]).values()
            assert (placed.role, placed.runtime, placed.case) == ("control", slug, TINY)
            assert placed.candidate != "expand_as"
