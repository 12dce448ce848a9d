"""How pages are filled in: strictly, and so that the text of a record is never markup."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_eval_context
from jinja2.nodes import EvalContext

from investigation.evidence.harmless import on_one_line

TEMPLATES = Path(__file__).resolve().parent / "templates"


def environment(folder: Path = TEMPLATES, **filters: Callable[..., Any]) -> Environment:
    """Return what fills in the templates of a folder; HTML is escaped, Markdown made harmless."""
    jinja = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=is_html,
        finalize=as_text,
    )
    jinja.filters |= filters
    return jinja


def is_html(template: str | None) -> bool:
    """Return whether a template is of HTML, by its name; the others are of Markdown."""
    return template is not None and template.endswith(".html")


@pass_eval_context
def as_text(context: EvalContext, value: Any) -> Any:
    """Return what a Markdown page may show of a value: text that does nothing, or our markup."""
    return on_one_line(value) if type(value) is str and not context.autoescape else value
