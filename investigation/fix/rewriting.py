"""Texts without the expansions that can go, and a code base without them."""

import difflib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from investigation.fix import sources
from investigation.fix.findings import Finding, scan
from investigation.fix.sources import LeftAsItIsError, Source

# How every expansion is written, in any encoding that Python reads.
EXPANSION = re.compile(rb"\.\s*expand(_as)?\b")


@dataclass(frozen=True)
class Change:
    """A file and what it would hold without the expansions that can go."""

    source: Source
    after: bytes
    expansions: int
    findings: tuple[Finding, ...] = ()

    def diff(self, names: tuple[str, str] | None = None) -> bytes:
        """Return the unified diff in the file's own bytes, as `patch -p0` takes it.

        `names` are what it calls the file before and after, if that is not the file's path.
        """
        path = self.source.path.as_posix()
        old, new = (name.encode() for name in names or (path, path))
        before, after = _lines(self.source.raw), _lines(self.after)
        return b"".join(difflib.diff_bytes(difflib.unified_diff, before, after, old, new))


@dataclass(frozen=True)
class Remark:
    """A line that a person has to look at, or a file that was left as it is (line 0)."""

    path: Path
    line: int
    message: str
    rule: str = ""

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}: warning" if self.line else f"{self.path}: left as it is"
        return f"{where}: {self.message}"


@dataclass(frozen=True)
class Report:
    """All that was found in a code base, in the order of its files.

    `looked_at` are the files that mention an expansion and parse.
    """

    looked_at: tuple[Source, ...]
    changes: tuple[Change, ...]
    warnings: tuple[Remark, ...]
    unparsed: tuple[Remark, ...]
    unreadable: tuple[Remark, ...]

    @property
    def expansions(self) -> int:
        """How many expansions can go."""
        return sum(change.expansions for change in self.changes)


def examine(root: Path) -> Report:
    """Read the Python files under `root` and find what can go. Nothing is written."""
    unreadable: list[Remark] = []
    unparsed: list[Remark] = []
    sources_read = list(_sources(root, unreadable, unparsed))
    texts = [source.text for source in sources_read]
    findings = scan(texts)
    warned = [Remark(sources_read[finding.index].path, finding.line, finding.message, finding.rule)
              for finding in findings if not finding.cuts]  # fmt: skip
    settled = settle(texts, findings)
    changes = list(
        _changes(sources_read, settled, [finding for finding in findings if finding.cuts], unparsed)
    )
    return Report(
        tuple(sources_read), tuple(changes), tuple(warned), tuple(unparsed), tuple(unreadable)
    )


def _sources(root: Path, unreadable: list[Remark], unparsed: list[Remark]) -> Iterator[Source]:
    """Yield the files that mention an expansion at all, and note those that cannot be read."""

    def note(error: OSError) -> None:
        unreadable.append(Remark(Path(error.filename), 0, str(error.strerror)))

    for path in sources.find(root, note):
        try:
            raw = path.read_bytes()
            if EXPANSION.search(raw):
                yield sources.read(path, raw)
        except OSError as error:
            note(error)
        except LeftAsItIsError as reason:
            unparsed.append(Remark(path, 0, str(reason)))


def _changes(
    sources_read: Sequence[Source],
    settled: Sequence["Settled"],
    findings: Iterable[Finding],
    unparsed: list[Remark],
) -> Iterator[Change]:
    """Yield the files that change, each of them shown to parse still."""
    by_text = _by_text(findings)
    for index, (source, after) in enumerate(zip(sources_read, settled, strict=True)):
        if after.expansions:
            gone = tuple(by_text[index])
            change = Change(source, source.encoded(after.text), after.expansions, gone)
            try:
                sources.check(change.after)
            except LeftAsItIsError as reason:
                unparsed.append(Remark(source.path, 0, f"without its expansions it {reason}"))
            else:
                yield change


@dataclass(frozen=True)
class Settled:
    """A text in which nothing is left that can go, and how many expansions went."""

    text: str
    expansions: int = 0


def rewrite(text: str) -> Settled:
    """Return one text without the expansions that can go."""
    return settle([text], scan([text]))[0]


def settle(texts: Sequence[str], findings: Iterable[Finding]) -> list[Settled]:
    """Take out what was found, and look again if that may have uncovered something.

    Taking out one expansion can uncover another: `y.expand_as(x).expand_as(x)`.
    """
    by_text = _by_text(findings)
    settled = [_without(text, by_text[index]) for index, text in enumerate(texts)]
    again = [
        index for index, of_text in by_text.items() if any(finding.uncovers for finding in of_text)
    ]
    if again:
        shorter = [settled[index].text for index in again]
        for index, after in zip(again, settle(shorter, scan(shorter)), strict=True):
            settled[index] = Settled(after.text, settled[index].expansions + after.expansions)
    return settled


def _by_text(findings: Iterable[Finding]) -> defaultdict[int, list[Finding]]:
    """Return the findings of each text, by its index."""
    by_text = defaultdict(list)
    for finding in findings:
        by_text[finding.index].append(finding)
    return by_text


def _without(text: str, findings: Iterable[Finding]) -> Settled:
    """Return the text without what can go. Ranges are of UTF-8 bytes and do not overlap."""
    gone = [finding.cuts for finding in findings if finding.cuts]
    raw = text.encode()
    for start, end in sorted(chain.from_iterable(gone), reverse=True):
        raw = raw[:start] + _between(raw[max(0, start - 1) : start], raw[end : end + 1]) + raw[end:]
    return Settled(raw.decode(), len(gone))


def _between(before: bytes, behind: bytes) -> bytes:
    """Return a blank if a name would run into a word: `y.expand_as(x)if` to `y if`."""
    joined = all(re.match(rb"[\w\x80-\xff]", byte) for byte in (before, behind))
    return b" " if joined else b""


def _lines(raw: bytes) -> list[bytes]:
    """Return the lines as `patch` counts them, the last one marked if it has no ending."""
    lines = io.BytesIO(raw).readlines()
    if lines and not lines[-1].endswith(b"\n"):
        lines[-1] += b"\n\\ No newline at end of file\n"
    return lines
