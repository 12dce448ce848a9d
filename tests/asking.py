"""What a command understands of its words, without its being run."""

import click

from pipeline.cli.commandline import Request
from pipeline.cli.commands import commands


def request(words: list[str], makeflags: str = "") -> Request:
    name, command, rest = commands.resolve_command(click.Context(commands), words or [""])
    parsed = command.make_context(name, rest, obj=makeflags).params["request"]
    assert isinstance(parsed, Request)
    return parsed
