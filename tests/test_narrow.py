"""Every figure is drawn twice: for a wide page, and with a layout of its own for a phone."""

import re
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from urllib.parse import unquote

import browsing
import every_figure
import matplotlib as mpl
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure

from investigation.display import figure_data, figures, inline, narrow, wrapping
from investigation.display.setting_figures import settings_figure

NAMES = list(every_figure.EVERY)
OWN = every_figure.NARROW
STYLE_SHEET = Path(__file__).resolve().parents[1] / "book" / "_static" / "book.css"
PAGE = "<!doctype html><style>body {{ margin: 0 16px }} {css}</style><article>{figures}</article>"
LOGARITHMIC = "(logarithmic)"


@dataclass(frozen=True)
class Drawn:
    """A figure for a wide page, its copies laid out for a phone, and both as a page has them."""

    for_page: Figure
    laid_out: list[Figure]
    html: str


@cache
def drawn(name):
    """Draw a figure; laying one out takes a second, so each is drawn once."""
    figure, laid_out = every_figure.EVERY[name](), []

    def of(wide):
        laid_out.append(anew(wide))
        return laid_out[-1]

    anew = narrow.of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(narrow, "of", of)
        own = OWN[name]() if name in OWN else None
        words = {"finding": "It is so.", "drawn": f"figure {name}"}
        return Drawn(figure, laid_out, figures.show(figure, narrow=own, **words).data)


def shown(name):
    """A figure as a page has it."""
    return drawn(name).html


@cache
def drawings(name):
    """The drawings of a page's figure, read once."""
    return BeautifulSoup(shown(name), "lxml").select("svg")


def words(drawing):
    """The words of a drawing, wherever their lines break, without the numbers of a scale."""
    found = set()
    for group in drawing.find_all("g", id=re.compile(r"-text_\d+$")):
        text = re.sub(r"\s", "", group.get_text())
        of_a_scale = group.find_parent("g", id=re.compile(r"-[xy]tick_\d+$"))
        if not (of_a_scale and re.fullmatch(r"[-−×\d.,]*", text)):
            found.add(text)
    return found


def narrowed(figure):
    """A figure laid out for a phone, with every panel in its place."""
    with mpl.rc_context(figures.STYLE):
        copy = narrow.of(figure)
        copy.draw_without_rendering()
        return copy


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_shows_every_label_and_value_of_the_wide_figure(name):
    wide, phone = (
        {text.removesuffix(LOGARITHMIC) for text in words(each)} for each in drawings(name)
    )
    assert wide
    assert phone == wide


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_for_a_phone_is_as_wide_as_one(name):
    _, phone = drawings(name)
    _, _, width, _ = map(float, phone["viewbox"].split())
    assert width == pytest.approx(72 * narrow.WIDTH)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OWN])
def test_panels_stand_below_each_other_and_do_not_overlap(name):
    figure, (copy,) = drawn(name).for_page, drawn(name).laid_out
    boxes = [axes.get_window_extent() for axes in copy.axes]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    side_by_side = max(sum(one.y0 == other.y0 for other in boxes) for one in boxes)
    scaled = all(axes.get_aspect() != "auto" or axes.images for axes in copy.axes)
    assert side_by_side <= (len(boxes) if scaled else 2)
    drawn_panels = [axes for axes in figure.axes if axes.axison or axes.texts or axes.patches]
    assert len(boxes) == len(drawn_panels)


@pytest.mark.parametrize("name", NAMES)
def test_no_legend_covers_what_is_drawn(name):
    for figure in (drawn(name).for_page, *drawn(name).laid_out):
        for axes in (axes for axes in figure.axes if axes.get_legend()):
            box = axes.get_legend().get_window_extent()
            lines = [line.get_path().transformed(line.get_transform()) for line in axes.lines]
            assert not any(path.intersects_bbox(box, filled=False) for path in lines)


