"""What the rules in `rewrites/` find in some texts: ast-grep, run once for all of them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from investigation.evidence.provenance import PACKAGE

RULES = PACKAGE.parent / "rewrites" / "sgconfig.yml"
REWRITE = "plain-broadcast"
Range = tuple[int, int]
# The texts lie in a folder of their own; ignore files around it do not apply to them.
OPTIONS = [
    "--json=stream",
    *(f"--no-ignore={kind}" for kind in ("hidden", "dot", "exclude", "global", "parent", "vcs")),
]


class RulesError(RuntimeError):
    """ast-grep is missing or refuses the rules; the message is its own."""


@dataclass(frozen=True)
class Finding:
    """One place that a rule names, in the text of that index.

    `line` counts from 1, and `place` is where the call stands, in UTF-8 bytes. `cuts` are the
    ranges of such bytes that can go, if any, and `uncovers` is whether the tensor that
    stays comes from another expansion, which may be the next to go.
    """

    index: int
    line: int
    rule: str
    message: str
    place: Range
    cuts: tuple[Range, ...] = ()
    uncovers: bool = False


def scan(texts: Sequence[str]) -> list[Finding]:
    """Return what the rules find, in the order of texts and lines. Raises `RulesError`."""
    with tempfile.TemporaryDirectory(prefix="fix-") as folder:
        for index, text in enumerate(texts):
            Path(folder, f"{index}.py").write_bytes(text.encode())
        findings = [_finding(json.loads(line)) for line in _ast_grep(folder).splitlines()]
    return sorted(
        _of_rules(findings), key=lambda finding: (finding.index, finding.line, finding.rule)
    )


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
        place=_range(match),
    )
    return _with_cuts(place, match) if place.rule == REWRITE else place


def _with_cuts(place: Finding, match: dict[str, Any]) -> Finding:
    """Return the finding with what goes: from where the tensor ends to where its expansion does.

    Parentheses go with it if they held the expansion alone, in one line. ast-grep's own
    replacement would keep them, and indent the tensor's text anew if it spans lines.
    """
    captured = match["metaVariables"]["single"]
    tensor, parentheses = captured["Y"], captured.get("PARENTHESES", match)
    start, end = _range(match)
    opened, closed = _range(parentheses)
    cuts: tuple[Range, ...] = ((_range(tensor)[1], end),)
    if (opened, closed) == (start - 1, end + 1) and "\n" not in match["text"]:
        cuts = ((opened, start), (cuts[0][0], closed))
    return replace(place, cuts=cuts, uncovers="expand" in tensor["text"])


def _range(node: dict[str, Any]) -> Range:
    offsets = node["range"]["byteOffset"]
    return offsets["start"], offsets["end"]


def _of_rules(findings: list[Finding]) -> Iterator[Finding]:
    """Leave out ast-grep's own remarks, such as on a suppression that suppresses nothing."""
    own = {path.stem for path in (RULES.parent / "rules").glob("*.yml")}
    return (finding for finding in findings if finding.rule in own)
