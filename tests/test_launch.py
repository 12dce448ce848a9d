"""Iterators of both forms on a device that records them: worlds in which they differ, and ours."""

import hashlib
import shutil

import launch_jobs
import pytest
import torch
from pydantic import ValidationError

from investigation.display import launch_tables
from investigation.evidence.kinds.gpus import Launch, SameLaunches
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.records import repeated_names
from investigation.gpu.launch import controls, extension, proof, recording, settings
from investigation.gpu.launch.comparison import Group, how_they_differ, together
from investigation.gpu.launch.extension import NoRecorderError
from investigation.gpu.launch.iterators import Iterator, Operand, Recorded, Result
from investigation.observe import memory
from investigation.subject.cases import Case
from investigation.subject.gpu_catalog import chip
from investigation.subject.variants import SCALES
from investigation.timing.processes import Job, in_fresh_processes

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

CASE = Case(slug="reader", name="a small shape", shape=(2, 8, 4, 4))
NARROWER = {"float16 × bfloat16", "bfloat16 × float16", "float32 × float16", "float32 × bfloat16",
            "float64 × float16", "float64 × bfloat16", "float64 × float32"}  # fmt: skip


def answers(*jobs):
    replies = in_fresh_processes([Job(*job) for job in jobs], at_once=2)
    return [reply.answer_or(AssertionError, "the job") for reply in replies]


@pytest.fixture(scope="module", autouse=True)
def recorder():
    """Leave the module out if no compiler can build the recorder, as a chapter does."""
    try:
        extension.require_recorder()
    except NoRecorderError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def proved():
    return proof.prove(CASE, chip("sm_90"), seed=0)


@pytest.fixture(scope="module")
def worlds():
    """What differs from `x * gate` in worlds with another form in the place of `expand_as`."""
    families_of = {
        "materialized": ("ordinary", "volumes", "empty", "large", "dtypes"),
        "in_two_steps": ("ordinary",),
        "swapped": ("ordinary",),
    }
    compared = answers(
        *(
            (launch_jobs.groups, {"planted": name, "families": families})
            for name, families in families_of.items()
        )
    )
    return {
        name: [Group.model_validate(group) for group in groups]
        for name, groups in zip(families_of, compared, strict=True)
    }


def of_operation(groups, operation, *families):
    among = families or settings.FAMILIES
    return [group for group in groups if group.operation == operation and group.family in among]


def test_with_one_real_dtype_every_launch_is_the_same(proved):
    for group in proved.groups:
        if group.family not in ("dtypes", "narrow_gate"):
            assert (group.dtypes, group.differing) == ("same", 0)
    tried = {(group.operation, group.family): group.tried for group in proved.groups}
    assert tried["multiply", "ordinary"] == 108
    assert tried["gradient_of_gate", "ambiguous"] == 15 * 108 * 3


def test_in_every_layout_a_gate_of_lower_precision_launches_the_same(proved):
    (narrow,) = of_operation(proved.groups, "multiply", "narrow_gate")
    assert (narrow.dtypes, narrow.tried, narrow.differing) == ("mixed", 16 * 108, 0)


def test_the_product_is_the_same_in_every_pair_of_dtypes(proved):
    products = [group for group in proved.groups
                if (group.operation, group.family) == ("multiply", "dtypes")]  # fmt: skip
    assert {product.dtypes: (product.tried, product.differing) for product in products} == {
        "same": (130, 0), "mixed": (1560, 0)
    }  # fmt: skip


def test_a_narrower_gates_gradient_is_rounded_before_the_sum_or_after(proved):
    (group,) = [group for group in proved.groups if (group.operation, group.dtypes) ==
                ("gradient_of_gate", "mixed")]  # fmt: skip
    assert set(group.differing_by) == {"another order"}
    real = {pair for pair in group.where if "complex" not in pair}
    assert real == NARROWER


def test_only_a_complex_gate_changes_the_inputs_gradient(proved):
    for group in proved.groups:
        if (group.operation, group.family) == ("gradient_of_input", "dtypes"):
            assert group.differing
            assert all(pair.partition(" × ")[2].startswith("complex") for pair in group.where)


@pytest.mark.parametrize("operation", ["multiply", "gradient_of_input", "gradient_of_gate"])
def test_a_gate_that_is_written_out_differs_in_every_family(worlds, operation):
    groups = [
        group
        for group in of_operation(worlds["materialized"], operation)
        if group.family != "empty"
    ]
    assert all(group.differing for group in groups)
    assert {group.family for group in groups} == {"ordinary", "volumes", "large", "dtypes"}


def test_operands_in_another_order_are_noticed_although_the_product_is_the_same(worlds):
    (ordinary,) = of_operation(worlds["swapped"], "multiply", "ordinary")
    assert ordinary.differing == ordinary.tried
    assert set(ordinary.differing_by) == {"other arguments"}


