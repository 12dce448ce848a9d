"""`make fix`: what is shown, what is written, what is left alone, and what is said."""

import errno
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from investigation.fix import findings, rewriting, sources
from investigation.fix.findings import REWRITE, Finding
from pipeline import places
from pipeline.__main__ import main
from pipeline.chapters import freshness

ROOT = Path(__file__).parent.parent
LINE = "def scale(x, y):\n    return x * y.expand_as(x)\n"
FIXED = "def scale(x, y):\n    return x * y\n"


@pytest.fixture(autouse=True)
def no_make(monkeypatch):
    """These tests may themselves run under a make that was given variables."""
    monkeypatch.delenv("MAKEFLAGS", raising=False)


@pytest.fixture
def run(capsysbinary):
    """Run the command; return its status, its diff and its remarks, a line each."""

    def command(*words):
        status = main(["fix", *map(str, words)])
        shown = capsysbinary.readouterr()
        return status, shown.out, shown.err.decode().splitlines()

    return command


def test_it_shows_the_diff_and_writes_nothing(tmp_path, run):
    path = tmp_path / "net.py"
    path.write_text(LINE)
    status, diff, remarks = run(f"SRC={tmp_path}")
    assert status == 0
    assert b"-    return x * y.expand_as(x)\n+    return x * y\n" in diff
    assert "1 expansion in 1 file shown; APPLY=1 writes" in remarks
    assert path.read_text() == LINE


def test_it_says_which_check_goes(tmp_path, run):
    (tmp_path / "net.py").write_text(LINE)
    _, _, remarks = run(f"SRC={tmp_path}")
    assert any("check the result: assert result.shape == x.shape" in remark for remark in remarks)


def test_apply_writes_what_was_shown_and_a_second_time_changes_nothing(tmp_path, run):
    path = tmp_path / "package" / "net.py"
    path.parent.mkdir()
    path.write_text(LINE)
    _, shown, _ = run(f"SRC={tmp_path}")
    status, written, remarks = run(f"SRC={tmp_path}", "APPLY=1")
    assert (status, written) == (0, shown)
    assert remarks[-1] == "1 expansion in 1 file written"
    assert path.read_text() == FIXED
    before = path.stat()
    assert run(f"SRC={tmp_path}", "APPLY=1") == (0, b"", ["nothing to rewrite"])
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert list(tmp_path.rglob("*")) == [path.parent, path]


