"""The whole book, built for real, and then read."""

import json
from functools import cache
from urllib.parse import urlsplit

import figures_and_evidence
import published
import pytest
import whole_book
from bs4 import BeautifulSoup
from whole_book import CHAPTERS

from investigation.claims.ledger import CLAIMS
from investigation.evidence import files
from investigation.evidence.kinds.in_place import LineInPlace, Measured
from investigation.evidence.kinds.timings import Timing
from pipeline.pages import picture

pytestmark = pytest.mark.slow

PAGES = ["index", "recommendation", "claims", "rerun", "status", "glossary", "references"]


def page(book, name):
    folder = "notebooks/" if name in CHAPTERS else ""
    return parsed(book / "html" / f"{folder}{name}.html")


@cache  # a page is read by many tests, and parsing it takes a second
def parsed(path):
    return BeautifulSoup(path.read_text("utf-8"), "lxml")


@cache
def anchors(path):
    return {element["id"] for element in parsed(path).select("[id]")}


@pytest.mark.timeout(900)
def test_every_page_is_there(book):
    for name in [*PAGES, *CHAPTERS]:
        assert page(book, name).find("h1"), name


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_shows_captioned_figures_with_a_text_for_those_who_cannot_see_them(
    book, chapter, no_compiler
):
    if chapter == "06_compiled" and no_compiler:
        assert no_compiler in page(book, chapter).find("article").get_text(" ")
        pytest.skip(no_compiler)
    figures = page(book, chapter).select("figure.chart")
    assert figures
    for figure in figures:
        assert figure.figcaption.text.strip()
        assert published.finding(figure).strip(), "in the alternative text and in the caption"
        assert figure.svg["role"] == "img"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_two_figures_of_a_page_draw_the_same_or_share_an_id(book, chapter):
    soup = page(book, chapter)
    files_of_numbers = [link["download"] for link in soup.select("a.figure-data")]
    ids = [part["id"] for part in soup.select("figure.chart svg [id]")]
    for names in (files_of_numbers, ids):
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_ends_with_findings_environment_command_and_data(book, chapter):
    soup = page(book, chapter)
    headings = [heading.text.rstrip("#") for heading in soup.select("article h2")]
    assert headings[-3:] == [
        "What was found",
        "Where this ran, and how to run it again",
        "Data of this page",
    ]
    text = soup.get_text(" ")
    assert f"make rerun NOTEBOOK={chapter} " in text
    assert "capability" in text
    downloads = {link["href"].rsplit("/")[-1] for link in soup.select("a.download")}
    assert {f"{chapter}.json", f"{chapter}.csv", f"{chapter}.ipynb"} <= downloads


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_says_how_to_rerun_it_with_the_parameters_it_had(book, chapter):
    evidence = json.loads((book / "results" / f"{chapter}.json").read_text())
    text = page(book, chapter).get_text()  # without spaces where a long list may be broken
    for name, value in evidence["parameters"].items():
        typed = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        assert f"{name.removesuffix('_s').upper()}={typed}" in text


def test_svg_ids_are_unique_on_a_page(book):
    for chapter in CHAPTERS:
        ids = [element["id"] for element in page(book, chapter).select("figure.chart [id]")]
        assert len(ids) == len(set(ids)), chapter


def test_the_ledger_shows_every_claim_with_its_rule_and_verdict(book):
    ledger = page(book, "claims")
    claims = json.loads((book / "claims.json").read_text())
    assert [claim["id"] for claim in claims] == [claim.id for claim in CLAIMS]
    for claim in claims:
        section = ledger.find(id=f"claim-{claim['id'].lower()}").find_parent("section") or ledger
        assert claim["verdict"].replace("_", " ") in section.get_text(" ")
        assert claim["quote"][:20] in section.find("h2").get_text().replace("`", "")
    text = " ".join(ledger.get_text(" ").split())
    assert text.count("Rule.") == len(CLAIMS)
    assert "fixed before this run" in text
    assert len(ledger.select("details.claim")) == len(CLAIMS)


