"""A whole run on a device, with the timing itself replaced: what is kept, in which order."""

import pytest
from gpu_worlds import PARAMETERS
from simulated_device import Kernel, SimulatedDevice

from investigation.evidence import parameters
from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.questions import Findings, ask
from investigation.evidence.recorder import ControlFailedError, Recorder
from investigation.evidence.sealed import gpu as gpu_record
from investigation.gpu import measurement as gpu_measurement
from investigation.gpu import session as gpu_session
from investigation.timing.device.timing import Rotation, compare_on_device
from investigation.timing.device.watch import DeviceState
from investigation.timing.settings import Settings

READING = DeviceState(1980, 2619, 40, 300, 0)


def compared(ratio):
    """A comparison of two kernels on the simulated device."""
    queue = SimulatedDevice()
    plain, slow = (Kernel(str(s), 1e-6, s, s) for s in (1e-4, ratio * 1e-4))
    arms = (Rotation((queue.call(work),), 1) for work in (plain, slow))
    return compare_on_device(queue, "device", *arms, Settings(budget_s=0.3, seed=1, device="meta"))


@pytest.fixture
def session(monkeypatch, tmp_path):
    """A session on a device whose tensors have no memory, so that nothing is computed."""
    monkeypatch.setattr(parameters, "available_devices", lambda: ("cpu", "meta"))
    monkeypatch.setattr(
        "investigation.evidence.environment.accelerator_name", lambda: "NVIDIA H200"
    )
    monkeypatch.setattr(gpu_record, "BUILT", tmp_path)
    monkeypatch.setattr(gpu_record.write, "__defaults__", (tmp_path,))
    monkeypatch.setattr(gpu_measurement, "arms_agree", lambda *_: True)
    comparisons = {False: compared(1.0), True: compared(2.0)}
    monkeypatch.setattr(
        gpu_measurement,
        "compare_on_device",
        lambda _queue, _quantity, baseline, other, *_: comparisons[
            other.launches > baseline.launches
        ],
    )
    return Recorder(gpu_session.CHAPTER, **PARAMETERS | {"device": "meta"})


def test_a_run_leaves_a_complete_sealed_record_of_its_machine(session, tmp_path):
    evidence = gpu_session.measured_on(SimulatedDevice(), session, lambda: READING)
    assert gpu_record.missing(evidence) == []
    written = gpu_record.checked(tmp_path / "nvidia-h200")
    assert [record.identity for record in written.records] == [
        record.identity for record in evidence.records
    ]
    device = Findings((evidence,)).answer(ask(DeviceFacts))
    assert device.device_name == "NVIDIA H200"
    assert (device.clock_mhz, device.temperature_c) == (1980, 40)
    assert not evidence.failed_controls


def test_the_arms_are_shown_equal_before_anything_is_timed(session, monkeypatch):
    monkeypatch.setattr(gpu_measurement, "arms_agree", lambda *_: False)
    timed = []
    monkeypatch.setattr(gpu_measurement, "compare_on_device", lambda *words: timed.append(words))
    with pytest.raises(
        ControlFailedError, match="both arms of every timed multiply of one dtype return"
    ):
        gpu_session.measured_on(SimulatedDevice(), session, lambda: None)
    assert not timed
