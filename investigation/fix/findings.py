"""What the rules in `rules/` say of some texts: ast-grep, asked once for all of them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from investigation.provenance import PACKAGE

RULES = PACKAGE.parent / "rules" / "sgconfig.yml"
REWRITE = "plain-broadcast"
# The texts lie in a folder of their own, whose neighbours' ignore files say nothing about them.
OPTIONS = [
    "--json=stream",
    *(f"--no-ignore={one}" for one in ("hidden", "dot", "exclude", "global", "parent", "vcs")),
]


class RulesError(RuntimeError):
    """ast-grep is missing or refuses the rules; the message is its own."""


@dataclass(frozen=True)
class Finding:
    """One place that a rule names, in the text of that index.

    `line` counts from 1. `cut` is the range of UTF-8 bytes that can go, where it can, and
    `uncovers` tells whether the tensor that stays is the work of another expansion, which may
    be the next to go.
    """

    index: int
    line: int
    rule: str
    message: str
    cut: tuple[int, int] | None = None
    uncovers: bool = False


def scan(texts: Sequence[str]) -> list[Finding]:
    """Return what the rules find, in the order of texts and lines. Raises `RulesError`."""
    with tempfile.TemporaryDirectory(prefix="fix-") as folder:
        for index, text in enumerate(texts):
            Path(folder, f"{index}.py").write_bytes(text.encode())
        found = [_finding(json.loads(line)) for line in _ast_grep(folder).splitlines()]
    return sorted(_known(found), key=lambda one: (one.index, one.line, one.rule))


def _ast_grep(folder: str) -> str:
    program = str(Path(sys.executable).with_name("ast-grep"))
    command = [program, "scan", "--config", str(RULES), *OPTIONS, "."]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", check=False
        )
    except FileNotFoundError:
        raise RulesError("ast-grep is not installed here; requirements.txt names it") from None
    if done.returncode != 0:
        raise RulesError(f"ast-grep: {done.stderr.strip()}")
    return done.stdout


def _finding(match: dict[str, Any]) -> Finding:
    place = Finding(
        index=int(Path(match["file"]).stem),
        line=match["range"]["start"]["line"] + 1,
        rule=match["ruleId"],
        message=match["message"],
    )
    return _with_cut(place, match) if place.rule == REWRITE else place


def _with_cut(place: Finding, match: dict[str, Any]) -> Finding:
    """Return the finding with the range from where the tensor ends to where its expansion ends.

    ast-grep's own replacement would indent the tensor's text anew where it spans lines.
    """
    tensor = match["metaVariables"]["single"]["Y"]
    cut = tensor["range"]["byteOffset"]["end"], match["range"]["byteOffset"]["end"]
    return replace(place, cut=cut, uncovers="expand" in tensor["text"])


def _known(found: list[Finding]) -> Iterator[Finding]:
    """Leave out ast-grep's own remarks, such as on a suppression that suppresses nothing."""
    own = {path.stem for path in (RULES.parent / "rules").glob("*.yml")}
    return (one for one in found if one.rule in own)
