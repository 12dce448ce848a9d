import pytest
from IPython.core.interactiveshell import InteractiveShell

from investigation.compiled import omission
from investigation.compiled.omission import MissingToolError


@pytest.fixture
def shell(monkeypatch):
    interpreter = InteractiveShell()
    monkeypatch.setattr(omission, "get_ipython", lambda: interpreter)
    return interpreter


def missing():
    raise MissingToolError("there is no hammer here; buy one")


def test_a_tool_that_is_there_is_named_and_nothing_is_left_out(shell):
    assert "`a hammer`" in omission.needs(lambda: "a hammer").data
    shell.run_cell("made = 1")
    assert shell.user_ns["made"] == 1


def test_a_tool_that_is_missing_is_said_in_one_line_and_only_the_closing_runs(shell):
    note = omission.needs(missing).data
    assert "there is no hammer here; buy one" in note
    assert "untested" in note
    assert "\n" not in note
    shell.user_ns["chapter"] = type("C", (), {"close": lambda _: "closed"})()
    shell.run_cell("made = 1")
    assert "made" not in shell.user_ns
    assert shell.run_cell("chapter.close()").result == "closed"


def test_another_fault_is_not_taken_for_a_missing_tool(shell):
    def broken():
        raise RuntimeError("the hammer broke")

    with pytest.raises(RuntimeError, match="the hammer broke"):
        omission.needs(broken)
    assert shell.input_transformers_cleanup[-1] is not omission.closing_only


def test_a_part_of_a_chapter_is_left_out_alone(shell):
    note = omission.needs_for("hammered", missing).data
    assert "there is no hammer here; buy one" in note
    assert "go on" in note
    shell.run_cell("hammered = 1\nmade = 1")
    shell.run_cell("hammered_flat = 2")
    assert "made" not in shell.user_ns
    assert shell.user_ns["hammered_flat"] == 2


def test_a_part_whose_tool_is_there_runs(shell):
    assert "`a hammer`" in omission.needs_for("hammered", lambda: "a hammer").data
    shell.run_cell("hammered = 1")
    assert shell.user_ns["hammered"] == 1
