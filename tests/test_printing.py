"""`make pdf`: its error without a book to print, or without a browser to print with."""

import re

import browsing
import pytest

from pipeline import places
from pipeline.faults import BuildError
from pipeline.pages import printing

pytestmark = pytest.mark.slow


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A book, as far as printing looks for one."""
    for name in ("SOURCE", "HTML"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(places, name, tmp_path / name)
    (tmp_path / "HTML" / "index.html").touch()
    return tmp_path


def test_without_a_book_there_is_nothing_to_print(built):
    (built / "HTML" / "index.html").unlink()
    with pytest.raises(BuildError, match=r"^no book yet; run make book first$"):
        printing.print_book(built / "book.pdf")


def test_without_a_chromium_it_says_what_brings_one(built, monkeypatch):
    monkeypatch.setenv("PATH", str(built))
    with pytest.raises(BuildError, match=r"^the PDF takes a Chromium to print it; apt-get install"):
        printing.print_book(built / "book.pdf")


def test_a_page_that_does_not_build_leaves_the_last_good_file(built, monkeypatch):
    (built / "book.pdf").write_bytes(b"the last good one")
    monkeypatch.setattr(printing, "browser", lambda: "chromium")
    monkeypatch.setattr(places, "PRINTED", built / "printed")
    with pytest.raises(BuildError, match=r"^the single page did not build: "):
        printing.print_book(built / "book.pdf")
    assert (built / "book.pdf").read_bytes() == b"the last good one"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(browsing.may_be_left_out(), reason=browsing.NO_BROWSER)
def test_the_whole_book_prints_as_one_file(book, tmp_path, monkeypatch):
    for name in ("SOURCE", "HTML"):
        monkeypatch.setattr(places, name, book / name.lower())
    monkeypatch.setattr(places, "PRINTED", tmp_path / "printed")
    printed = printing.print_book(tmp_path / "book.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", printed)) > len(list((book / "html").rglob("*.html")))
