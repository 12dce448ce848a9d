"""Text from a record, made harmless for a page: it reads the same and does nothing.

A record may come from anybody's machine. In Markdown its text could open an HTML tag, a role
that copies a file into the book, or an image whose request reports the reader to a stranger.
"""

import re

# Invisible, and between two characters that only together mean something.
WORD_JOINER = "\u2060"
LINE_BREAKS = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
MEANINGFUL = re.compile(r"<(?=[A-Za-z/!?])|\{(?=[\w:+-])|!(?=\[)")


def harmless(text: str) -> str:
    """Return text in which Markdown finds no tag, no role or directive, and no image."""
    return MEANINGFUL.sub(lambda match: match[0] + WORD_JOINER, text)


def on_one_line(text: str) -> str:
    """Return the same without line breaks, at which Markdown begins a new block."""
    return LINE_BREAKS.sub(" ", harmless(text))
