"""The rows of tables that chapters share, each in a world and in its opposite."""

import re
from types import SimpleNamespace

import pytest
from worlds import CASE, multiply

from investigation.display import launch_tables, timing_tables, training_tables
from investigation.display.tables import folded, table
from investigation.evidence.kinds.correctness import TrainingRun
from investigation.observe.gradients import TensorAgreement
from investigation.subject.cases import case_of_run


def test_a_long_name_may_go_on_in_the_next_line_at_a_joint_and_a_parameter_may_not():
    long = table([{"kernel": "cpp_fused_expand_mul_0", "again": "NOTEBOOK=03_channels_last"}]).data
    assert "<td>cpp_<wbr>fused_<wbr>expand_<wbr>mul_0</td>" in long
    assert "<td>NOTEBOOK=03_channels_last</td>" in long
    assert "<td>channels_last</td>" in table([{"format": "channels_last"}]).data
    several = table([{"parameters": "RUNTIMES=eager,compile,torchscript,aoti THREADS=1,2"}]).data
    assert "<td>RUNTIMES=eager,<wbr>compile,<wbr>torchscript,aoti THREADS=1,2</td>" in several


def test_the_case_of_a_run_has_its_shape_and_seed():
    case = case_of_run((2, 3, 4, 5), seed=7)
    assert (case.shape, case.seed, case.slug) == ((2, 3, 4, 5), 7, "reader")


@pytest.mark.parametrize(("ratio", "word"), [(1.2, "slower"), (0.8, "faster"), (1.0, "equal")])
def test_a_workload_is_shown_with_its_shape_and_the_outcome(ratio, word):
    row = timing_tables.of_workload(multiply(ratio))
    assert row["workload"] == CASE.name
    assert row["shape"] == "128×32×32×32"
    assert row["broadcast"] == "100.0 µs"
    assert str(row["outcome"]).startswith(word)
    assert row.items() > timing_tables.against_broadcast(multiply(ratio)).items()


class Told:
    def __repr__(self) -> str:
        return "it is slower [1 warning: load]"


def test_outcomes_are_shown_with_their_warnings_or_without():
    (warned,) = timing_tables.outcomes("process", {1: Told()}, warned=True)
    (plain,) = timing_tables.outcomes("process", {1: Told()}, warned=False)
    assert warned == {"process": 1, "outcome": "it is slower [1 warning: load]"}
    assert plain == {"process": 1, "outcome": "it is slower"}


def test_a_way_of_training_names_the_tensors_that_differ_or_none():
    agreements = [
        TensorAgreement("backward", "output", True, True),
        TensorAgreement("backward", "gradient", False, True),
        TensorAgreement("frozen", "output", True, True),
    ]
    backward, frozen = training_tables.of_ways(agreements)
    assert backward == {"way": "backward", "tensors": 2, "differ": "gradient"}
    assert frozen == {"way": "frozen", "tensors": 1, "differ": "none"}


def run(**about):
    fields = {"statement": "a run", "run": "contiguous", "setting": "float32", "steps": 9}
    accuracy = {"expand_as": 0.944, "broadcast": 0.95}
    return TrainingRun(**fields | {"accuracy": accuracy} | about)


def test_a_run_that_parts_says_where_and_one_that_does_not_says_so():
    same = training_tables.of_run(run(same=True, parted=None, apart=0))
    parted = training_tables.of_run(run(same=False, parted=4, apart=0.121))
    assert same["losses"] == same["weights"] == "the same bits"
    assert parted["losses"] == "first differ at step 4"
    assert parted["weights"] == "differ"
    assert parted["largest difference of a loss"] == "0.13"
    assert parted["accuracy, expand_as"] == "94.4 %"


def test_a_count_in_a_table_has_its_thousands_apart_and_a_truth_is_yes_or_no():
    html = table([{"tried": 16384, "few": 12, "equal": True, "of": None}]).data
    cells = re.findall(r"<td>(.*?)</td>", html)
    assert cells == ["16,384", "12", "yes", ""]


def test_a_line_that_a_reader_looks_up_has_no_separators():
    passages = [SimpleNamespace(decides="the grid", file="Reduce.cuh", line=line)
                for line in (1040, None)]  # fmt: skip
    html = table(launch_tables.source_rows(passages)).data
    assert "<td>1040</td>" in html
    assert "<td>not installed with torch</td>" in html


def test_tables_are_folded_under_a_line_that_is_text():
    shown = table([{"workload": "a"}])
    assert folded("x < y", shown, shown).data == (
        f"<details><summary>x &lt; y</summary>{shown.data}{shown.data}</details>"
    )


def test_an_outcome_that_only_one_comparison_alone_would_have_says_so():
    alone = multiply(1.03, width=0.015)
    among_many = alone.alone.model_copy(update={"verdict_in_family": "inconclusive"})
    row = timing_tables.of_workload(alone.model_copy(update={"alone": among_many}))
    assert row["outcome"] == "undecided (slower at 95 %)"
    assert timing_tables.of_workload(alone)["outcome"] == "slower"
