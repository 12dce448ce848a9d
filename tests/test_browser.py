"""The finished book in a real browser: what a reader sees, waits for and can reach."""

import itertools
import re
from pathlib import Path

import browsing
import numpy as np
import pytest
import torch

from investigation.evidence.files import read
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.questions import Findings, ask
from investigation.evidence.words import percent
from investigation.observe.explorer import shapes
from investigation.observe.memory import multiplied_gate
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import SCALES
from pipeline import places
from pipeline.pages.versions import short

pytestmark = pytest.mark.slow

KIB = 2**10
if browsing.may_be_left_out():
    pytest.skip(browsing.NO_BROWSER, allow_module_level=True)


@pytest.fixture(scope="module")
def browser():
    """A browser without a window."""
    with browsing.chromium() as running:
        yield running


@pytest.fixture(scope="module")
def html(book):
    """The folder that is published."""
    return book / "html"


@pytest.fixture(scope="module")
def origin(html):
    """Where the book is served, on this machine alone."""
    with browsing.served(html) as address:
        yield address


def pages(html: Path) -> list[str]:
    paths = (path.relative_to(html).as_posix() for path in html.rglob("*.html"))
    return sorted(name for name in paths if not name.startswith("_static"))


@pytest.fixture(scope="module")
def visits(browser, html, origin):
    """One look at every page: wide and narrow, light and dark."""
    sound: set[str] = set()
    return {name: browsing.visit(browser, f"{origin}/{name}", sound) for name in pages(html)}


def those(visits, noted):
    """The pages on which something was noted, with what it was."""
    return {name: noted(page_visit) for name, page_visit in visits.items() if noted(page_visit)}


@pytest.mark.timeout(900)
def test_every_page_loads_without_a_complaint(visits):
    assert those(visits, lambda page_visit: page_visit.complaints) == {}


def test_no_page_asks_another_origin_for_anything(visits):
    assert those(visits, lambda page_visit: page_visit.foreign) == {}


def test_no_page_scrolls_sideways_on_a_desktop_or_on_a_phone(visits):
    assert those(visits, lambda page_visit: page_visit.sideways) == {}


def test_no_code_table_or_label_is_cut_or_overlaps_another(visits):
    assert those(visits, lambda page_visit: page_visit.illegible) == {}


ILLEGIBLE = """<div class="highlight" style="width: 200px">
<pre style="overflow: auto">{code}</pre></div>
<figure class="chart"><svg viewBox="0 0 100 50" width="100"><text x="1" y="20">first</text>
<text x="{x}" y="20">second</text></svg><figcaption>{caption}</figcaption></figure>"""


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({}, []),
        ({"code": "a = " + "1" * 99}, ["cut code: a = " + "1" * 56]),
        ({"x": 10}, ["labels overlap: first | second"]),
        ({"x": 90}, ["label outside its figure: second"]),
        ({"caption": ""}, ["a figure without a caption"]),
    ],
)
def test_what_cannot_be_read_is_noticed(browser, changed, faults):
    page = browser.new_page(viewport=browsing.DESKTOP)
    filled = {"code": "a = 1", "x": 50, "caption": "Two words."} | changed
    page.set_content(ILLEGIBLE.format(**filled))
    assert page.evaluate(browsing.LEGIBILITY, True) == faults
    page.close()


def test_axe_finds_nothing_on_any_page_in_either_theme(visits):
    assert those(visits, lambda page_visit: page_visit.violations) == {}


# Text on a shaded box, as code and tables are: of several looks, a link, and one letter.
SHADED = """<!doctype html><html lang="en"><title>shaded</title>
<style>main {{ background: linear-gradient(to right, #eee, #fff) white; color: #333 }}
p {{ margin: 9px }} a {{ {link} }}
@media (prefers-color-scheme: dark) {{ main {{ background-color: #111; color: {dark} }} }}</style>
<main><h1>A page</h1><p>One.</p><p style="color: {third}">Two.</p>
<p>A word before <a href="#">{word}</a> and one after.</p><p style="color: {letter}">x</p>
<img src="data:," {image}></main></html>"""
PAGE = {"link": "color: inherit", "dark": "#eee", "third": "inherit", "letter": "inherit",
        "word": "the link", "image": "alt='nothing'"}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({}, []),
        ({"third": "#808080"}, ["light: does not stand out: p:nth-child(3)"]),
        ({"third": "#666"}, ["dark: does not stand out: p:nth-child(3)"]),
        (
            {"link": "color: #555; text-decoration: none"},
            ["light: does not stand out: a", "dark: does not stand out: a"],
        ),
        (
            {"letter": "#777"},
            [f"{theme}: cannot be judged: p:nth-child(5)" for theme in browsing.THEMES],
        ),
        # One rule can judge it, and the other cannot.
        (
            {"word": "x", "link": "color: #777"},
            [f"{theme}: cannot be judged: a" for theme in browsing.THEMES],
        ),
        ({"image": ""}, ["image-alt: img"]),
    ],
)
def test_what_axe_objects_to_is_noticed_on_a_shaded_box_too(browser, changed, faults):
    page = browser.new_page(viewport=browsing.DESKTOP)
    page.set_content(SHADED.format(**(PAGE | changed)))
    found = browsing.violations(page, set())
    page.close()
    assert [one.partition(" <")[0].partition(" Element")[0] for one in found] == faults