def test_a_panel_that_is_put_below_another_names_its_rows_and_its_scale_again():
    copy = narrowed(every_figure.in_place())
    for axes in copy.axes:
        assert all(label.get_visible() for label in axes.get_yticklabels())
        assert axes.yaxis.get_tick_params()["labelleft"]
        assert axes.get_xlabel()
    copy = narrowed(every_figure.predicted())
    assert {axes.get_ylabel() for axes in copy.axes} == {"measured device time, µs"}


def test_panels_that_show_different_things_stay_with_those_of_their_column():
    titles = [
        axes.get_title()
        for axes in sorted(
            narrowed(every_figure.in_place()).axes, key=lambda axes: -axes.get_position().y0
        )
    ]
    assert titles == [
        "contiguous", "contiguous, share of the step",
        "channels_last", "channels_last, share of the step",
    ]  # fmt: skip


def test_a_row_is_as_high_as_its_name_needs():
    few, many = (
        narrowed(every_figure.bars_of(dict.fromkeys(map(str, range(rows)), 1.0), "", "", 2.8))
        for rows in (3, 12)
    )
    heights = [copy.axes[0].get_window_extent().height / copy.dpi for copy in (few, many)]
    assert heights == [pytest.approx(rows * narrow.ROW, rel=0.05) for rows in (3, 12)]


def test_names_too_long_for_two_lines_stand_above_their_rows():
    figure = every_figure.two_dtypes()
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    (axes,) = narrowed(figure).axes
    above = {text.get_text().replace("\n", " "): text for text in axes.texts}
    assert list(above) == names
    for row, name in enumerate(names):
        marked = axes.transData.transform((0, row))[1]
        assert above[name].get_window_extent().y0 > marked


def test_the_figure_itself_stays_as_it_was():
    figure = every_figure.in_place()
    before = figure.get_size_inches().tolist(), [axes.get_position() for axes in figure.axes]
    text = figure_data.as_csv(figure)
    narrow.of(figure)
    after = figure.get_size_inches().tolist(), [axes.get_position() for axes in figure.axes]
    assert str(before) == str(after)
    assert figure_data.as_csv(figure) == text


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_without_a_layout_of_its_own_is_laid_out_anew_for_a_phone(name):
    assert len(drawn(name).laid_out) == (name not in OWN)


def test_a_figure_that_was_drawn_is_laid_out_for_a_phone_as_one_that_was_not():
    figure, fresh = every_figure.in_place(), every_figure.in_place()
    inline.svg(figure, "in place", "a salt", figures.STYLE)
    assert (figure.stale, fresh.stale) == (False, True)
    places = [[axes.get_position().bounds for axes in narrowed(each).axes]
              for each in (figure, fresh)]  # fmt: skip
    assert places[0] == [pytest.approx(bounds) for bounds in places[1]]


def test_without_the_books_style_sheet_only_the_wide_drawing_is_seen():
    soup = BeautifulSoup(shown("multiplies"), "lxml")
    wide, phone = soup.select("figure.chart > div")
    assert (wide["class"], wide.get("style")) == (["on-wide"], None)
    assert (phone["class"], phone["style"]) == (["on-narrow"], "display: none")
    assert len(soup.select("figcaption")) == 1
    texts = {drawing["aria-label"] for drawing in soup.select("svg")}
    assert texts == {"figure multiplies. It is so."}
    ids = [element["id"] for element in soup.select("[id]")]
    assert len(ids) == len(set(ids))


def test_the_numbers_are_published_once_and_are_those_of_the_wide_figure():
    wide = settings_figure(every_figure.setting_rows(), 0.01)
    other = settings_figure(every_figure.setting_rows()[:2], 0.01, narrow=True)
    html = figures.show(wide, finding="It is so.", drawn="a figure", narrow=other).data
    (link,) = BeautifulSoup(html, "lxml").select("a.figure-data")
    assert unquote(link["href"]).endswith(figure_data.as_csv(wide))


