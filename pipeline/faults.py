"""What stops a build, in one line."""


class BuildError(Exception):
    """A build that cannot go on; the message names what was wrong and what is allowed."""
