"""Each reference leads to what it cites, and gives the state of a request."""

import re

import pytest
from pybtex.database import parse_file

from pipeline import places

ENTRIES = dict(parse_file(str(places.BOOK / "references.bib")).entries)
LIKE_A_TERM = re.compile(r"^([a-zA-Z][\w ]*)\n  \w", re.MULTILINE)


@pytest.mark.parametrize("key", ENTRIES)
def test_a_reference_has_an_address(key):
    fields = ENTRIES[key].fields
    assert fields.get("doi") or fields.get("url", "").startswith("https://"), key


@pytest.mark.parametrize("key", ENTRIES)
def test_an_issue_or_a_pull_request_tells_its_state_and_is_the_one_linked(key):
    fields = ENTRIES[key].fields
    cited = re.search(r"(issue|pull request) (\d+)(.*)", fields.get("howpublished", ""))
    if cited:
        assert cited[3].removeprefix(", ") in ("open", "closed", "merged"), key
        assert fields["url"].endswith(f"/{cited[2]}"), key


@pytest.mark.parametrize("key", ENTRIES)
def test_names_in_a_title_keep_their_capitals(key):
    assert ENTRIES[key].fields["title"].startswith("{"), key


@pytest.mark.parametrize(
    "term",
    ["dispatch", "equivalence margin", "host network", "undecided", "qualified", "delegate",
     "opaque", "guard", "view"],
)  # fmt: skip
def test_the_glossary_has_the_words_that_the_pages_use(term):
    assert term in LIKE_A_TERM.findall((places.BOOK / "glossary.md").read_text(encoding="utf-8"))