def test_a_gate_that_is_summed_in_two_steps_changes_its_own_gradient_alone(worlds):
    for operation in ("multiply", "gradient_of_input"):
        (group,) = of_operation(worlds["in_two_steps"], operation, "ordinary")
        assert group.differing == 0
    (group,) = of_operation(worlds["in_two_steps"], "gradient_of_gate", "ordinary")
    assert group.differing == group.tried
    assert set(group.differing_by) == {"other kernels"}


def test_results_on_the_recording_device_lie_as_on_the_cpu():
    ((tried, unlike),) = answers((launch_jobs.results_like_the_cpu, {}))
    assert tried > 700
    assert unlike == []


def test_the_controls_are_noticed(proved):
    assert proved.controls.noticed
    assert proved.controls.cpu_differs
    assert proved.controls.written_out == (12, 12) == proved.controls.transposed


@pytest.mark.parametrize("change", [
    {"written_out": (11, 12)}, {"transposed": (0, 12)}, {"written_out": (0, 0)},
])  # fmt: skip
def test_a_control_that_is_missed_is_not_taken_for_noticed(proved, change):
    assert not proved.controls.model_copy(update=change).noticed


def asked_for(form, case):
    """What a form allocates beside its output, by the profiler."""
    x, gate = case.tensors()
    count = memory.bytes_allocated(lambda: SCALES[form](x, gate)) - 4 * x.numel()
    wider = {"float32": "wider_gate", "bfloat16": "mixed", None: "same"}
    dtypes = wider[case.gate_dtype]
    return Memory(statement="", phase="line", form=form, dtypes=dtypes, bytes=count, case=case)


def test_a_cpus_iterator_converts_what_the_profiler_measures(proved):
    cases = (CASE, CASE.with_gate("bfloat16"), CASE.with_wider_gate())
    measured = [asked_for(form, case) for case in cases for form in SCALES]
    beside = list(controls.beside_measured(measured, proved.controls))
    assert len(beside) == 6
    assert all(converted == bytes_ for *_, converted, bytes_ in beside)
    assert len({converted for *_, converted, _ in beside}) == 3  # nothing, a gate, a full gate


def test_with_a_wider_gate_both_forms_convert_the_input_and_nothing_else(proved):
    turned = proved.controls.converted["wider_gate"]
    assert turned["expand_as"] == turned["broadcast"] == 4 * CASE.elements


def test_a_measured_copy_that_the_iterator_does_not_make_shows(proved):
    measured = asked_for("broadcast", CASE)
    more = measured.model_copy(update={"bytes": 64})
    ((*_, converted, bytes_),) = controls.beside_measured([more], proved.controls)
    assert converted != bytes_


def test_the_two_forms_convert_alike_in_a_world_without_the_copy(proved):
    alike = {"expand_as": 64, "broadcast": 64}
    world = proved.controls.model_copy(
        update={"converted": dict.fromkeys(("same", "mixed", "wider_gate"), alike)}
    )
    assert not world.cpu_differs


# Every field counts

OPERAND = Operand(address=512, stride_bytes=(4,), dtype="float32", element_bytes=4,
                  conjugated=False, storage_bytes=16)  # fmt: skip
ITERATOR = Iterator(operation="mul", shape=(4,), contiguous=True, fits_32_bits=True,
                    accumulates=False, final_output=True, outputs=1, reduced_dimensions=0,
                    common_dtype="float32", operands=(OPERAND,))  # fmt: skip
RESULT = Result(size=(4,), stride=(1,), offset=0, dtype="float32", conjugated=False)
OTHER = {str: "other", int: 7, bool: None, tuple: (9,)}


def world(iterator=ITERATOR, result=RESULT):
    return Recorded(launches=(iterator,), results=(result,))


def changed(model, name):
    value = getattr(model, name)
    other = (not value) if isinstance(value, bool) else OTHER[type(value)]
    return model.model_copy(update={name: other})


def fields_noticed(differ):
    """The fields that a comparison notices, of an iterator, an operand and a result."""
    worlds = {name: world(changed(ITERATOR, name)) for name in set(Iterator.model_fields) -
              {"operands"}}  # fmt: skip
    worlds |= {
        f"operand {name}": world(
            ITERATOR.model_copy(update={"operands": (changed(OPERAND, name),)})
        )
        for name in Operand.model_fields
    }
    worlds |= {f"result {name}": world(result=changed(RESULT, name)) for name in
               Result.model_fields}  # fmt: skip
    return {name for name, other_world in worlds.items() if differ(world(), other_world)}, set(
        worlds
    )


def test_groups_of_two_shares_of_the_settings_are_one():
    about = {"operation": "multiply", "family": "dtypes", "dtypes": "mixed"}
    first = Group(**about, tried=3, differing_by={"another order": 1}, where=("a × b",))
    other = Group(**about, tried=4, differing_by={"another order": 1, "other kernels": 1},
                  where=("a × b", "c × d"), example="c × d: it")  # fmt: skip
    apart = first.model_copy(update={"family": "ordinary"})
    joined, alone = together([first, apart, other])
    assert (joined.tried, joined.differing, joined.example) == (7, 3, "c × d: it")
    assert joined.differing_by == {"another order": 2, "other kernels": 1}
    assert joined.where == ("a × b", "c × d")
    assert alone == apart


