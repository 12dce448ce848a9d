"""`python -m pipeline book`: what the Makefile calls."""

import os
import sys

import click

from investigation.evidence.files import EvidenceError
from investigation.evidence.sealed.manifest import RecordError
from pipeline.cli.commands import commands
from pipeline.faults import STOPPED, BuildError, refused_by_the_system

STOPPED_STATUS = 130  # a shell's, for a command that was interrupted


def main(words: list[str]) -> int:
    """Run one command; return the exit status, after one line if it is refused."""
    failed = 2 if words[:1] == ["compare"] else 1
    typed = os.environ.get("MAKEFLAGS", "")
    try:
        with commands.make_context("python -m pipeline", words, obj=typed) as context:
            return int(commands.invoke(context))
    except click.exceptions.Exit as done:  # after --help
        return done.exit_code
    except click.ClickException as error:
        return _refused(error.format_message(), failed)
    except (BuildError, EvidenceError, RecordError) as error:
        return _refused(str(error), failed)
    except OSError as error:
        return _refused(refused_by_the_system(error), failed)
    except KeyboardInterrupt:
        return _refused(STOPPED, STOPPED_STATUS)


def _refused(reason: str, status: int) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
