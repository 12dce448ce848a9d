"""The settings in which the line is compiled: each of its own, and said in few words."""

from investigation.compiled.compile_settings import CompileSetting, every, where
from investigation.subject.cases import Case

CASE = Case(slug="small", name="small", shape=(2, 8, 4, 4))
NARROW = CASE.with_gate("bfloat16")


def test_settings_of_one_case_are_kept_apart_and_so_are_pairs():
    tried = list(every(CASE, ["float32", "float32:bfloat16"]))
    records = [setting.equality("compiled", "the same bits", same=True) for setting in tried]
    assert len({record.identity for record in records}) == len(tried)
    assert {(record.tried, record.differing) for record in records} == {(1, 0)}
    assert not tried[0].equality("compiled", "the same bits", same=False).same


def test_a_setting_has_a_name_and_a_slug_that_say_all_of_it():
    setting = CompileSetting("block", "training", True, NARROW.with_format("channels_last"))
    kind = "block, training, float32 under autocast to bfloat16"
    assert setting.name == f"{kind}, dynamic, channels_last"
    assert setting.slug == "block.training.float32_bfloat16.dynamic.channels_last"
    assert CompileSetting("multiply", "training", True, NARROW).dtypes == "float32 × bfloat16"


def test_settings_cross_everything_but_what_autocast_cannot_make():
    tried = list(every(CASE, ["float32", "float32:bfloat16", "bfloat16:float32"]))
    assert len(tried) == 2 * 2 * 2 * (3 + 2)
    assert len({setting.slug for setting in tried}) == len(tried)
    widened = [setting for setting in tried if setting.case.gate_dtype == "float32"]
    assert {setting.level for setting in widened} == {"multiply"}
    assert len(list(every(CASE, ["float32"], ["multiply"]))) == 8


def test_where_things_differ_is_said_together_and_only_as_far_as_it_reaches():
    tried = list(every(CASE, ["float32", "bfloat16"], ["multiply"]))
    training = [setting for setting in tried if setting.mode == "training"]
    assert where(training, tried) == ["multiply, training: float32, bfloat16"]
    dynamic = [setting for setting in training if setting.dynamic and setting.dtypes == "float32"]
    assert where(dynamic, tried) == [
        "multiply, training, only dynamic contiguous and dynamic channels_last: float32"
    ]
    assert where([], tried) == []