def test_every_field_of_an_iterator_counts():
    noticed, planted = fields_noticed(how_they_differ)
    assert noticed == planted


def test_a_comparison_that_leaves_a_field_out_would_fail_that_test():
    def without_strides(baseline, other):
        bare = [recorded.model_copy(update={"launches": tuple(
            iterator.model_copy(update={"operands": tuple(
                operand.model_copy(update={"stride_bytes": ()}) for operand in iterator.operands
            )}) for iterator in recorded.launches
        )}) for recorded in (baseline, other)]  # fmt: skip
        return how_they_differ(*bare)

    noticed, planted = fields_noticed(without_strides)
    assert planted - noticed == {"operand stride_bytes"}


def test_what_the_extension_reports_is_read_whole():
    ((reported,),) = answers((launch_jobs.one_iterator, {}))
    assert set(reported) == set(Iterator.model_fields)
    assert set(reported["operands"][0]) == set(Operand.model_fields)
    with pytest.raises(ValidationError, match="alignment"):
        Iterator.model_validate({**reported, "alignment": 16})


@pytest.mark.parametrize(("operations", "how"), [
    (("mul",), None), (("mul", "mul"), "other kernels"), (("copy",), "other kernels"),
])  # fmt: skip
def test_how_launches_differ(operations, how):
    launches = tuple(
        ITERATOR.model_copy(update={"operation": operation}) for operation in operations
    )
    assert how_they_differ(world(), Recorded(launches=launches, results=(RESULT,))) == how


def test_the_same_kernels_in_another_order_are_told_from_other_kernels():
    first, last = (
        ITERATOR.model_copy(update={"operation": operation}) for operation in ("sum", "copy")
    )
    orders = [
        Recorded(launches=launches, results=()) for launches in ((first, last), (last, first))
    ]
    assert how_they_differ(*orders) == "another order"


# Records, tables, and where it cannot be built


def test_every_launch_and_group_becomes_a_record_of_its_own(proved):
    records = list(recording.records(proved))
    assert repeated_names(records) == []
    assert sum(isinstance(record, SameLaunches) for record in records) == len(proved.groups)
    assert all(
        record.same == (record.differing == 0)
        for record in records
        if isinstance(record, SameLaunches)
    )


def test_the_shown_product_is_one_kernel_in_both_forms_and_another_if_written_out(proved):
    forms = proved.launches_of(CASE)
    (expanded,), (plain,) = forms["expand_as"], forms["broadcast"]
    assert (expanded.iterator, expanded.kernel) == (plain.iterator, plain.kernel)
    copy, product = forms["materialized"]
    assert copy.iterator.operation == "copy"
    assert (plain.kernel.walked, product.kernel.walked) == (2, None)


def test_tables_say_what_was_tried_and_what_was_not_read(proved):
    records = list(recording.records(proved))
    same = list(
        launch_tables.same_rows(record for record in records if isinstance(record, SameLaunches))
    )
    assert same[0]["settings"] == "every pairing of layouts"
    assert "another order (112)" in {row["how"] for row in same}
    shown = [
        record for record in records if isinstance(record, Launch) and record.form == "materialized"
    ]
    copy, product, *_ = launch_tables.launch_rows(shown)
    assert (copy["kernel"], copy["blocks × threads"]) == ("not read", "–")
    assert product["offset calculator"] == "none"


def test_no_two_settings_have_one_name():
    names = [
        (setting.family, setting.name) for setting in settings.settings(settings.FAMILIES, seed=0)
    ]
    assert len(set(names)) == len(names)


def test_the_module_changes_with_the_source_that_it_builds():
    digest = hashlib.sha256(extension.SOURCE.read_bytes()).hexdigest()
    assert digest == extension.SOURCE_SHA256


def test_without_a_compiler_one_line_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(NoRecorderError, match="needs a C\\+\\+ compiler") as raised:
        extension.require_recorder(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_compiler_that_fails_is_named_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", shutil.which("false"))
    with pytest.raises(NoRecorderError, match="false cannot build") as raised:
        extension.library(tmp_path)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_a_space_is_no_obstacle_and_the_second_time_nothing_is_built(
    monkeypatch, tmp_path
):
    cache = tmp_path / "a folder"
    monkeypatch.setattr(extension, "_compile", lambda _, built: built.write_bytes(b"built"))
    built = extension.library(cache)
    monkeypatch.setattr(extension, "_compile", lambda *_: pytest.fail("built again"))
    assert extension.library(cache) == built


def test_this_process_has_no_recording_device(proved):
    assert proved.groups
    assert torch._C._get_privateuse1_backend_name() != extension.DEVICE