def test_the_diff_is_a_patch(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = {
        "plain.py": LINE.encode(),
        "unended.py": LINE.rstrip("\n").encode(),
        "dos.py": LINE.replace("\n", "\r\n").encode(),
        "latin.py": b"# -*- coding: latin-1 -*-\nname = '\xe9'\n" + LINE.encode(),
        "feed.py": ("\x0c\n" + LINE + "# \u2028 \x85\n").encode(),
    }
    for name, raw in texts.items():
        Path(name).write_bytes(raw)
    _, diff, _ = run("SRC=.")
    subprocess.run(["git", "apply", "-p0", "-"], input=diff, check=True)
    for name, raw in texts.items():
        assert Path(name).read_bytes() == raw.replace(b".expand_as(x)", b"")


@pytest.mark.parametrize(
    ("head", "encoding", "ending"),
    [
        ("", "utf-8", "\n"),
        ("", "utf-8-sig", "\r\n"),
        ("# größe × y\n", "utf-8", "\r\n"),
        ("# -*- coding: latin-1 -*-\n# größe é\n", "latin-1", "\n"),
        ("#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\n# €\n", "cp1252", "\r\n"),
        ("# coding: shift_jis\n# 表\n", "shift_jis", "\n"),
        ("# 漢字 🙂\nüber = '🙂'\n", "utf-8", "\n"),
        ("\tif_tabs = 1\n".lstrip(), "utf-8", "\n"),
    ],
)
def test_encoding_line_endings_and_comments_survive_to_the_byte(
    tmp_path, run, head, encoding, ending
):
    body = head + LINE + "\n# trailing  \n\n" + "value = '''\n  x * y.expand_as(x)\n'''\n"
    before = body.replace("\n", ending).encode(encoding)
    path = tmp_path / "net.py"
    path.write_bytes(before)
    assert run(f"SRC={path}", "APPLY=1")[0] == 0
    assert path.read_bytes() == before.replace(b".expand_as(x)", b"", 1)


def test_what_does_not_parse_is_named_and_left_as_it_is(tmp_path, run):
    broken = {
        "syntax.py": b"def f(x, y:\n    return x * y.expand_as(x)\n",
        "old.py": b"print x * y.expand_as(x)\n",
        "bytes.py": b"# \xe9\n" + LINE.encode(),
        "cookie.py": b"# coding: no-such-encoding\n" + LINE.encode(),
        "null.py": LINE.encode() + b"\0",
    }
    for name, raw in broken.items():
        (tmp_path / name).write_bytes(raw)
    (tmp_path / "good.py").write_text(LINE)
    status, _, remarks = run(f"SRC={tmp_path}", "APPLY=1")
    assert status == 0
    for name, raw in broken.items():
        assert (tmp_path / name).read_bytes() == raw
        named = [
            remark for remark in remarks if remark.startswith(f"{tmp_path / name}: left as it is: ")
        ]
        assert len(named) == 1
        assert "does not parse" in named[0]
    assert (tmp_path / "good.py").read_text() == FIXED


def test_a_doubtful_file_is_not_commented_on(tmp_path, run, recwarn):
    (tmp_path / "net.py").write_text('pattern = "\\d"\n' + LINE)
    assert run(f"SRC={tmp_path}")[0] == 0
    assert not recwarn.list


def test_warnings_name_file_and_line(tmp_path, run):
    path = tmp_path / "net.py"
    path.write_text("def f(x, y, z):\n    # scale\n    return z * y.expand_as(x)\n")
    status, diff, remarks = run(f"SRC={path}")
    assert (status, diff) == (0, b"")
    assert remarks[0].startswith(f"{path}:3: warning: expanded to a tensor that is not")
    assert remarks[-1] == "nothing to rewrite; 1 warning"


def test_a_line_can_be_exempted(tmp_path, run):
    path = tmp_path / "net.py"
    path.write_text(LINE.replace("    return", f"    # ast-grep-ignore: {REWRITE}\n    return"))
    assert run(f"SRC={path}") == (0, b"", ["nothing to rewrite"])


def test_a_name_does_not_run_into_the_next_word():
    assert rewriting.rewrite("x * y.expand_as(x)if x else z").text == "x * y if x else z"
    assert rewriting.rewrite("x * f(y).expand_as(x)if x else z").text == "x * f(y)if x else z"


def test_permissions_are_kept(tmp_path, run):
    path = tmp_path / "run.py"
    path.write_text(LINE)
    path.chmod(0o754)
    run(f"SRC={path}", "APPLY=1")
    assert path.read_text() == FIXED
    assert path.stat().st_mode & 0o777 == 0o754


def test_a_read_only_file_is_named_and_left_as_it_is(tmp_path, run):
    path = tmp_path / "net.py"
    path.write_text(LINE)
    path.chmod(0o444)
    (tmp_path / "other.py").write_text(LINE)
    status, _, remarks = run(f"SRC={tmp_path}", "APPLY=1")
    assert status == 1
    assert f"{path}: left as it is: read-only" in remarks
    assert remarks[-1] == "2 expansions in 2 files written, 1 refused"
    assert path.read_text() == LINE
    assert (tmp_path / "other.py").read_text() == FIXED


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, run, monkeypatch):
    path = tmp_path / "net.py"
    path.write_text(LINE)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, _, remarks = run(f"SRC={path}", "APPLY=1")
    assert status == 1
    assert f"{path}: left as it is: cannot be written: No space left on device" in remarks
    assert path.read_text() == LINE
    assert list(tmp_path.iterdir()) == [path]


def test_links_are_changed_where_their_files_lie(tmp_path, run):
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere.py"
    tree.mkdir()
    elsewhere.write_text(LINE)
    (tree / "link.py").symlink_to(elsewhere)
    (tree / "loop").symlink_to(tree)
    (tree / "broken.py").symlink_to(tmp_path / "nowhere.py")
    assert run(f"SRC={tree}", "APPLY=1") == (0, b"", ["nothing to rewrite"])
    assert elsewhere.read_text() == LINE
    assert run(f"SRC={tree / 'link.py'}", "APPLY=1")[0] == 0
    assert elsewhere.read_text() == FIXED
    assert (tree / "link.py").is_symlink()


def test_installed_and_hidden_code_is_not_ones_own(tmp_path, run):
    for folder in ("env/lib", ".tox/lib", "lib/site-packages/torch", "own"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "net.py").write_text(LINE)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    run(f"SRC={tmp_path}", "APPLY=1")
    changed = [path for path in tmp_path.rglob("net.py") if path.read_text() == FIXED]
    assert changed == [tmp_path / "own" / "net.py"]


