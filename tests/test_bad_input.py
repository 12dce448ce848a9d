"""Whatever a person or a file can get wrong: one line names it and what is allowed."""

import json

import pytest
from asking import request
from hypothesis import given
from hypothesis import strategies as st
from worlds import evidence, mixed_dtypes, multiply

from investigation.evidence import files
from investigation.evidence.files import EvidenceError
from investigation.evidence.parameters import CORES, MOST, MOST_ELEMENTS
from pipeline.faults import BuildError

SECONDS = "allowed is a number of seconds above 0 and up to 600"
SHAPES = "allowed are four sizes, B,C,H,W, such as 128,64,16,16"
SEEDS = "allowed is a whole number from 0 to 4294967295"
THREADS = f"allowed is a whole number from 1 to {CORES}, this machine's cores"
TRIALS = "allowed is a whole number from 1 to 100000"
DTYPES = "allowed is float32, float64, bfloat16, float16"
FORMATS = "allowed is contiguous or channels_last"
RUNS = "allowed is a folder or a zip that holds a run's evidence"
ADDRESS = "allowed is an address such as tcp://10.0.0.1:8786"
COMMANDS = (
    "no such command; there are book, rerun, compare, sweep, versions, gpu, record, seal, fix, "
    "audit, pdf and serve"
)

