"""Notebooks and records from elsewhere are data: nothing in them runs, and nothing is markup."""

import ast
import re

import pytest
from bs4 import BeautifulSoup
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from worlds import control

from investigation.display.tables import say, table
from investigation.evidence.harmless import WORD_JOINER, harmless
from pipeline import places
from pipeline.pages import assembly

HOSTILE = {
    "a tag": "<script>alert(1)</script>",
    "a tag with an attribute": "<img src=x onerror=alert(1)>",
    "a comment": "<!-- <b> -->",
    "an image": "![pixel](https://example.org/who-reads-this.png)",
    "a role": "{download}`../../../etc/passwd`",
    "a role of two words": "{raw:html}`<b>`",
    "a directive": "\n```{include} /etc/passwd\n```\n",
    "a fenced directive": "\n:::{raw} html\n<b>\n:::\n",
    "a block of HTML": "\n\n<div onclick=alert(1)>\n\n",
    "a heading": "\n# Another page\n",
    "a tag after an escaped tick": "\\`<b>`",
}
FORBIDDEN = {"html_inline", "html_block", "myst_role", "image", "heading_open"}


def tokens(markdown):
    """Return the kinds of everything that MyST, as the book sets it up, finds in a text."""
    config = MdParserConfig(enable_extensions={"colon_fence", "deflist", "attrs_inline"})
    parsed = create_md_parser(config, RendererHTML).parse(markdown)
    inner = (child for token in parsed for child in token.children or ())
    kinds = {token.type for token in (*parsed, *inner)}
    directives = {token.info.strip() for token in parsed if token.type in ("fence", "colon_fence")}
    return kinds | {f"directive {info}" for info in directives if info.startswith("{")}


def hostile(text):
    """A record that shows this text."""
    return control().model_copy(update={"seen": text})


def in_a_page(folder, text):
    """Fill a page with a record's text, as the book's pages are filled."""
    (folder / "page.md").write_text("# A page\n\nSeen: {{ record.value }}.\n")
    assembly.write_pages(folder, {"record": hostile(text)})
    return (folder / "page.md").read_text().removeprefix("# A page\n")


@pytest.mark.parametrize("story", HOSTILE)
def test_what_would_be_markup_is_markup_where_nothing_is_done(story):
    kinds = tokens(HOSTILE[story])
    assert kinds & FORBIDDEN or any(kind.startswith("directive") for kind in kinds)


@pytest.mark.parametrize("story", HOSTILE)
def test_nothing_that_a_record_says_is_markup_on_a_page(tmp_path, story):
    shown = [in_a_page(tmp_path, HOSTILE[story]), hostile(HOSTILE[story])._repr_markdown_()]
    for text in shown:
        kinds = tokens(text)
        assert not kinds & FORBIDDEN, text
        assert not any(kind.startswith("directive") for kind in kinds), text


@pytest.mark.parametrize("story", HOSTILE)
def test_nothing_that_a_record_says_is_markup_in_a_part_that_is_html(tmp_path, story):
    (tmp_path / "part.html").write_text("<p>{{ record.value }}</p>\n")
    (tmp_path / "page.md").write_text('{% include "part.html" %}\n')
    assembly.write_pages(tmp_path, {"record": hostile(HOSTILE[story])})
    soup = BeautifulSoup((tmp_path / "page.md").read_text(), "html.parser")
    assert [element.name for element in soup.find_all(True)] == ["p"]
    assert soup.p.get_text() == HOSTILE[story]


@pytest.mark.parametrize("story", [key for key, text in HOSTILE.items() if "\n" not in text])
def test_nothing_that_a_chapter_says_of_a_record_is_markup(story):
    assert not tokens(say(f"Made on {HOSTILE[story]}.").data) & FORBIDDEN


def test_what_is_made_harmless_still_reads_the_same():
    for text in HOSTILE.values():
        assert harmless(text).replace(WORD_JOINER, "") == text
    plain = "x < y, `a <= b`, *so*, 95 % (+1.00 to +2.00), [a link](claims)!"
    assert harmless(plain) == plain


@pytest.mark.parametrize("story", HOSTILE)
def test_a_table_shows_a_record_as_text(story):
    soup = BeautifulSoup(table([{"seen": HOSTILE[story]}]).data, "lxml")
    assert soup.find_all(["script", "img", "b"]) == []
    assert soup.td.get_text().replace("\\n", "\n") == HOSTILE[story]


SOURCES = [path for folder in ("investigation", "pipeline", "benchmarks")
           for path in sorted((places.HERE / folder).rglob("*.py"))]  # fmt: skip
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "os.system", "os.popen", "yaml.load", "torch.load"}


# Executes programs that it has itself put together, to compare what they compute.
OWN_PROGRAMS = {"equivalence.py": {"exec"}}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_source_unpickles_evaluates_or_builds_a_shell_command(path):
    dangerous = set(dangers(ast.parse(path.read_text())))
    assert dangerous <= OWN_PROGRAMS.get(path.name, set())


def dangers(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = {getattr(node, "module", None) or "", *(name.name for name in node.names)}
            yield from named & FORBIDDEN_MODULES
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) in FORBIDDEN_CALLS:
                yield ast.unparse(node.func)
            yield from (keyword.arg for keyword in node.keywords if keyword.arg == "shell")


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from pickle import loads", "eval('1')", "os.system('ls')",
     "subprocess.run('ls', shell=True)", "yaml.load(text)", "torch.load(path)"],
)  # fmt: skip
def test_a_danger_is_seen_where_there_is_one(source):
    assert list(dangers(ast.parse(source)))


# What it sets itself, and make's own.
OF_THE_MAKEFILE = {
    *("VENV", "BIN", "PYTHON", "CURDIR", "LINTS", "WITH_STDIN"),
    *("MAKE", "if", "filter", "shell"),
}


def test_the_makefile_hands_no_variable_of_a_person_to_a_shell():
    lines = (places.HERE / "Makefile").read_text().splitlines()
    recipes = "".join(line for line in lines if line.startswith("\t"))
    used = set(re.findall(r"(?<!\$)\$[({](\w+)", recipes))
    assert used <= OF_THE_MAKEFILE