# As the book's theme is: a script puts it on, a moment after the system has turned to it.
TURNED_BY_SCRIPT = """<!doctype html><html lang="en" data-theme="light"><title>turned</title>
<style>p { color: #333; background: #fff } [data-theme=dark] p { background: #222 }</style>
<main><h1>A page</h1><p>One.</p></main><script>
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", now => setTimeout(
  () => { document.documentElement.dataset.theme = now.matches ? "dark" : "light"; }, 100))
</script></html>"""


def test_a_theme_is_judged_when_it_is_there(browser):
    page = browser.new_page(viewport=browsing.DESKTOP, color_scheme="light")
    page.set_content(TURNED_BY_SCRIPT)
    found = browsing.violations(page, set())
    page.close()
    assert [one.partition(" <")[0] for one in found] == ["dark: does not stand out: p"]


def test_what_stands_out_is_judged_once_and_what_does_not_on_every_page(browser):
    sound = set()
    page = browser.new_page(viewport=browsing.DESKTOP)
    for _ in range(2):
        page.set_content(SHADED.format(**(PAGE | {"third": "#808080"})))
        assert len(browsing.violations(page, sound)) == 1
    page.close()
    (found_well,) = (look for look in sound if look.startswith("rgb(128, 128, 128)"))
    assert found_well.endswith("rgb(17, 17, 17)")  # as it is at night


def test_a_look_that_is_known_to_be_sound_is_not_judged(browser):
    page = browser.new_page(viewport=browsing.DESKTOP)
    page.set_content(SHADED.format(**(PAGE | {"third": "#808080"})))
    known = {"rgb(128, 128, 128) 16px 400 none  rgb(255, 255, 255)"}
    assert browsing.violations(page, known) == []
    page.close()


def test_a_link_that_is_told_by_its_weight_is_asked_about_again_where_all_text_has_it(browser):
    bold = {"link": "color: #555; text-decoration: none; font-weight: bold"}
    filled, sound = SHADED.format(**(PAGE | bold)), set()
    page = browser.new_page(viewport=browsing.DESKTOP)
    page.set_content(filled)
    at_night = [one.partition(" <")[0] for one in browsing.violations(page, sound)]
    page.set_content(filled.replace("<p>A word", "<p style='font-weight: bold'>A word"))
    all_bold = [one.partition(" <")[0] for one in browsing.violations(page, sound)]
    page.close()
    assert at_night == ["dark: does not stand out: a"]
    assert all_bold == ["light: does not stand out: a", *at_night]


def test_every_link_and_anchor_of_every_page_leads_somewhere(visits, html, origin):
    for name, page_visit in visits.items():
        for link in page_visit.links:
            address, anchor = browsing.target(link)
            if not address.startswith(origin):
                continue
            path = address.removeprefix(f"{origin}/").partition("?")[0] or "index.html"
            assert (html / path).is_file(), f"{name}: {link}"
            if anchor and path in visits:
                assert anchor in visits[path].ids, f"{name}: {link}"


def test_the_pages_weigh_little_when_they_are_sent_compressed(visits, html):
    weights = {
        name: browsing.bytes_sent(page_visit.requests, html) / KIB
        for name, page_visit in visits.items()
    }
    assert weights["index.html"] < 600
    assert {name: weight for name, weight in weights.items() if weight >= 1.5 * KIB} == {}


# How soon a page is painted is timed in benchmarks/pages.py. These are the causes, which are the
# same on any machine: Lighthouse's slow connection carries 1.6 Mbit/s, and 0.1 is its good shift.
SENT_IN_TIME = 1.5 * 1.6e6 / 8


def test_no_page_waits_for_much_or_moves_after_it_was_painted(visits, html):
    for name, page_visit in visits.items():
        assert len(page_visit.awaited) > 1, name
        assert browsing.bytes_sent(page_visit.awaited, html) < SENT_IN_TIME, name
        assert page_visit.shifted < 0.1, name


