"""Which book the tests read: a reader's while it is current, and else their own."""

import pytest
import whole_book

from pipeline.faults import BuildError


@pytest.fixture
def undecided(monkeypatch):
    """Have this process decide anew which book it reads."""
    monkeypatch.setattr(whole_book, "_read_from", [])


@pytest.mark.usefixtures("undecided")
@pytest.mark.parametrize(("current", "read"), [(True, whole_book.READERS), (False, whole_book.OWN)])
def test_a_readers_book_is_read_while_it_is_current(monkeypatch, current, read):
    monkeypatch.setattr(whole_book, "is_current", lambda: current)
    assert whole_book.book_folder() == read


@pytest.mark.usefixtures("undecided")
@pytest.mark.parametrize("fault", [BuildError, OSError, ValueError])
def test_a_readers_book_that_cannot_be_read_is_not_current(monkeypatch, fault):
    def unreadable():
        raise fault("as planned")

    monkeypatch.setattr(whole_book, "is_current", unreadable)
    assert whole_book.book_folder() == whole_book.OWN


@pytest.mark.usefixtures("undecided")
def test_what_is_decided_once_stays_whatever_is_built_meanwhile(monkeypatch, tmp_path):
    answers = iter([False, True])
    monkeypatch.setattr(whole_book, "is_current", lambda: next(answers))
    assert whole_book.book_folder() == whole_book.book_folder() == whole_book.OWN
    whole_book.read_from(tmp_path)  # as a worker is told
    assert whole_book.book_folder() == tmp_path
