"""The SE block in other runtimes: what is handed over, what is read back, what becomes a row."""

import pytest
import torch
from torch import nn
from worlds import timing

from investigation.display import figure_data
from investigation.display import runtime_figures as picture
from investigation.display import runtime_records as records
from investigation.display.chapter import Chapter, ControlFailedError
from investigation.runtimes import graph_pass, modules, onnx_grid, traces
from investigation.runtimes.adapters import inductor
from investigation.runtimes.observe import close
from investigation.runtimes.program import Step, Trace
from investigation.runtimes.survey import Row, survey
from investigation.runtimes.workers import Outcome
from investigation.subject import runtimes as registry
from investigation.subject.cases import Case
from investigation.subject.runtimes import BY_SLUG, REMEDIES, RUNTIMES, Runtime

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
        seen = {
            variant: Trace(traces.steps(lambda v=variant: modules.block(TINY, v)(X)), None)
            for variant in ("broadcast", "expand_as", "materialized")
        }
        size = X.numel() * 4
        plain = seen["broadcast"].bytes_written
        assert [step.op for step in seen["expand_as"].expansions] == ["expand_as"]
        assert seen["expand_as"].bytes_written == plain
        assert seen["materialized"].bytes_written == plain + size

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


def programs(**written):
    """What a runtime answers of one case, by variant: bytes and expansions of its steps."""
    return {
        variant: {
            "steps": [
                {"op": "Mul", "bytes_written": 64, "expands": False},
                *([{"op": "Expand", "bytes_written": more, "expands": True}] if more else []),
            ],
            "arena_bytes": 128 + more,
            "equal": True,
            "furthest": 0.0,
            "images": 2,
        }
        for variant, more in written.items()
    }


def row(slug="onnxruntime", **written):
    seen = {TINY.slug: programs(**written)}
    return Row(BY_SLUG[slug], Outcome({"cases": seen, "controls": {}, "comparisons": {}}), (TINY,))


class TestRows:
    def test_what_is_written_and_planned_more_is_against_the_plain_product(self):
        made = row(broadcast=0, expand_as=2304)
        assert made.survives(TINY)
        assert made.written_more(TINY) == 2304
        assert made.planned_more(TINY) == 2304
        assert not made.same_steps(TINY)
        spared = row(broadcast=0, expand_as=0)
        assert spared.same_steps(TINY)
        assert not spared.survives(TINY)
        assert spared.written_more(TINY) == 0

    def test_the_size_of_the_expanded_gate_is_that_of_the_images_taken(self):
        assert row(broadcast=0).expanded_bytes(TINY) == X.numel() * 4

    def test_a_missing_package_and_a_crash_are_said_in_one_line(self):
        ghost = Runtime("ghost", "A ghost", "exported", "eager", ("torch", "no_such_package"))
        absent = Row(ghost, Outcome(None, "not installed"), (TINY,))
        crashed = Row(BY_SLUG["ncnn"], Outcome(None, "ended by SIGSEGV"), (TINY,))
        assert absent.state == "not installed here: no_such_package"
        assert crashed.state == "crashed: ended by SIGSEGV"
        for one in (absent, crashed):
            assert records.at_a_glance(one, None, {})["an expansion survives"] == one.state

    def test_a_reader_of_steps_that_misses_a_returned_gate_stops_the_build(self):
        chapter = Chapter("08_runtimes")
        blind = row(broadcast=0, kept=0)
        with pytest.raises(ControlFailedError, match="gate that is returned is seen to be written"):
            records.detector(chapter, blind, TINY)
        seeing = row("openvino", broadcast=0, kept=2304)
        assert records.detector(chapter, seeing, TINY).passed

    def test_a_refused_control_is_no_failure(self):
        refusing = row(broadcast=0)
        refusing.outcome.answer["cases"][TINY.slug]["kept"] = {"refused": "NoLayerError: none"}
        assert records.detector(Chapter("08_runtimes"), refusing, TINY) is None
        line = records.control_line(refusing, TINY, None, {})
        assert "NoLayerError: none" in line.values()


class TestRegistry:
    def test_slugs_name_records_and_remedies_belong_to_a_runtime_of_the_book(self):
        slugs = [one.slug for one in (*RUNTIMES, *REMEDIES)]
        assert len(set(slugs)) == len(slugs)
        assert {one.adapter for one in REMEDIES} <= {one.adapter for one in RUNTIMES}
        assert all(one.options.get("remedy") for one in REMEDIES)

    def test_every_runtime_that_was_left_out_says_why(self):
        assert all(one.why for one in registry.LEFT_OUT)


class TestPictures:
    def test_columns_show_what_is_written_and_what_only_expands(self):
        steps = (Step("Shape", 32), Step("Expand", 0, expands=True), Step("Mul", 4096))
        assert [one.op for one in picture.drawn(Trace(steps, None))] == ["Expand", "Mul"]
        figure = picture.graphs({"one": Trace(steps, None), "other": Trace(steps[2:], None)})
        assert [len(axis.patches) for axis in figure.axes] == [2, 1]

    def test_the_costs_are_drawn_by_runtime_and_can_be_downloaded(self):
        kept = {"a case, 1×2": {"one": timing("timing.a", 1.5, "slower"),
                                "other": timing("timing.b", 1.0, "equivalent")},
                "another, 3×4": {"one": timing("timing.c", 2.5, "slower")}}  # fmt: skip
        text = figure_data.as_csv(picture.costs(kept))
        assert "a case 1×2,,1.5,one" in text
        assert "another 3×4,,2.5,one" in text


def test_the_grid_is_a_line_a_form_and_says_where_no_expand_ran():
    def combination(level, ruled, count):
        return {"form": "dynamo, static shapes", "level": level, "ruled": ruled,
                "expansions": int(count > 0), "bytes_written": count, "equal": True}  # fmt: skip

    rows = [combination("none", False, 2048), combination("all", True, 0)]
    assert onnx_grid.lines(rows) == [
        {
            "exporter": "dynamo, static shapes",
            "none": "2048 B",
            onnx_grid.RULED: "no Expand",
        }
    ]
    assert onnx_grid.lines([]) == [{"": "ONNX Runtime did not run here"}]
    kept = records.grid(Chapter("08_runtimes"), rows, TINY)
    assert (kept.value, kept.details["tried"]) == (1, 1)


@pytest.fixture(scope="module")
def surveyed():
    """Two runtimes asked for real, and a remedy, on a tiny case."""
    asked = [BY_SLUG[slug] for slug in ("eager", "onnxruntime", "onnxruntime_rule")]
    return {one.runtime.slug: one for one in survey(asked, [TINY], SETTINGS)}


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
        for one in surveyed.values():
            assert one.seen(TINY, "expand_as")["equal"]
            comparison = one.comparison(TINY)
            assert (comparison.baseline_name, comparison.name) == ("broadcast", "expand_as")

    def test_the_controls_were_made(self, surveyed):
        for slug in ("eager", "onnxruntime"):
            assert surveyed[slug].written_more(TINY, "kept") >= X.numel() * 4
            assert surveyed[slug].control("same") is not None
            assert surveyed[slug].control("copy") is not None
        assert surveyed["onnxruntime_rule"].control("copy") is None