def test_every_page_opens_from_a_folder_with_the_network_off(browser, html):
    context = browser.new_context(offline=True)
    for name in pages(html):
        address = (html / name).as_uri()
        page_visit = browsing.Visit(address)
        page = context.new_page()
        page_visit.watch(page)
        page.goto(address)
        assert page.locator("h1:visible").count() == 1, name
        assert (page_visit.complaints, page_visit.foreign) == ([], []), name
        page.close()
    context.close()


@pytest.fixture
def explorer(browser, html):
    """The strides page, opened from a folder."""
    page = browser.new_page(viewport=browsing.DESKTOP)
    page.goto((html / "notebooks" / "02_strides.html").as_uri())
    yield page.locator(".stride-explorer")
    page.close()


CASES = list(itertools.product(shapes(), MEMORY_FORMATS, SCALES))
# Choose every case in turn, and read each number of both grids with its index.
READ_ALL = """(root, cases) => cases.map(([shape, format, variant]) => {
  const form = root.querySelector("form");
  ["B", "C", "H", "W"].forEach((axis, i) => { form.elements[axis].value = shape[i]; });
  form.elements["memory format"].value = format;
  form.elements["variant"].value = variant;
  form.dispatchEvent(new Event("change"));
  return [...root.querySelectorAll("[role=grid]")].map(grid => Object.fromEntries(
    [...grid.querySelectorAll("[data-index]")].map(one => [one.dataset.index, +one.textContent])));
})"""


def addressed(tensor):
    """Which memory element each element of a tensor lies at, by torch's own reckoning."""
    flat = torch.arange(tensor.untyped_storage().nbytes() // tensor.element_size())
    laid = flat.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())
    return {",".join(map(str, index)): int(laid[index]) for index in np.ndindex(tensor.shape)}


def test_the_explorer_shows_the_addresses_that_torch_reads(explorer):
    shown = explorer.evaluate(READ_ALL, [[list(shape), *rest] for shape, *rest in CASES])
    for (shape, memory_format, variant), (gate, output) in zip(CASES, shown, strict=True):
        x = torch.zeros(shape).contiguous(memory_format=FORMATS[memory_format])
        y = torch.zeros(*shape[:2], 1, 1)
        scale = SCALES[variant]
        assert gate == addressed(multiplied_gate(scale, x, y)), (shape, memory_format, variant)
        assert output == addressed(scale(x, y)), (shape, memory_format, variant)


def test_pointing_at_an_element_of_the_output_adds_up_its_address(explorer):
    explorer.get_by_role("gridcell", name="output[0, 2, 1, 3],").hover()
    status = explorer.get_by_role("status").text_content()
    assert status == (
        "output[0, 2, 1, 3] is written to address 31 and reads the gate at address 2, "
        "as 12 of 36 elements do."
    )
    assert explorer.locator("table.sum").nth(1).text_content().endswith("sum: 31")


def test_the_explorer_is_walked_with_the_keyboard_alone(explorer):
    page = explorer.page
    explorer.get_by_label("variant").focus()
    page.keyboard.press("m")
    page.keyboard.press("Tab")  # into the gate's grid, which is one stop
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "End", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.ariaLabel") == "gate[0, 1, 0, 2], address 14"
    assert explorer.get_attribute("data-variant") == "materialized"
    assert "reads the gate at address 14, as 1 of 36" in explorer.text_content()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "output[0, 0, 0, 0], address 0"


def test_without_scripts_the_explorer_is_a_table_of_strides(browser, html):
    page = browser.new_page(java_script_enabled=False)
    page.goto((html / "notebooks" / "02_strides.html").as_uri())
    text = page.locator(".stride-explorer table").text_content()
    assert "shape [1, 3, 3, 4], strides [3, 1, 0, 0]" in text
    page.close()


@pytest.fixture(scope="module")
def opened(browser, html):
    """The first page, opened from a folder."""
    page = browser.new_page(viewport=browsing.DESKTOP)
    page.goto((html / "index.html").as_uri())
    yield page
    page.close()


@pytest.fixture
def first_page(opened):
    """The first page, its picker as a reader finds it."""
    for choice in opened.locator(".picker select").all():
        choice.select_option(index=0)
    return opened


@pytest.fixture(scope="module")
def chosen(book):
    """The parameters that the book's cost chapter had."""
    return read(book / "results" / "04_eager_cost.json").parameters


def typed(shape):
    """A shape as the picker shows it."""
    return "×".join(map(str, shape))


def unmeasured(chosen):
    """The shape of a larger network's block, which is timed in no training and no threads."""
    return [chosen["resnet_batch"], 256, 56, 56]


def compared(page):
    """The evidence that the picker shows: the names of the records."""
    rows = page.locator(".picker tbody tr:visible")
    return [row.get_attribute("data-evidence") for row in rows.all()]