def test_only_python_files_are_read(tmp_path, run):
    (tmp_path / "notes.md").write_text(LINE)
    (tmp_path / "fifo.py").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "fifo.py")
    assert run(f"SRC={tmp_path}") == (0, b"", ["nothing to rewrite"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            [],
            "error: fix needs SRC=: allowed is a Python file or a folder of them, such as SRC=src",
        ),
        (["SRC="], "error: SRC=: nothing is named; allowed is a Python file or a folder of them"),
        (["SRC=no/such/place"], "error: SRC=no/such/place: no such file or folder; allowed is"),
        (["SRC=README.md"], "error: SRC=README.md: another kind of file; allowed is a Python"),
        (["SRC=pipeline", "APPLY=yes"], "error: APPLY=yes: allowed is 1, to write what is shown"),
        (["SCR=pipeline"], "error: SCR: no such parameter; there are SRC, APPLY"),
    ],
)
def test_a_mistake_gets_one_line(run, words, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    status, diff, remarks = run(*words)
    assert (status, diff, len(remarks)) == (1, b"", 1)
    assert remarks[0].startswith(message)


def test_rules_that_cannot_be_asked_are_said_in_one_line(tmp_path, run, monkeypatch):
    (tmp_path / "net.py").write_text(LINE)
    monkeypatch.setattr(findings.sys, "executable", str(tmp_path / "python"))
    expected = "error: ast-grep is not installed here; requirements.txt names it"
    assert run(f"SRC={tmp_path}") == (1, b"", [expected])


def test_a_rewrite_that_would_not_parse_is_not_made(tmp_path, run, monkeypatch):
    path = tmp_path / "net.py"
    path.write_text(LINE)
    wrong = Finding(0, 2, REWRITE, "", (0, 0), cuts=((LINE.index("x * y"), len(LINE) - 2),))
    monkeypatch.setattr(rewriting, "scan", lambda _: [wrong])
    status, diff, remarks = run(f"SRC={path}", "APPLY=1")
    assert (status, diff) == (0, b"")
    assert remarks[0].startswith(f"{path}: left as it is: without its expansions it does not parse")
    assert path.read_text() == LINE


@pytest.mark.parametrize(
    ("stopped", "message"),
    [
        (KeyboardInterrupt(), "error: stopped; each file is either as it was or wholly rewritten"),
        (OSError(errno.ENOSPC, "No space left"), "error: the disk is full; free some space"),
    ],
)
def test_what_stops_it_is_said_in_one_line(tmp_path, run, monkeypatch, stopped, message):
    def stop(_):
        raise stopped

    (tmp_path / "net.py").write_text(LINE)
    monkeypatch.setattr(rewriting, "scan", stop)
    status, diff, remarks = run(f"SRC={tmp_path}")
    assert (status, diff, len(remarks)) == (1, b"", 1)
    assert remarks[0].startswith(message)


def test_a_reader_who_leaves_gets_no_traceback_and_nothing_is_written(tmp_path):
    path = tmp_path / "net.py"
    path.write_text((LINE + "\n") * 4_000)
    command = f"{shlex.quote(sys.executable)} -m pipeline fix SRC={path} APPLY=1 | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"--- {path}\n"
    assert "Traceback" not in done.stderr
    assert path.read_text() == (LINE + "\n") * 4_000


def test_a_folder_that_cannot_be_read_is_said_and_fails(tmp_path, run, monkeypatch):
    def refuse(root, unreadable):
        unreadable(PermissionError(13, "Permission denied", str(root / "shut")))
        return iter(())

    monkeypatch.setattr(sources, "find", refuse)
    status, _, remarks = run(f"SRC={tmp_path}")
    assert status == 1
    assert remarks[0] == f"{tmp_path / 'shut'}: left as it is: Permission denied"


def test_a_chapter_that_reads_the_rewrites_is_run_again_when_a_rule_changes(workshop):
    notebook = places.NOTEBOOKS / "09_fix.ipynb"
    cell = {"cell_type": "code", "source": ["threads = 1"], "metadata": {}}
    document = {"cells": [cell], "metadata": {"investigation": {"reads": ["rewrites"]}}}
    notebook.write_text(json.dumps(document))
    rule = workshop / "rewrites" / "rules" / "one.yml"
    rule.parent.mkdir(parents=True)
    rule.write_text("id: one\n")
    before = freshness.fingerprint(notebook, {})
    assert freshness.fingerprint(notebook, {}) == before
    rule.write_text("id: other\n")
    assert freshness.fingerprint(notebook, {}) != before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x * (y.expand_as(x))", "x * y"),
        ("(y.expand_as(x)).mul(x)", "y.mul(x)"),
        ("return(y.expand_as(x))*x", "return y*x"),
        ("x * (y.expand_as(x))if x else z", "x * y if x else z"),
        ("x.mul (y.expand_as(x))", "x.mul (y)"),
        ("x * ((-y).expand_as(x))", "x * (-y)"),
        ("x * ((y.expand_as(x)))", "x * (y)"),
        ("(x * y.expand_as(x))", "(x * y)"),
        ("x * (\n    y.f()\n    .expand_as(x)\n)", "x * (\n    y.f()\n)"),
        ("x * (y\n.expand_as(x))", "x * (y)"),
        ("x * (größe.expand_as(x))  # größe", "x * größe  # größe"),
    ],
)
def test_parentheses_go_where_they_held_the_expansion_alone(before, after):
    assert rewriting.rewrite(before).text == after
