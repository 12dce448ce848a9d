"""A released network with and without the patch: a small package stands for the real ones."""

import json
import sys

import pytest
import torch
from worlds import NOW

from investigation.evidence import files
from investigation.evidence.environment import describe
from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.released import ReleasedEquality, ReleasedProgram
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.records import Evidence
from investigation.fix import networks as listed_networks
from investigation.fix import patches, rewriting
from investigation.fix.catalogue import CatalogueError
from investigation.fix.measured import measured_in
from investigation.runtimes import released, released_record
from investigation.subject.released import RUNTIMES, ReleasedNetwork
from investigation.subject.runtimes import BY_SLUG as ALL_RUNTIMES
from investigation.timing.processes import Reply

# Programs are made and timed.
pytestmark = pytest.mark.slow

CODE = """
import torch
from torch import nn


class Tiny(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.gate = nn.Linear(channels, channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x):
        x = self.norm(x)
        y = torch.sigmoid(self.gate(x.mean((2, 3))))[:, :, None, None]
        return x * y.expand_as(x)


class Several(Tiny):
    def forward(self, x):
        return [x + 1, super().forward(x)]
"""
SETTINGS = {"budget_s": 0.5, "threads": 1, "seed": 0, "margin": 0.01}
TINY = ReleasedNetwork(
    name="tiny", title="a tiny network", package="torch",
    factory="tinynet.model:Tiny", input=(1, 4, 8, 8), arguments=(4,),
)  # fmt: skip


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The package as released, on the path, and a folder that holds it patched."""
    for folder in ("released", "patched"):
        (tmp_path / folder / "tinynet").mkdir(parents=True)
        (tmp_path / folder / "tinynet/__init__.py").touch()
        (tmp_path / folder / "tinynet/model.py").write_text(CODE)
    patch = patches.patch_of(tmp_path / "released", rewriting.examine(tmp_path / "released"))
    patches.apply(tmp_path / "patched", patch)
    monkeypatch.syspath_prepend(tmp_path / "released")
    yield tmp_path / "patched"
    for name in [module for module in sys.modules if module.startswith("tinynet")]:
        del sys.modules[name]


def calls(module):
    """The names of the operations that an exported module calls."""
    exported = torch.export.export(module, (torch.randn(TINY.input),))
    return [str(node.target) for node in exported.graph.nodes if node.op == "call_function"]


def test_the_network_is_made_from_either_package_with_the_same_weights(tiny):
    as_released, patched = (released.make(TINY, folder, 3) for folder in (None, tiny))
    assert "expand" in str(calls(as_released))
    assert "expand" not in str(calls(patched))
    for parameter, other in zip(as_released.parameters(), patched.parameters(), strict=True):
        assert torch.equal(parameter, other)


def test_no_scale_of_a_normalisation_is_left_at_0(tiny):
    assert released.make(TINY, tiny, 0).norm.weight.min() >= 0.5


def test_both_compute_the_same_bits_and_a_patch_that_does_not_is_seen(tiny):
    equality = released.equality(TINY, tiny, 0, "digest")
    assert (equality.outputs, equality.gradients, equality.weights) == ((1, 0), (4, 0), (7, 0))
    assert (equality.compared, equality.value) == (12, 0)
    model = tiny / "tinynet/model.py"
    model.write_text(model.read_text().replace("x * y", "x * y * 1.0001"))
    equality = released.equality(TINY, tiny, 0, "digest")
    assert equality.outputs == (1, 1)
    assert equality.gradients[1] > 0
    assert equality.value > 2


def test_a_package_that_does_not_repeat_itself_stops_the_measurement(tiny):
    model = tiny.parent / "released/tinynet/model.py"
    noisy = CODE.replace("y.expand_as(x)", "y.expand_as(x) + torch.randn_like(x)")
    model.write_text(noisy)
    with pytest.raises(released_record.FailedError, match="the same package twice gives the same"):
        list(released_record.results(TINY, tiny, 0, "digest"))


def reply_of(slug, patched, folder, network=TINY):
    folder.mkdir()
    job = released.in_runtime(
        network.model_dump(mode="json"), slug, str(patched), SETTINGS, str(folder)
    )
    next(job)
    try:
        next(job)
    except StopIteration as ended:
        return Reply(json.loads(json.dumps(ended.value)))
    finally:
        torch.set_grad_enabled(mode=True)
    raise AssertionError("a job yields once")


def test_a_runtime_is_recorded_with_its_steps_times_and_copies(tiny, tmp_path):
    reply = reply_of("eager", tiny, tmp_path / "work")
    program, timing, copies, control = released_record.records(TINY, "eager", reply)
    assert (program.expansions, program.expansions_patched, program.equal) == (1, 0, True)
    assert program.steps == program.steps_patched + 1
    assert program.bytes_more == 0
    assert isinstance(timing, Timing)
    assert (timing.level, timing.network, timing.runtime) == ("released_network", "tiny", "eager")
    assert (timing.baseline, timing.candidate) == ("broadcast", "expand_as")
    assert (copies.baseline, copies.candidate, copies.role) == ("expand_as", "copy", "control")
    assert timing.identity != copies.identity
    assert isinstance(control, Control)
    assert control.passed


def test_each_program_can_be_loaded_anew_and_computes_the_same(tiny, tmp_path):
    for slug in RUNTIMES:
        program = released._program(TINY, slug, tiny, tmp_path / slug, SETTINGS)
        first, other = program.again(), program.again()
        assert first is not other
        first(), other()
        assert program.result().shape == TINY.input


def test_of_several_outputs_the_last_one_is_held_against_eager_mode(tiny, tmp_path):
    several = TINY.model_copy(update={"factory": "tinynet.model:Several"})
    assert reply_of("onnxruntime", tiny, tmp_path / "right", several).answer["equal"]
    model = tiny / "tinynet/model.py"
    model.write_text(model.read_text().replace("x * y", "x * y * 1.01"))
    assert not reply_of("onnxruntime", tiny, tmp_path / "wrong", several).answer["equal"]


def test_copies_that_differ_stop_the_measurement(tiny, tmp_path):
    reply = reply_of("eager", tiny, tmp_path / "work")
    slow = {"samples": reply.answer["copies"]["samples"]}
    slow["samples"]["candidate_s"] = [2 * seconds for seconds in slow["samples"]["baseline_s"]]
    reply.answer["copies"].update(slow)
    with pytest.raises(released_record.FailedError, match="two copies of one program come out"):
        list(released_record.records(TINY, "eager", reply))


def test_a_runtime_that_refuses_the_network_is_recorded_with_its_reason():
    (record,) = released_record.records(
        TINY, "openvino", Reply(None, "ExportError: no such operator")
    )
    assert isinstance(record, ReleasedProgram)
    assert record.refused == "ExportError: no such operator"
    assert record.title == ALL_RUNTIMES["openvino"].title


# The list


def test_the_networks_are_of_several_packages_and_the_runtimes_are_known():
    listed = listed_networks.read()
    assert len(listed) >= 3
    assert len({network.package for network in listed.values()}) >= 2
    assert set(RUNTIMES) <= set(ALL_RUNTIMES)


ENTRY = """
[[network]]
name = "tiny"
title = "a tiny network"
package = "tinynet"
factory = "tinynet.model:Tiny"
input = [1, 4, 8, 8]
"""


@pytest.mark.parametrize(("text", "reason"), [
    (ENTRY + ENTRY, "tiny: listed twice"),
    (ENTRY.replace("tinynet.model:Tiny", "tinynet.model"), "network 1 tiny factory"),
    (ENTRY.replace("tinynet.model:Tiny", "os:system('x')"), "network 1 tiny factory"),
    (ENTRY.replace('"tiny"', '"../tiny"'), "network 1 ../tiny name"),
    (ENTRY.replace("[1, 4, 8, 8]", "[]"), "network 1 tiny input"),
    (ENTRY + "colour = 1", "network 1 tiny colour"),
    ("[[package]]", "allowed are [[network]] entries"),
    ("[[network", "networks.toml: "),
])  # fmt: skip
def test_a_list_that_cannot_be_used_is_refused_in_one_line(tmp_path, text, reason):
    path = tmp_path / "networks.toml"
    path.write_text(text)
    with pytest.raises(CatalogueError) as refused:
        listed_networks.read(path)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


# The sentences of the pull request about it


def recorded(*records):
    return Evidence(
        notebook="10_wild", source_sha256="0", package_sha256="0", parameters={},
        environment=describe(1), started=NOW, finished=NOW, records=records,
    )  # fmt: skip


def test_a_pull_request_says_what_the_patch_changes_where_it_was_measured(tiny, tmp_path):
    equal = released.equality(TINY, tiny, 0, "digest")
    assert isinstance(equal, ReleasedEquality)
    ran = released_record.records(TINY, "eager", reply_of("eager", tiny, tmp_path / "work"))
    refused = released_record.records(TINY, "openvino", Reply(None, "no such operator"))
    evidence = recorded(equal, *ran, *refused)
    lines = measured_in([evidence], "torch")
    assert "0 of 12 tensors differ" in lines[0]
    assert "1 as released, 0 patched" in lines[1]
    assert "not measured (no such operator)" in lines[2]
    assert measured_in([evidence], "another") == []
    assert files.parse(json.loads(evidence.model_dump_json())) == evidence


def test_a_runtime_that_took_too_long_is_no_refusal():
    late = Reply(None, "no answer within 9 s", late=True)
    with pytest.raises(released_record.FailedError, match=r"a tiny network in .*: no answer"):
        list(released_record.records(TINY, "openvino", late))