def test_the_picker_shows_what_was_measured_in_the_chosen_setting(first_page, book, chosen):
    shape = typed(chosen["shape"])
    first_page.get_by_label("where the line runs").select_option("PyTorch eager, two dtypes")
    first_page.get_by_label("input").select_option(shape)
    chapter = Findings((read(book / "results" / "04_eager_cost.json"),))
    mixed = chapter.answer(ask(Timing, level="multiply", dtypes="mixed", workload="reader"))
    assert compared(first_page) == [mixed.name]
    row = first_page.locator(".picker tbody tr:visible")
    assert percent(mixed.ratio, mixed.interval) in row.text_content()
    assert row.get_by_role("link").get_attribute("href") == "notebooks/04_eager_cost.html"
    status = first_page.get_by_role("status").text_content()
    assert status.startswith(f"PyTorch eager, two dtypes, a CPU, {shape}, 1 thread: 1 comparison.")


def test_the_picker_begins_with_the_torch_of_this_run(first_page, book):
    own = read(book / "results" / "04_eager_cost.json").environment.torch
    assert first_page.locator(".picker select[name=release]").input_value() == short(own)
    assert "no time was measured" not in first_page.get_by_role("status").text_content()


def test_the_picker_says_what_was_not_measured_and_how_to_measure_it(first_page, chosen):
    status, shape = first_page.get_by_role("status"), unmeasured(chosen)
    first_page.get_by_label("where the line runs").select_option("training, one dtype")
    first_page.get_by_label("input").select_option(typed(shape))
    assert compared(first_page) == []
    command = f"make rerun NOTEBOOK=05_training SHAPE={','.join(map(str, shape))}"
    assert status.text_content().endswith(f"not measured here. Run: {command}")
    first_page.get_by_label("where the line runs").select_option("torch.compile")
    first_page.get_by_label("device").select_option(index=1)
    assert status.text_content().endswith("not measured here; no chapter runs it there.")


def test_the_picker_tells_of_more_threads_and_of_another_torch(first_page, chosen):
    status, shape = first_page.get_by_role("status"), unmeasured(chosen)
    first_page.locator(".picker select[name=threads]").select_option("2 threads")
    first_page.get_by_label("input").select_option(typed(chosen["shape"]))
    assert "2 threads: 2 comparisons. The decision is that of 1 thread." in status.text_content()
    assert len(compared(first_page)) == 2
    first_page.get_by_label("input").select_option(typed(shape))
    assert status.text_content().endswith(f" SHAPE={','.join(map(str, shape))} THREADS=2")
    first_page.locator(".picker select[name=release]").select_option(index=1)
    assert re.search(r"With torch 2[.\d]+ no time was measured\. ", status.text_content())


def test_the_picker_is_worked_with_the_keyboard_alone(first_page):
    first_page.get_by_label("where the line runs").focus()
    first_page.keyboard.press("ArrowDown")
    for _ in range(2):
        first_page.keyboard.press("Tab")
    first_page.keyboard.press("End")
    assert (
        first_page.get_by_role("status")
        .text_content()
        .startswith("PyTorch eager, two dtypes, a CPU, all inputs, 1 thread: ")
    )
    assert len(compared(first_page)) > 1


def test_without_scripts_every_comparison_is_a_table_to_be_opened(browser, html):
    page = browser.new_page(java_script_enabled=False)
    page.goto((html / "index.html").as_uri())
    page.locator("details.picker summary").click()
    assert len(compared(page)) > 10
    page.close()


def glossary_terms():
    text = (places.BOOK / "glossary.md").read_text(encoding="utf-8")
    return re.findall(r"^([\w ]+)\n  \w", text, re.MULTILINE)


def test_search_finds_every_term_of_the_glossary_with_the_network_off(browser, html):
    terms = glossary_terms()
    assert {"broadcasting", "stride", "memory format", "view", "guard"} <= set(terms)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((html / "search.html").as_uri())
    for term in terms:
        page.locator("#search-results").evaluate("results => results.replaceChildren()")
        page.evaluate("term => Search.performSearch(term)", term)
        anchor = f"glossary.html#term-{term.replace(' ', '-')}"
        page.locator(f"#search-results a[href='{anchor}']").wait_for(timeout=10_000)
    context.close()


def test_the_search_is_there_once_and_is_reached_with_the_keyboard(browser, html):
    page = browser.new_page(viewport=browsing.DESKTOP)
    page.goto((html / "index.html").as_uri())
    assert page.get_by_role("button", name="Search").locator("visible=true").count() == 1
    page.keyboard.press("Control+k")
    page.keyboard.type("stride")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=stride")
    page.locator("#search-results a").first.wait_for()
    page.close()
