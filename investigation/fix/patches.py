"""What to send to a package's owner: the patch, shown to work, and the text with it."""

import os
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from investigation.evidence.kinds.wild import SurveyedPackage, Taken
from investigation.evidence.words import number_of
from investigation.fix.rewriting import Change, Report, examine


class PatchError(Exception):
    """A patch that does not do what it is for; the message describes what it did."""


def patch_of(folder: Path, report: Report) -> bytes:
    """Return one patch of every change, as `git apply` takes it at the package's top."""
    return b"".join(change.diff(_names(folder, change)) for change in report.changes)


def _names(folder: Path, change: Change) -> tuple[str, str]:
    name = change.source.path.relative_to(folder).as_posix()
    return f"a/{name}", f"b/{name}"


def verify(folder: Path, report: Report, patch: bytes) -> None:
    """Apply the patch to a copy of what is released, compile it, and look again.

    Raises `PatchError` if it does not apply, gives another text than the fix, gives a text that
    does not compile, or leaves something that can go.
    """
    with tempfile.TemporaryDirectory(prefix="patch-") as scratch:
        copy = Path(scratch, "package")
        for change in report.changes:
            path = copy / change.source.path.relative_to(folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(change.source.raw)
        apply(copy, patch)
        for change in report.changes:
            _compiles(copy / change.source.path.relative_to(folder), change)
        again = examine(copy)
        if again.changes or again.unparsed:
            raise PatchError("a second run of the fix finds more")


def apply(copy: Path, patch: bytes) -> None:
    """Apply a patch to the files in `copy`. Raises `PatchError` with git's message."""
    command = ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"]
    # A repository around the copy would have git look for the files at its own top.
    apart = {
        "GIT_CEILING_DIRECTORIES": str(copy.parent),
        "PATH": os.environ.get("PATH", os.defpath),
    }
    try:
        done = subprocess.run(
            command, cwd=copy, input=patch, capture_output=True, check=False, env=apart
        )
    except FileNotFoundError:
        raise PatchError("git is not installed here, which applies it") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise PatchError(f"does not apply: {lines[0] if lines else done.returncode}")


def _compiles(path: Path, change: Change) -> None:
    raw = path.read_bytes()
    if raw != change.after:
        raise PatchError(f"{path.name}: gives another text than the fix")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(raw, path.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise PatchError(f"{path.name}: does not compile: {error}") from None


def request(package: SurveyedPackage, measured: Sequence[str] = ()) -> str:
    """Return the text of a pull request; `measured` are sentences on this package's own code."""
    count = len(package.taken)
    files = sorted({expansion.file for expansion in package.taken})
    parts = [
        f"# Take out {number_of(count, 'expansion')} that broadcasting does by itself",
        f"Against {package.package} {package.version} (`{package.archive}`).",
        "## What",
        f"This removes {number_of(count, 'call')} of `expand_as` or `expand` in "
        f"{number_of(len(files), 'file')}. Each expanded tensor is an operand of an elementwise "
        "operation whose other operand already has that shape, so the operation broadcasts to "
        "the same result.",
        "\n".join(_place(expansion) for expansion in package.taken),
        "## Why",
        "In eager mode the expansion is one more call, about a microsecond. It allocates nothing. "
        "In an exported model it can cost more: some runtimes keep it as a step of its own, which "
        "writes the expanded tensor out in full and can split a delegated graph.",
        "## What was checked",
        "- The patch applies to the released files, they still compile, and the tool finds nothing "
        "more in them.\n"
        "- Every kind of rewrite was run before and after on tensors drawn at random: with "
        "one dtype, outputs, strides and gradients have the same bits.\n"
        + _measured(package.package, measured),
        "## What it costs",
        "One check. `expand_as` raises when the tensor does not fit; without it the result of "
        "`x * y` silently grows to the larger shape (an operation in place still raises). If a "
        "wrong shape can arrive, add `assert result.shape == x.shape`.",
    ]
    return "\n\n".join([*parts, *_left(package)]) + "\n"


def _measured(name: str, measured: Sequence[str]) -> str:
    if not measured:
        return f"- The time of {name}'s own code with and without was not measured."
    return "\n".join(f"- {sentence}" for sentence in measured)


def _place(taken: Taken) -> str:
    return f"- `{taken.file}`, line {taken.line} ({taken.operation}): {_code(taken.text)}"


def _left(package: SurveyedPackage) -> list[str]:
    if not package.left:
        return []
    return [
        "## What it leaves",
        "Left unchanged, because the text does not show whether the expansion is needed: "
        f"{number_of(len(package.left), 'place')}.",
    ]


def _code(text: str) -> str:
    """Return a line as code in Markdown, whatever backticks it holds."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"
