import pytest
from gpu_worlds import H200, STEPS, evidence, findings, plain_records, steps, timed
from worlds import control

from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.questions import ask
from investigation.evidence.sealed import gpu as gpu_record
from investigation.evidence.sealed import manifest
from investigation.evidence.sealed.gpu import NAME, RecordError


@pytest.fixture
def built(tmp_path):
    """A folder as a run leaves it, with a sealed record of one machine."""
    folder = tmp_path / "build" / "record"
    gpu_record.write(evidence(), folder)
    return folder


def record_of(folder):
    return folder / "nvidia-h200" / NAME


def edit(path):
    """Change a number by hand, and nothing else."""
    text = path.read_text()
    assert '"ratio": 1.0' in text
    path.write_text(text.replace('"ratio": 1.0', '"ratio": 0.9', 1))


def test_a_record_is_put_under_its_machines_name_with_its_environment(built, tmp_path):
    results = tmp_path / "results"
    (folder,) = gpu_record.record(built, results)
    assert folder == results / "nvidia-h200"
    (machine, evidence) = next(iter(gpu_record.recorded(results).items()))
    assert machine == "nvidia-h200"
    assert evidence.environment.accelerator == "NVIDIA H200"
    assert evidence.environment.torch
    assert manifest.verify(folder).records[NAME].kind == "evidence"


def test_recording_again_replaces_the_record_and_leaves_the_others(built, tmp_path):
    results = tmp_path / "results"
    gpu_record.record(built, results)
    gpu_record.write(evidence(seed=7), built)
    gpu_record.record(built, results)
    assert gpu_record.recorded(results)["nvidia-h200"].parameters["seed"] == 7


def test_an_altered_record_is_refused(built, tmp_path):
    edit(record_of(built))
    with pytest.raises(RecordError, match=r"nvidia-h200/gpu.json: edited since it was sealed"):
        gpu_record.record(built, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_truncated_record_is_refused(built, tmp_path):
    path = record_of(built)
    path.write_text(path.read_text()[:-100])
    with pytest.raises(RecordError, match=r"gpu.json: truncated"):
        gpu_record.record(built, tmp_path / "results")


def test_an_incomplete_record_is_refused_with_what_is_missing(built, tmp_path):
    cold = [step for step in steps("multiply", "cold") if step.case.slug == "reader"]
    gone = {timed(step).identity for step in cold}
    gpu_record.write(
        evidence([record for record in plain_records() if record.identity not in gone]),
        built,
    )
    with pytest.raises(
        RecordError,
        match=r"incomplete, 2 measurements are missing; the first: the device works on a call, "
        r"nothing of it in a cache: multiply, the shape of this run, contiguous, "
        r"expand_as against broadcast",
    ):
        gpu_record.record(built, tmp_path / "results")


def test_a_record_with_a_failed_control_is_refused(built):
    failed = control("same", passed=False, chapter="07_gpu")
    with pytest.raises(RecordError, match=r"control control.07_gpu.same failed: it holds"):
        gpu_record.write(evidence([*plain_records(), failed]), built)


@pytest.mark.parametrize("wrong", [{"accelerator": None}, {"device": "cpu"}])
def test_a_run_on_the_processor_is_no_record(tmp_path, wrong):
    with pytest.raises(RecordError, match="measured on the processor; DEVICE=cuda measures a GPU"):
        gpu_record.write(evidence(**wrong), tmp_path)


def test_without_a_record_that_is_said(tmp_path):
    with pytest.raises(RecordError, match="no GPU was measured here; make gpu does"):
        gpu_record.record(tmp_path / "nothing", tmp_path)
    assert gpu_record.recorded(tmp_path) == {}


def test_an_altered_record_under_results_stops_the_chapter(built, tmp_path):
    results = tmp_path / "results"
    gpu_record.record(built, results)
    edit(results / "nvidia-h200" / NAME)
    with pytest.raises(RecordError, match="edited since it was sealed"):
        gpu_record.recorded(results)
    with pytest.raises(RecordError, match="edited since it was sealed"):
        gpu_record.record(built, results)


@pytest.mark.parametrize(
    ("device_name", "name"), [("NVIDIA H100 80GB HBM3", "nvidia-h100-80gb-hbm3"), ("mps", "mps")]
)
def test_a_machines_folder_is_named_after_its_device(device_name, name):
    assert gpu_record.machine_name(device_name) == name


def test_a_chapter_finds_each_machines_records_again():
    recorded = findings()
    assert recorded.machines == (H200,)
    assert len(recorded.answers(ask(Timing, machine=H200))) == len(STEPS)
    assert recorded.answer(ask(DeviceFacts, machine=H200)).multi_processor_count == 132


def test_what_another_machine_measured_is_no_answer_about_this_one():
    assert findings().answers(ask(Timing)) == ()
    assert findings().answers(ask(Timing, machine="somebody-elses")) == ()
