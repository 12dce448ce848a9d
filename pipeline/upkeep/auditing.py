"""Look the locked requirements up in a database of known vulnerabilities."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline import places

OPTIONS = ("--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off")


def audit() -> int:
    """Print what is known about the locked requirements; return 1 if one is vulnerable, else 0."""
    program = str(Path(sys.executable).with_name("pip-audit"))
    where = ("-r", str(places.LOCK), "--cache-dir", str(places.BUILD / "cache" / "audit"))
    done = subprocess.run([program, *OPTIONS, *where], capture_output=True, text=True, check=False)
    status, lines = judged(done.stdout, done.stderr)
    print("\n".join(lines))
    return status


def judged(output: str, complaints: str) -> tuple[int, list[str]]:
    """Return the exit status and the report of a run of pip-audit.

    A package without an answer from the database has not been audited: pip-audit itself reports
    a run without a single answer as free of vulnerabilities.
    """
    try:
        packages: list[Mapping[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, [f"audit skipped, there was no answer: {_last_line(complaints)}"]
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        return 0, [f"audit skipped: the database answered for none of {len(packages)} packages"]
    vulnerable = list(_vulnerable(audited))
    count = f"{len(audited)} of {len(packages)} packages audited"
    if vulnerable:
        return 1, [*vulnerable, f"error: {len(vulnerable)} known vulnerabilities; {count}"]
    return 0, [f"{count}, none with a known vulnerability"]


def _vulnerable(packages: list[Mapping[str, Any]]) -> Iterator[str]:
    for package in packages:
        for vulnerability in package.get("vulns", ()):
            fixed = ", ".join(vulnerability.get("fix_versions", ())) or "no version yet"
            yield f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {fixed}"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "pip-audit said nothing"
