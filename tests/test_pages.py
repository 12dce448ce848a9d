"""Pages from evidence: what is filled in, what is refused, what a failed build leaves."""

import pytest
from worlds import findings, plain_world

from pipeline import assembly, places, rendering
from pipeline.building import only_build
from pipeline.faults import BuildError


def names():
    known = findings(plain_world())
    return {
        "value": assembly.found(known, lambda record: record.value),
        "plain": "x",
    }


def fill(folder, text):
    (folder / "page.md").write_text(text)
    assembly.write_pages(folder, names())
    return (folder / "page.md").read_text()


def test_a_page_takes_its_numbers_from_the_evidence(tmp_path):
    assert fill(tmp_path, 'Calls: {{ value("dispatch.expand_as") }}.\n') == "Calls: 4.\n"


def test_a_number_that_nobody_recorded_fails_the_build(tmp_path):
    with pytest.raises(BuildError, match=r"a page asks for timing\.none, and no notebook recorded"):
        fill(tmp_path, '{{ value("timing.none") }}')


def test_a_name_that_does_not_exist_fails_the_build_with_its_page(tmp_path):
    with pytest.raises(BuildError, match=r"page\.md: 'nonsense' is undefined"):
        fill(tmp_path, "{{ nonsense }}")


def test_a_cell_of_a_table_stays_one_cell():
    assert assembly.as_table_cell("a | b\nc") == "a \\| b c"


def book(folder, text):
    (folder / "index.md").write_text(text)
    (folder / "_config.yml").write_text("title: A book\nexecute: {execute_notebooks: 'off'}\n")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\n")


@pytest.mark.usefixtures("workshop")
def test_a_warning_fails_the_build_and_leaves_the_last_good_book():
    places.SOURCE.mkdir()
    book(places.SOURCE, "# A title\n\nA good page.\n")
    rendering.render()
    good = (places.HTML / "index.html").read_text()
    assert "A good page." in good
    book(places.SOURCE, "# A title\n\n[a link](nowhere.md)\n")
    with pytest.raises(BuildError, match="the pages did not build") as failed:
        rendering.render()
    assert "nowhere" in str(failed.value)
    assert (places.HTML / "index.html").read_text() == good


@pytest.mark.usefixtures("workshop")
def test_a_build_without_an_index_is_refused(monkeypatch):
    class Done:
        returncode, stdout, stderr = 0, "", ""

    monkeypatch.setattr(rendering.subprocess, "run", lambda *_, **__: Done)
    with pytest.raises(BuildError, match=r"the pages built without an index\.html"):
        rendering.render()


@pytest.mark.usefixtures("workshop")
def test_a_second_build_in_the_same_folder_is_refused():
    with (
        only_build(),
        pytest.raises(BuildError, match="another build is running in this folder"),
        only_build(),
    ):
        pass
