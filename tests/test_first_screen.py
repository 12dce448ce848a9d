"""What is seen of the first page before it is scrolled, whatever was measured."""

import random

import browsing
import pytest

from investigation.evidence.files import read
from investigation.evidence.kinds.in_place import LineInPlace
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.questions import Findings
from pipeline.pages import answers, decisions, disposition, summary

pytestmark = pytest.mark.slow

if browsing.may_be_left_out():
    pytest.skip(browsing.NO_BROWSER, allow_module_level=True)

RATIOS = {"slower": 1.3, "faster": 0.77, "equivalent": 1.001, "inconclusive": 1.008}
# How often each outcome comes, in the same order.
WORLDS = {
    "each outcome as often": (1, 1, 1, 1),
    "mostly slower": (5, 0.2, 2, 3),
    "mostly faster": (0.2, 5, 2, 3),
    "mostly equal": (0.2, 0.2, 5, 1),
    "mostly undecided": (1, 0.2, 0.2, 6),
}
LOWEST = """() => Math.max(...[...document.querySelectorAll(".beside *")].map(
    one => one.getBoundingClientRect().bottom))"""
# The page as it would be written for another world, in the places that change with the evidence.
REWRITE = """world => {
    const answer = document.querySelector(".bd-article section > p");
    const headline = document.createElement("strong");
    headline.textContent = world.headline;
    answer.replaceChildren(headline, ` ${world.grounds}`);
    document.querySelector(".beside ul").replaceChildren(...world.sentences.map(sentence => {
        const point = document.createElement("li");
        point.innerHTML = "<p></p>";
        point.firstChild.textContent = sentence;
        return point;
    }));
    [...document.querySelectorAll(".beside tbody tr")].forEach((row, at) =>
        [...row.cells].forEach((cell, column) => {
            (cell.querySelector("p") ?? cell).textContent = world.rows[at][column];
        }));
}"""


@pytest.fixture
def opened(browser, book):
    page = browser.new_page(viewport=browsing.DESKTOP)
    page.goto((book / "html" / "index.html").as_uri())
    yield page
    page.close()


@pytest.fixture(scope="module")
def browser():
    """A browser without a window."""
    with browsing.chromium() as running:
        yield running


@pytest.mark.timeout(900)  # if it is the first to need the book
def test_the_answer_the_change_the_picture_and_the_decisions_are_seen_on_one_screen(opened):
    assert 0 < opened.evaluate(LOWEST) <= browsing.DESKTOP["height"]


def came_out(record, outcome):
    """A timing of this machine as it would be with that outcome; any other record as it is."""
    if record.machine or not isinstance(record, Timing | LineInPlace):
        return record
    if isinstance(record, LineInPlace) or record.role != "measurement":
        return record.model_copy(update={"verdict": outcome})
    ratio = RATIOS[outcome]
    interval = (ratio - 0.02, ratio + 0.02)
    alone = record.alone and record.alone.model_copy(
        update={"ratio": ratio, "ratio_interval": interval, "verdict_in_family": outcome}
    )
    changed = {"ratio": ratio, "interval": interval, "verdict": outcome, "alone": alone}
    return record.model_copy(update=changed)


def planted(evidences, frequencies, seed):
    """The texts of the first page in a world whose outcomes are drawn."""
    draw = random.Random(seed)
    findings = Findings(
        tuple(
            evidence.model_copy(
                update={
                    "records": tuple(
                        came_out(record, draw.choices(list(RATIOS), frequencies)[0])
                        for record in evidence.records
                    )
                }
            )
            for evidence in evidences
        )
    )
    made = decisions.decisions(findings, answers.answers(findings))
    priority = disposition.priority(findings, made)
    return {
        "headline": f"The ticket’s priority: {priority.headline}.",
        "grounds": f"{priority.grounds} {disposition.elsewhere(made)}",
        "sentences": summary.sentences(findings, made),
        "rows": [[row.where, row.change, row.why] for row in summary.rows(made)],
    }


@pytest.fixture(scope="module")
def evidences(book):
    return [read(path) for path in sorted((book / "results").glob("*.json"))]


@pytest.mark.parametrize("world", WORLDS)
def test_they_are_seen_on_one_screen_however_it_comes_out(opened, evidences, world):
    for seed in range(5):
        texts = planted(evidences, WORLDS[world], seed)
        opened.evaluate(REWRITE, texts)
        assert opened.evaluate(LOWEST) <= browsing.DESKTOP["height"], texts
        assert texts["rows"][0][2] in opened.locator(".beside table").text_content()