WORDS = [
    ("", "nothing: " + COMMANDS),
    ("boko", "boko: " + COMMANDS),
    ("book BUDGET", "BUDGET: allowed is NAME=value, such as BUDGET=1"),
    ("book =1", "=1: allowed is NAME=value"),
    ("book COLOUR=red", "COLOUR: no such parameter; there are DEVICE, THREADS, BUDGET"),
    ("book budget=1", "budget: no such parameter; there are DEVICE"),
    ("book BUDGET_S=1", "BUDGET_S: no such parameter; there are DEVICE"),
    ("book BUDGET+=1", "BUDGET+: no such parameter; there are DEVICE"),
    ("book MACHINE=x", "MACHINE: no such parameter; there are DEVICE"),
    ("book PORT=80", "PORT: no such parameter; there are DEVICE"),
    ("book DEVICE=banana", "DEVICE=banana: this machine has cpu"),
    ("book DEVICE=", "DEVICE=: this machine has cpu"),
    ("book DEVICE=CPU", "DEVICE=CPU: this machine has cpu"),
    ("book DEVICE=cpu:7", "DEVICE=cpu:7: this machine has cpu"),
    ("book THREADS=0", "THREADS=0: " + THREADS),
    ("book THREADS=-1", "THREADS=-1: " + THREADS),
    ("book THREADS=9999", "THREADS=9999: " + THREADS),
    ("book THREADS=1.5", "THREADS=1.5: " + THREADS),
    ("book THREADS=all", "THREADS=all: " + THREADS),
    ("book THREADS=True", "THREADS=True: " + THREADS),
    ("book THREADS=", "THREADS=: " + THREADS),
    ("book BUDGET=0", "BUDGET=0: " + SECONDS),
    ("book BUDGET=-0.1", "BUDGET=-0.1: " + SECONDS),
    ("book BUDGET=601", "BUDGET=601: " + SECONDS),
    ("book BUDGET=nan", "BUDGET=nan: " + SECONDS),
    ("book BUDGET=inf", "BUDGET=inf: " + SECONDS),
    ("book BUDGET=1e999", "BUDGET=1e999: " + SECONDS),
    ("book BUDGET=1s", "BUDGET=1s: " + SECONDS),
    ("book BUDGET=1,5", "BUDGET=1,5: " + SECONDS),
    ("book NETWORK_BUDGET=forever", "NETWORK_BUDGET=forever: " + SECONDS),
    ("book RUNTIMES=", "RUNTIMES=: allowed are some of eager,torchscript,"),
    ("book RUNTIMES=eager,onnx", "RUNTIMES=eager,onnx: allowed are some of eager,torchscript,"),
    ("book RUNTIMES=eager,eager", "RUNTIMES=eager,eager: allowed are some of eager,torchscript,"),
    ("book SEED=-1", "SEED=-1: " + SEEDS),
    ("book SEED=4294967296", "SEED=4294967296: " + SEEDS),
    ("book SEED=0x10", "SEED=0x10: " + SEEDS),
    ("book SEED=$(id)", "SEED=$(id): " + SEEDS),
    ("book SHAPE=3,4", "SHAPE=3,4: " + SHAPES),
    ("book SHAPE=1,2,3,4,5", "SHAPE=1,2,3,4,5: " + SHAPES),
    ("book SHAPE=1,2,3,", "SHAPE=1,2,3,: " + SHAPES),
    ("book SHAPE=1,2,3,0", "SHAPE=1,2,3,0: " + SHAPES),
    ("book SHAPE=1,2,3,-4", "SHAPE=1,2,3,-4: " + SHAPES),
    ("book SHAPE=1x2x3x4", "SHAPE=1x2x3x4: " + SHAPES),
    ("book SHAPE=a,b,c,d", "SHAPE=a,b,c,d: " + SHAPES),
    ("book SHAPE=9999,9999,9999,9999",
     f"SHAPE=9999,9999,9999,9999: {SHAPES}, of at most {MOST_ELEMENTS} elements"),
    ("book BATCH=0", f"BATCH=0: allowed is a whole number from 1 to {MOST['batch']}"),
    ("book BATCH=99999999", "BATCH=99999999: allowed is a whole number from 1 to"),
    ("book RESNET_BATCH=99999999", "RESNET_BATCH=99999999: allowed is a whole number from 1 to"),
    ("book LARGEST_SIDE=99999999", "LARGEST_SIDE=99999999: allowed is a whole number from 1 to"),
    ("book TRIALS=100001", "TRIALS=100001: " + TRIALS),
    ("book EXAMPLES=none", "EXAMPLES=none: " + TRIALS),
    ("book PROCESSES=", "PROCESSES=: " + TRIALS),
    ("book DTYPE=int8", "DTYPE=int8: " + DTYPES),
    ("book DTYPE=__class__", "DTYPE=__class__: " + DTYPES),
    ("book MEMORY_FORMAT=nhwc", "MEMORY_FORMAT=nhwc: " + FORMATS),
    ("book TIME_LIMIT=0", "TIME_LIMIT=0: allowed is a number of seconds from 1 to 86400"),
    ("book TIME_LIMIT=nan", "TIME_LIMIT=nan: allowed is a number of seconds from 1 to 86400"),
    ("book TIME_LIMIT=never", "TIME_LIMIT=never: allowed is a number of seconds from 1"),
    ("book NOTEBOOK=99_none", "NOTEBOOK=99_none: there are 00_instrument, 01_broadcasting"),
    ("rerun", "rerun needs NOTEBOOK=: allowed is the name of a chapter"),
    ("rerun NOTEBOOK=", "NOTEBOOK=: there are 00_instrument"),
    ("rerun NOTEBOOK=../04_eager_cost", "NOTEBOOK=../04_eager_cost: there are 00_instrument"),
    ("seal", "seal needs MACHINE=: allowed is the name of a folder in results"),
    ("seal MACHINE=none", "MACHINE=none: there are "),
    ("seal MACHINE=..", "MACHINE=..: there are "),
    ("seal MACHINE=epyc-2-cores SEED=1", "SEED: no such parameter; there are MACHINE"),
    ("compare", "compare needs BASE=: allowed is a folder or a zip"),
    ("compare BASE=", "BASE=: nothing is named; " + RUNS),
    ("compare BASE=nowhere", "BASE=nowhere: no such file or folder; " + RUNS),
    ("compare BASE=README.md", "BASE=README.md: another kind of file; " + RUNS),
    ("compare BASE=book HEAD=nowhere.zip", "HEAD=nowhere.zip: no such file or folder; " + RUNS),
    ("sweep", "sweep needs SPEC=: allowed is a file that describes a sweep"),
    ("sweep SPEC=nowhere.toml", "SPEC=nowhere.toml: no such file or folder; allowed is a file"),
    ("sweep SPEC=book", "SPEC=book: another kind of file; allowed is a file"),
    ("sweep SPEC=README.md SCHEDULER=here", "SCHEDULER=here: " + ADDRESS),
    ("sweep SPEC=README.md SCHEDULER=http://a:1", "SCHEDULER=http://a:1: " + ADDRESS),
    ("sweep SPEC=README.md SCHEDULER=tcp://a", "SCHEDULER=tcp://a: " + ADDRESS),
    ("sweep SPEC=README.md SCHEDULER=tcp://a:99999", "SCHEDULER=tcp://a:99999: " + ADDRESS),
    ("sweep SPEC=README.md WORKERS=0", "WORKERS=0: allowed is a whole number from 1 to"),
    ("sweep SPEC=README.md WORKERS=many", "WORKERS=many: allowed is a whole number from 1 to"),
    ("fix", "fix needs SRC=: allowed is a Python file or a folder of them, such as SRC=src"),
    ("fix SRC=", "SRC=: nothing is named; allowed is a Python file or a folder of them"),
    ("fix SRC=nowhere", "SRC=nowhere: no such file or folder; allowed is a Python file or a"),
    ("fix SRC=README.md", "SRC=README.md: another kind of file; allowed is a Python file or a"),
    ("fix SRC=tests APPLY=yes", "APPLY=yes: allowed is 1, to write what is shown, or 0"),
    ("fix SCR=tests", "SCR: no such parameter; there are SRC, APPLY"),
    ("audit SEED=1", "SEED: no such parameter; there are none here"),
    ("serve PORT=0", "PORT=0: allowed is a whole number from 1 to 65535"),
    ("serve PORT=65536", "PORT=65536: allowed is a whole number from 1 to 65535"),
    ("serve PORT=http", "PORT=http: allowed is a whole number from 1 to 65535"),
    ("serve PORT=8000;reboot", "PORT=8000;reboot: allowed is a whole number from 1 to 65535"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "expected"), WORDS)
