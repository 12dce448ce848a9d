"""Install with uv as pip would: uv reads none of the settings that a person gave pip.

Run as a script by a Python that has pip and uv and nothing else yet.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("uv")
# Options that uv has under pip's own names; pip takes several values in one.
SAME = ("index-url", "extra-index-url", "find-links", "constraint", "trusted-host")
# What uv takes from its environment instead.
VARIABLES = {
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
RESOLVE = "--resolve"
# What pip does by default: take the best version of all indexes.
UNASKED = ("--index-strategy", "unsafe-best-match")


def settings(listed: str) -> dict[str, str]:
    """Return the settings of `pip install`, of what `pip config list` prints.

    Later sections count more, as for pip: its environment variables the most.
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in sections:
            sections[section][name] = ast.literal_eval(value)
    return {name: value for section in sections.values() for name, value in section.items()}


def options(given: Mapping[str, str]) -> Iterator[str]:
    """Iterate over the words of `uv pip install` that do what these settings do for pip."""
    yield from UNASKED
    for name in SAME:
        for value in given.get(name, "").split():
            yield from (f"--{name}", value)
    if given.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        yield "--no-index"


def environment(given: Mapping[str, str], mine: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with what these settings do for pip; what is set in it stays."""
    variables = {variable: given[name] for name, variable in VARIABLES.items() if name in given}
    return variables | dict(mine)


def main(words: list[str]) -> None:
    """Become `uv pip install` with these words; `--resolve` first makes it `uv pip compile`."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        sys.exit(f"error: pip's settings cannot be read: {' '.join(listed.stderr.split())}")
    given = settings(listed.stdout)
    does = "compile" if words[:1] == [RESOLVE] else "install"
    rest = words[1:] if does == "compile" else words
    command = [str(PROGRAM), "pip", does, "--quiet", *options(given), *rest]
    os.execve(PROGRAM, command, environment(given, os.environ))


if __name__ == "__main__":
    main(sys.argv[1:])
