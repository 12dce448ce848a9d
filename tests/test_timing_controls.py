"""Controls of the timing: what must come out the same, and what must come out slower."""

from dataclasses import dataclass, replace

import pytest

from investigation.evidence.recorder import ControlFailedError, Recorder
from investigation.timing import recording


@dataclass
class Compared:
    """A comparison that comes out so at its own confidence, and so at a control's."""

    verdict: str
    at_control: str = ""
    name: str = "2 % more work"
    ratio: float = 1.01
    ratio_interval: tuple[float, float] = (0.97, 1.05)
    margin: float = 0.01

    def at(self, confidence):
        assert confidence > 0.999
        return replace(self, verdict=self.at_control or self.verdict)


@pytest.fixture
def recorder():
    return Recorder("05_training")


@pytest.mark.parametrize("verdict", ["equivalent", "inconclusive"])
def test_a_program_against_itself_holds_unless_it_comes_out_different(recorder, verdict):
    control = recording.same_control(recorder, Compared("slower", at_control=verdict))
    assert control.passed
    assert control.tried
    assert control.value.endswith("more than 5.2 % slower or 4.8 % faster would have failed")
    endless = Compared("slower", verdict, ratio_interval=(0.0, float("inf")))
    assert not recording.same_control(recorder, endless, of="few pairs").tried


@pytest.mark.parametrize("verdict", ["slower", "faster"])
def test_a_program_that_differs_from_itself_stops_the_build(recorder, verdict):
    with pytest.raises(ControlFailedError, match="comes out neither faster nor slower"):
        recording.same_control(recorder, Compared(verdict))


def test_a_gate_that_is_written_out_has_to_be_found_slower(recorder):
    assert recording.slower_control(recorder, Compared("slower", at_control="inconclusive")).passed
    for verdict in ("equivalent", "faster", "inconclusive"):
        with pytest.raises(ControlFailedError, match="writing the gate out in full comes out slow"):
            recording.slower_control(recorder, Compared(verdict), of=verdict)


def test_more_work_is_found_slower_or_could_not_be_tried(recorder):
    assert recording.more_work_control(recorder, Compared("slower")).statement == (
        "2 % more work comes out slower"
    )
    wide = recording.more_work_control(recorder, Compared("slower", "inconclusive"), of="wide")
    assert wide.statement == "2 % more work could not be tried: the interval is too wide"
    assert not wide.tried
    assert "Control **could not be tried**" in wide._repr_markdown_()
    for verdict in ("equivalent", "faster"):
        with pytest.raises(ControlFailedError, match="2 % more work comes out slower"):
            recording.more_work_control(recorder, Compared(verdict), of=verdict)