def test_a_bad_word_is_refused_in_one_line(typed, expected):
    with pytest.raises(BuildError) as refused:
        request(typed.split())
    assert str(refused.value).startswith(expected)
    assert "\n" not in str(refused.value)


HOSTILE = ["a\nb", "\x1b[2J", "‮", "x" * 10_000, "a\0b", "<script>alert(1)</script>", " "]


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_value_that_would_upset_a_terminal_is_shown_harmlessly(value):
    for word in (f"DEVICE={value}", f"{value}=1", value, f"NOTEBOOK={value}", f"SHAPE={value}"):
        with pytest.raises(BuildError) as refused:
            request(["book", word])
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 600


VARIABLES = ["DEVICE", "THREADS", "BUDGET", "SEED", "SHAPE", "DTYPE", "NOTEBOOK", "TIME_LIMIT"]


@given(st.sampled_from(VARIABLES), st.text(max_size=40))
def test_any_text_is_understood_or_refused(name, text):
    try:
        parsed = request(["book", f"{name}={text}"])
    except BuildError as refused:
        assert str(refused).isprintable()  # noqa: PT017  a refusal is as good as an answer
    else:
        assert len(parsed.parameters) + len(parsed.directions.model_fields_set) == 1


@given(st.text(max_size=60))
def test_whatever_make_hands_on_is_read_or_refused(makeflags):
    try:
        request(["book"], f" -- {makeflags}")
    except BuildError as refused:
        assert str(refused).isprintable()  # noqa: PT017


def good():
    """A file of evidence with a comparison and a count."""
    return json.loads(evidence(multiply(), mixed_dtypes(27)).model_dump_json())


def test_the_good_record_is_read():
    assert files.parse(good()).records == (multiply(), mixed_dtypes(27))