@pytest.mark.parametrize(
    ("words_", "most", "lines"),
    [
        ("short", 2, ["short"]),
        ("the input (B, 3, 14, 15)", 2, ["the input", "(B, 3, 14, 15)"]),
        ("the first part, the second", 2, ["the first part,", "the second"]),
        ("a name without any mark", 2, ["a name without", "any mark"]),
        ("too long for any two lines, wherever they break", 2, None),
        (
            "supercalifragilistic words, three lines",
            3,
            ["supercalifragilistic", "words, three lines"],
        ),
    ],
)
def test_words_break_at_a_bracket_or_a_comma_or_else_in_even_lines(words_, most, lines):
    found = wrapping.in_lines(words_, most, room=1.25, size=9)
    assert (found and found.split("\n")) == lines


@pytest.fixture(scope="module")
def browser():
    """A browser without a window."""
    with browsing.chromium() as running:
        yield running


@pytest.mark.skipif(browsing.may_be_left_out(), reason=browsing.NO_BROWSER)
@pytest.mark.parametrize("size", [browsing.PHONE, browsing.DESKTOP], ids=["phone", "desktop"])
def test_no_label_of_any_figure_overlaps_another_or_is_cut(browser, size):
    page = browser.new_page(viewport=size)
    css = STYLE_SHEET.read_text(encoding="utf-8")
    page.set_content(PAGE.format(css=css, figures="".join(map(shown, NAMES))))
    assert browsing.too_wide(page) == []
    assert page.evaluate(browsing.LEGIBILITY, size is browsing.DESKTOP) == []
    seen = "[...document.querySelectorAll('svg')].filter(one => one.getClientRects().length)"
    assert page.evaluate(f"{seen}.length") == len(NAMES)
    apart = "on-narrow" if size is browsing.PHONE else "on-wide"
    assert page.evaluate(f"{seen}.every(one => one.closest('.{apart}'))")
    page.emulate_media(media="print")
    assert page.evaluate(f"{seen}.every(one => one.closest('.on-wide'))")
    page.close()


@pytest.mark.parametrize("largest", [8, 24_576, 33_000_000])
def test_the_numbers_below_an_axis_have_room_beside_each_other_as_they_are_published(largest):
    values = dict.fromkeys(("expand_as", "materialized", "broadcast"), 2 * largest / 3)
    values["opaque"] = largest
    drawing = figures.show(
        every_figure.bars_of(values, "KiB", "moved", 2.0), finding="a", drawn="b"
    ).data
    phone = BeautifulSoup(drawing, "lxml").select_one(".on-narrow svg")
    numbers = [group.get_text().strip() for group in phone.select("[id*=xtick] g[id*=text]")]
    wide = max(wrapping.width_of(number, narrow.LABEL_SIZE) for number in numbers)
    assert len(numbers) > 1
    assert wide * len(numbers) < 0.7 * narrow.WIDTH


@pytest.mark.parametrize("largest", [1.76, 17.6, 175, 2.3, 30])
def test_numbers_that_take_a_decimal_where_they_stand_closer_have_room_too(largest):
    with figures.canvas(columns=2, height=2.0, sharey="row") as (wide, axes):
        for axis in axes:
            figures.interval(axis, 0, largest / 2, (-largest / 50, largest), None)
            axis.set_yticks([0], ["stage 1, before the pool"])
    with mpl.rc_context(figures.STYLE):
        phone = narrow.of(wide)
        phone.draw_without_rendering()
    for axis in phone.axes:
        low, high = axis.get_xlim()
        ticks = zip(axis.get_xticks(), axis.get_xticklabels(), strict=True)
        boxes = [label.get_window_extent() for at, label in ticks if low <= at <= high]
        assert len(boxes) > 1
        for left, right in pairwise(boxes):
            assert right.x0 - left.x1 > 0.2 * min(left.width, right.width)


def test_a_row_without_a_name_and_a_long_legend_fit_a_phone():
    assert wrapping.in_lines("", 1, 1.0, 8) == ""
    wide = ["a" * 40, "b", "c" * 40, "d"]  # filled column by column: two long ones beside another
    assert wrapping._columns(wide, 9, 3.7) == 1
