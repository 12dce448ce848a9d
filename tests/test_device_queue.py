"""The queue of a real accelerator, held against stand-ins for what torch would give it."""

from types import SimpleNamespace

import pytest
import torch

from investigation.timing.device import queue as device_queue
from investigation.timing.device.queue import (
    SMALLEST_SWEEP,
    AcceleratorQueue,
    NotReachedError,
    cache_bytes,
)
from investigation.timing.errors import DeviceError


class StandIn:
    """What happens in torch, noted in order."""

    def __init__(self, monkeypatch):
        self.log, self.done = [], True
        monkeypatch.setattr(torch, "Event", self.event)
        monkeypatch.setattr(torch, "Stream", lambda _: self.context("stream"))
        for module, name in ((torch.cuda, "CUDAGraph"), (torch.xpu, "XPUGraph")):
            monkeypatch.setattr(module, name, self.graph)
            monkeypatch.setattr(module, "graph", lambda made: made)
        monkeypatch.setattr(torch.accelerator, "synchronize", lambda _: self.log.append("wait"))

    def event(self, device, enable_timing):
        assert enable_timing
        self.log.append(f"event on {device}")
        return SimpleNamespace(
            record=lambda: self.log.append("recorded"),
            query=lambda: self.done,
            elapsed_time=lambda _: 2.5,
        )

    def context(self, name, **more):
        log = self.log

        class Context(SimpleNamespace):
            def __enter__(self):
                log.append(f"{name} begins")

            def __exit__(self, *_):
                log.append(f"{name} ends")

        return Context(**more)

    def graph(self):
        return self.context("capture", replay=lambda: self.log.append("replay"))


@pytest.fixture
def torch_here(monkeypatch):
    return StandIn(monkeypatch)


def queue(kind="cuda"):
    return AcceleratorQueue(torch.device(kind), torch.zeros(8))


def test_a_mark_is_a_timed_event_and_time_is_in_seconds(torch_here):
    here = queue()
    first, last = here.mark(), here.mark()
    assert torch_here.log == ["event on cuda", "recorded"] * 2
    assert here.reached(first)
    assert here.between(first, last) == 0.0025


def test_a_time_that_the_device_has_not_come_to_is_refused(torch_here):
    here = queue()
    first, last = here.mark(), here.mark()
    torch_here.done = False
    with pytest.raises(NotReachedError, match="before the device reached them"):
        here.between(first, last)


@pytest.mark.parametrize("kind", ["cuda", "xpu"])
def test_a_capture_warms_up_on_its_stream_and_waits_before_it_begins(torch_here, kind):
    replay = queue(kind).captured(lambda: torch_here.log.append("work"))
    assert torch_here.log == [
        "wait", "stream begins", "work", "stream ends",
        "wait", "capture begins", "work", "capture ends",
    ]  # fmt: skip
    replay()
    assert torch_here.log[-1] == "replay"


def test_what_a_capture_writes_to_lives_as_long_as_it(torch_here):
    assert queue().captured(lambda: "output").kept == "output"
    assert torch_here.log[-1] == "capture ends"


@pytest.mark.usefixtures("torch_here")
def test_a_device_without_graphs_has_no_capture():
    assert queue("mps").captured(lambda: None) is None


def test_a_sweep_reads_all_of_its_memory_and_leaves_it_as_it_was():
    here = queue("cpu")
    here.sweep()
    assert torch.equal(here.swept, torch.zeros(8))


@pytest.mark.parametrize(
    ("fields", "cache"), [({"L2_cache_size": 50}, 50), ({"last_level_cache_size": 9}, 9), ({}, 0)]
)
def test_the_cache_is_what_torch_tells_of_it(monkeypatch, fields, cache):
    properties = SimpleNamespace(**fields)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: properties)
    assert cache_bytes(torch.device("cuda")) == cache


def test_a_sweep_exceeds_every_cache(monkeypatch):
    monkeypatch.setattr(device_queue, "DeviceClock", SimpleNamespace(
        of=lambda _: SimpleNamespace(device=torch.device("meta"))))  # fmt: skip
    for cache, swept in ((0, SMALLEST_SWEEP), (SMALLEST_SWEEP, 4 * SMALLEST_SWEEP)):
        monkeypatch.setattr(device_queue, "cache_bytes", lambda _, cache=cache: cache)
        memory = AcceleratorQueue.on("meta").swept
        assert memory.numel() * memory.element_size() == swept


def test_a_device_that_is_not_there_is_said():
    with pytest.raises(DeviceError, match="there is no device 'xpu' here"):
        AcceleratorQueue.on("xpu")