TIMING = [
    ({"type": "gossip"}, "records.0: Input tag 'gossip' found using 'type' does not match"),
    ({"statement": None}, "records.0.timing.statement: Input should be a valid string"),
    ({"level": "heard"}, "records.0.timing.level: Input should be 'multiply', "),
    ({"ratio": None}, "records.0.timing.ratio: Input should be a valid number"),
    ({"ratio": [1]}, "records.0.timing.ratio: Input should be a valid number"),
    ({"ratio": float("nan")}, "records.0.timing.ratio: Value error, allowed is a finite number"),
    ({"ratio": float("inf")}, "records.0.timing.ratio: Value error, allowed is a finite number"),
    ({"interval": [2, 1]}, "records.0.timing.interval: Value error, an interval runs from low"),
    ({"interval": [1]}, "records.0.timing.interval.1: Field required"),
    ({"interval": [1, 2, 3]}, "records.0.timing.interval: Tuple should have at most 2 items"),
    ({"interval": [float("nan"), 1]}, "records.0.timing.interval: Value error, an interval runs"),
    ({"interval": None}, "records.0.timing.interval: Input should be a valid tuple"),
    ({"confidence": 1.5}, "records.0.timing.confidence: Input should be less than 1"),
    ({"confidence": 0}, "records.0.timing.confidence: Input should be greater than 0"),
    ({"verdict": "splendid"}, "records.0.timing.verdict: Input should be 'faster', "),
    ({"case": {"slug": "x", "name": "x", "shape": [1, 2]}}, "records.0.timing.case.shape.2: Field"),
    ({"case": {"slug": "x", "name": "x", "shape": [0, 1, 2, 3]}},
     "records.0.timing.case.shape.0: Input"),
    ({"alone": None}, "records.0.timing: Value error, a timing has either one process's numbers"),
    ({"alone": {"ratio": 1}}, "records.0.timing.alone.ratio_interval: Field required"),
    ({"processes": ["a"]}, "records.0.timing.processes.0: Input should be a valid dictionary"),
    ({"machine": 3}, "records.0.timing.machine: Input should be a valid string"),
    ({"colour": "red"}, "records.0.timing.colour: Extra inputs are not permitted"),
]  # fmt: skip
COUNT = [
    ({"tried": -1}, "records.1.equality.tried: Input should be greater than or equal to 0"),
    ({"tried": "many"}, "records.1.equality.tried: Input should be a valid integer"),
    ({"aspect": "mood"}, "records.1.equality.aspect: Input should be 'reference', "),
    ({"differing_by": []}, "records.1.equality.differing_by: Input should be a valid "),
    ({"details": {}}, "records.1.equality.details: Extra inputs are not permitted"),
]
FILES = [
    ({"schema_version": 0}, "schema version 0, this book reads 1, 2, 3 and 4"),
    ({"schema_version": None}, "schema version None, this book reads 1, 2, 3 and 4"),
    ({"schema_version": 4.0}, "schema version 4.0, this book reads 1, 2, 3 and 4"),
    ({"notebook": None}, "notebook: Input should be a valid string"),
    ({"parameters": [1]}, "parameters: Input should be a valid dictionary"),
    ({"environment": {}}, "environment.python: Field required"),
    ({"environment": "mine"}, "environment: Input should be a valid dictionary"),
    ({"started": "yesterday"}, "started: Input should be a valid datetime"),
    ({"records": {}}, "records: Input should be a valid tuple"),
    ({"records": [1]}, "records.0: Input should be a valid dictionary"),
    ({"records": good()["records"] * 2}, "evidence: Value error, recorded twice: timing.multiply"),
    ({"author": "me"}, "author: Extra inputs are not permitted"),
]


def refusal(bad):
    with pytest.raises(EvidenceError) as refused:
        files.parse(bad)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("place", "change", "expected"),
    [*((0, *path) for path in TIMING), *((1, *path) for path in COUNT)],
)
def test_a_bad_record_is_refused_with_its_field_and_the_reason(place, change, expected):
    bad = good()
    bad["records"][place] |= change
    assert refusal(bad).startswith(expected)


@pytest.mark.parametrize(("change", "expected"), FILES)
def test_a_bad_file_is_refused_with_its_field_and_the_reason(change, expected):
    assert refusal(good() | change).startswith(expected)


@pytest.mark.parametrize("other", [None, 7, "text", [], [{}], True])
def test_what_is_no_record_at_all_is_refused(other):
    with pytest.raises(EvidenceError, match="schema version None, this book reads 1, 2, 3 and 4"):
        files.parse(other)