def test_every_decided_claim_links_to_its_deciding_cell(book):
    ledger = page(book, "claims")
    links = {link.get("href", "") for link in ledger.select("article a")}
    for entry in json.loads((book / "claims.json").read_text()):
        if entry["verdict"] == "untested":
            continue
        target = f"notebooks/{entry['chapters'][0]}.html#{entry['cell']}"
        assert target in links, entry["id"]
        assert page(book, entry["chapters"][0]).find(id=entry["cell"]), entry["id"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_code_behind_a_result_stands_below_it(book, chapter):
    folds = page(book, chapter).select("div.cell > details.hide")
    assert folds
    assert [fold for fold in folds if fold.find_next_sibling("div", class_="cell_output")] == []
    *above, last = page(book, chapter).select("div.cell.tag_opening")
    assert [cell for cell in above if cell.select("details.hide")] == [], "words, then a picture"
    assert last.select("details.hide")


def test_the_first_screen_answers_in_bold_and_shows_the_change(book):
    article = page(book, "index").find("article")
    assert article.find("strong").text.startswith("The ticket’s priority: ")
    assert "return x * y.expand_as(x)" in article.find("pre").text
    assert len(article.select("table.decision")[0].select("tbody tr")) <= 6
    (picture,) = article.select("figure.chart")
    assert len(picture.select("svg")) == 2  # for a wide page, and for a phone


def compares_the_two_forms(timing):
    """Whether a timing is of the line against its rewrite in one setting.

    It is not if it measures a control, what a cold call costs, the compiler's own time, a shape
    check, a mended graph against the changed source, or an export of another kind.
    """
    if isinstance(timing, LineInPlace):
        return timing.role == "measurement" and timing.candidate == "expand_as"
    forms = (timing.baseline, timing.candidate) == ("broadcast", "expand_as")
    # On a GPU the multiply and the block are shown in parts too, and a step as a whole.
    parts = ("host", "device") if timing.machine and timing.level in ("multiply", "block") else ()
    usual = timing.role == "measurement" and timing.quantity in ("end_to_end", *parts)
    other = timing.level in ("compilation", "check") or timing.family in ("remedy", "varied")
    # On a CPU a network's step is decided by the line in place; whole steps are its check.
    other |= timing.level in ("network", "training_step") and timing.device == "cpu"
    other |= timing.level == "released_network"
    return forms and usual and not other


def test_the_picker_holds_every_comparison_of_the_two_forms_and_no_other(book):
    shown = {row["data-evidence"] for row in page(book, "index").select(".picker tbody tr")}
    timings = [
        record
        for path in (book / "results").glob("*.json")
        for record in files.read(path).records
        if isinstance(record, Measured)
    ]
    assert shown == {timing.name for timing in timings if compares_the_two_forms(timing)}


def test_every_drawn_number_is_the_one_that_its_label_names_in_the_evidence(book):
    for figure in published.drawn(book):
        figures_and_evidence.compare(figure, book)


def test_every_figure_is_compared_or_named_with_the_reason_and_every_name_is_a_figures(book):
    figures = list(published.drawn(book))
    assert figures_and_evidence.without_reader(figures) == []
    assert figures_and_evidence.names_without_figure(figures) == []


def test_every_mark_of_the_first_picture_is_a_timing_of_the_setting_that_it_stands_in(book):
    timings = {
        timing.ratio: timing
        for path in (book / "results").glob("*.json")
        for timing in files.read(path).records
        if isinstance(timing, Measured)
        and compares_the_two_forms(timing)
        and timing.series != "threads"  # more threads do not decide
        and not (isinstance(timing, Timing) and timing.replicated)  # nor do a few processes
    }
    names = {
        timing.name: timing.machine
        for timing in timings.values()
        if isinstance(timing, LineInPlace) or timing.quantity == "end_to_end"
    }
    index = page(book, "index")
    shown = {
        row["data-evidence"]: picture.ON_A_GPU
        if names[row["data-evidence"]]
        else row["data-setting"]
        for row in index.select(".picker tbody tr")
        if row["data-evidence"] in names
    }
    for rows in published.figures(index):
        assert len(rows) == len(shown)
        for row in rows:
            timing = timings[float(row["x"])]
            assert [float(row[end]) for end in published.ENDS] == pytest.approx(timing.interval)
            assert shown[timing.name] == row["y"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_and_the_ledger_show_one_verdict(book, chapter):
    shown = page(book, chapter).find("article").get_text(" ")
    for claim in json.loads((book / "claims.json").read_text()):
        if chapter in claim["chapters"]:
            plain = " ".join(shown.replace("’", "'").split())
            verdict, because = claim["verdict"].replace("_", " "), claim["because"]
            assert f"{verdict} : {because.replace('`', '')[:20]}" in plain
            assert f"Rule. {claim['rule'].replace('`', '')[:20]}" in plain


def test_no_page_shows_a_template_or_an_error(book):
    for name in [*PAGES, *CHAPTERS]:
        text = page(book, name).find("article").get_text(" ")
        assert "{{" not in text, name
        assert "{%" not in text, name
        assert "Traceback" not in text, name


def test_every_link_inside_the_book_leads_somewhere(book):
    html = book / "html"
    for name in [*PAGES, *CHAPTERS]:
        soup = page(book, name)
        here = html / ("notebooks" if name in CHAPTERS else "")
        for link in soup.select("article a[href]"):
            path, _, anchor = link["href"].partition("#")
            if urlsplit(link["href"]).scheme:
                continue
            target = (here / path).resolve() if path else (here / f"{name}.html")
            assert target.exists(), f"{name}: {link['href']}"
            if anchor and target.suffix == ".html":
                assert anchor in anchors(target), f"{name}: {link['href']}"


def test_clock_free_claims_come_out_as_they_do_on_any_machine(book, no_compiler):
    verdicts = {
        entry["id"]: entry["verdict"] for entry in json.loads((book / "claims.json").read_text())
    }
    expected = {"T2": "supported", "T3": "supported", "T4": "qualified", "T5": "qualified",
                "C2": "supported", "D4": "done", "P4": "supported", "V2": "qualified",
                "C3": "supported", "P3": "qualified"}  # fmt: skip
    if book == whole_book.OWN:  # the tests' own book compiles no block
        expected["D3"] = "untested"
    else:
        expected["D3"] = "supported"
    if no_compiler:
        expected |= dict.fromkeys(("C3", "D3", "P3"), "untested")
        expected["T5"] = "supported"  # so it is in every form that is left
    assert {claim: verdicts[claim] for claim in expected} == expected


def test_building_again_executes_nothing(book, capsys):
    before = times_of(book)
    whole_book.build_what_is_outdated()
    assert "0 executed, pages up to date" in capsys.readouterr().out
    assert times_of(book) == before


def times_of(book):
    """When each executed notebook, its evidence and the first page were written."""
    made = [*(book / "notebooks").iterdir(), *(book / "results").iterdir()]
    return {path: path.stat().st_mtime_ns for path in [*made, book / "html" / "index.html"]}
