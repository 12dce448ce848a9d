"""A released network with and without the patch: a small package stands for the real ones."""

import sys
from contextlib import nullcontext

import pytest
import torch

from investigation.evidence.timings import Timing
from investigation.evidence.wild import ReleasedProgram
from investigation.fix import patches, rewriting
from investigation.fix.catalogue import Package
from investigation.runtimes import released
from investigation.runtimes.workers import Outcome
from investigation.subject.released import BY_SLUG, NETWORKS, RUNTIMES, ReleasedNetwork
from investigation.subject.runtimes import BY_SLUG as ALL_RUNTIMES
from pipeline import networks, places, wild
from pipeline.faults import BuildError

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
"""
SETTINGS = {"budget_s": 0.2, "threads": 1, "seed": 0, "margin": 0.01}
TINY = ReleasedNetwork("tiny", "a tiny network", "torch", "tinynet.model:Tiny", (1, 4, 8, 8), (4,))


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
    monkeypatch.setitem(released.BY_SLUG, "tiny", TINY)
    yield tmp_path / "patched"
    for name in [one for one in sys.modules if one.startswith("tinynet")]:
        del sys.modules[name]


def calls(module):
    """The names of the operations that an exported module calls."""
    exported = torch.export.export(module, (torch.randn(TINY.sizes),))
    return [str(one.target) for one in exported.graph.nodes if one.op == "call_function"]


def test_the_network_is_made_from_either_package_with_the_same_weights(tiny):
    as_released, patched = (released.make(TINY, folder, 3) for folder in (None, tiny))
    assert "aten.expand_as.default" in str(calls(as_released))
    assert "expand" not in str(calls(patched))
    for one, other in zip(as_released.parameters(), patched.parameters(), strict=True):
        assert torch.equal(one, other)


def test_no_scale_of_a_normalisation_is_left_at_0(tiny):
    assert released.make(TINY, tiny, 0).norm.weight.min() >= 0.5


def test_both_compute_the_same_bits_and_a_patch_that_does_not_is_seen(tiny):
    kept = released.same_results(TINY, tiny, 0)
    assert (kept.outputs, kept.gradients, kept.weights) == ((1, 0), (4, 0), (7, 0))
    model = tiny / "tinynet/model.py"
    model.write_text(model.read_text().replace("x * y", "x * y * 1.0001"))
    kept = released.same_results(TINY, tiny, 0)
    assert kept.outputs == (1, 1)
    assert kept.gradients[1] > 0
    assert kept.value > 2


def outcome_of(slug, patched, folder):
    folder.mkdir()
    job = released.in_runtime(slug, "tiny", str(patched), SETTINGS, str(folder))
    next(job)
    try:
        next(job)
    except StopIteration as ended:
        return Outcome(ended.value)
    finally:
        torch.set_grad_enabled(mode=True)
    raise AssertionError("a job yields once")


def test_a_runtime_is_recorded_with_its_steps_times_and_copies(tiny, tmp_path):
    outcome = outcome_of("eager", tiny, tmp_path / "work")
    program, timing, copies = released.records(TINY, "eager", outcome)
    assert (program.expansions, program.expansions_patched, program.equal) == (1, 0, True)
    assert program.steps == program.steps_patched + 1
    assert (timing.level, timing.network, timing.runtime) == ("network", "tiny", "eager")
    assert (timing.baseline, timing.candidate, timing.role) == (
        "broadcast", "expand_as", "measurement",
    )  # fmt: skip
    assert (copies.baseline, copies.candidate, copies.role) == ("expand_as", "copy", "control")
    assert isinstance(timing, Timing)
    assert timing.identity != copies.identity


def test_a_runtime_that_refuses_the_network_is_recorded_with_its_reason():
    (kept,) = released.records(TINY, "openvino", Outcome(None, "ExportError: no such operator"))
    assert isinstance(kept, ReleasedProgram)
    assert kept.refused == "ExportError: no such operator"
    assert kept.title == ALL_RUNTIMES["openvino"].title


def test_the_networks_are_of_several_packages_and_runtimes_are_known():
    assert len(NETWORKS) >= 3
    assert len({one.package for one in NETWORKS}) >= 2
    assert set(RUNTIMES) <= set(ALL_RUNTIMES)
    assert len(BY_SLUG) == len(NETWORKS)


# The command


def package(name="torch"):
    return Package(name=name, version="1", archive=f"{name}-1.whl", sha256="0" * 64)


def test_an_environment_holds_the_locked_versions_and_the_package():
    wanted = networks.requirements(package("timm"))
    lock = places.LOCK.read_text(encoding="utf-8")
    assert wanted[-2:] == ["torchvision", "timm==1"]
    assert all(f"{one}\n" in lock or f"{one} ;" in lock for one in wanted[:-2])
    assert any(one.startswith("torch==") for one in wanted)


def test_a_network_that_does_not_exist_is_refused_in_a_line(capsys):
    assert wild.main(["NETWORK=resnet"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: NETWORK=resnet: no such network; there are ecaresnet26t")
    assert said.count("\n") == 1


def test_a_network_without_a_patch_is_refused_in_a_line(tmp_path):
    with pytest.raises(BuildError, match="the survey has no patch of torch"):
        networks.measure(TINY, [package()], tmp_path / "none.patch")


def test_a_measurement_that_dies_is_named_and_keeps_no_answer(tiny, tmp_path, monkeypatch):
    python = tmp_path / "env/bin/python"
    packages = tmp_path / "env/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    assert tiny.exists()
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho Traceback >&2\necho 'MemoryError: too large' >&2\nexit 1\n")
    python.chmod(0o755)
    (tmp_path / "released/tinynet").rename(packages / "tinynet")
    released_text = (packages / "tinynet/model.py").read_text()
    patch = tmp_path / "tiny.patch"
    patch.write_bytes(patches.patch_of(packages, rewriting.examine(packages / "tinynet")))
    monkeypatch.setattr(networks, "FOLDER", tmp_path / "build")
    monkeypatch.setattr(networks, "environment", lambda _: python)
    monkeypatch.setattr(networks.cells, "timing", nullcontext)  # nothing is timed
    with pytest.raises(BuildError, match=r"^tiny: MemoryError: too large$"):
        networks.measure(TINY, [package()], patch)
    assert not (tmp_path / "build/networks/tiny/answer.json").exists()
    copied = tmp_path / "build/networks/tiny/patched/tinynet/model.py"
    assert copied.read_text() == released_text.replace(".expand_as(x)", "")
    assert (packages / "tinynet/model.py").read_text() == released_text
