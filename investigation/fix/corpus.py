"""The corpus that the rule is held against, and the modules that the book shows it on."""

import difflib
from dataclasses import dataclass

import yaml

from investigation.fix.findings import REWRITE, RULES

FOLDER = RULES.parent


@dataclass(frozen=True)
class Corpus:
    """Pieces of code: those whose expansions go, and those whose expansions stay."""

    rewritten: tuple[str, ...]
    kept: tuple[str, ...]


def read() -> Corpus:
    """Return the corpus of the rule that rewrites."""
    text = (FOLDER / "tests" / f"{REWRITE}-test.yml").read_text(encoding="utf-8")
    cases = yaml.safe_load(text)
    return Corpus(tuple(cases["invalid"]), tuple(cases["valid"]))


def examples() -> dict[str, str]:
    """Return the text of each example by the name of its file."""
    paths = sorted((FOLDER / "examples").glob("*.py"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def changed_lines(before: str, after: str) -> str:
    """Return the unified diff of two texts, without the lines that name the files."""
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), n=1)
    return "".join(list(lines)[2:])
