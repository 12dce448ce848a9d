"""A real browser over a finished book: what each page fetched, said and showed while open."""

import functools
import gzip
import http.server
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import axe_playwright_python
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.pages import printing

NO_BROWSER = "no page was opened, for lack of a Chromium; apt-get install chromium brings one"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
TALL = {"width": 1280, "height": 3000}  # so that no list of pages has to be scrolled
LEGIBILITY = Path(__file__).with_name("legibility.js").read_text(encoding="utf-8")
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
LOOKS = Path(__file__).with_name("looks.js").read_text(encoding="utf-8")
# Which text stands out is asked look by look, in either theme.
STANDS_OUT = ("color-contrast", "link-in-text-block")
# Only what is violated is described: to describe what is well takes a while on a long page.
AXE_RUN = """apart => axe.run({resultTypes: ["violations"],
    rules: Object.fromEntries(apart.map(rule => [rule, {enabled: false}]))})
  .then(found => found.violations.flatMap(one => one.nodes.map(
    node => `${one.id}: ${node.target} ${node.html.slice(0, 160)}`)))"""
# A drawing has the role of an image, so what is inside it is not read out, piece by piece.
EMPTY_DRAWINGS = """document.querySelectorAll("figure.chart svg")
  .forEach(drawing => drawing.replaceChildren())"""
# axe does not judge what lies on a picture, such as the shade at the edge of a table, and would
# take a colour on its way to another for the one that is meant.
PLAIN = """*, ::before, ::after { background-image: none !important;
  animation: none !important; transition: none !important; }"""
THEMES = ("light", "dark")
THEME_IS_ON = """theme => new Promise((done, fail) => {
  const page = document.documentElement;
  const look = () => { if ([undefined, theme].includes(page.dataset.theme)) done(); };
  new MutationObserver(look).observe(page, {attributes: true});
  setTimeout(() => fail(new Error(`the page did not turn ${theme}`)), 10000);
  look();
})"""
# In this order little changes from one to the next, so that little is laid out anew.
LAID_OUT = (("light", PHONE), ("dark", PHONE), ("dark", DESKTOP), ("light", DESKTOP))
# What text already is when it is fetched is sent compressed; a font is compressed as it is.
COMPRESSED = {".html", ".css", ".js", ".svg", ".json"}


def may_be_left_out() -> bool:
    """Tell whether this run goes without a browser, because none is here and none is required."""
    return printing.browser() is None and not os.environ.get("REQUIRE_BROWSER")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine alone; give its origin."""
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a running browser without a window."""
    executable = printing.browser()
    assert executable, NO_BROWSER
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(printing.FLAGS))
        yield browser
        browser.close()


@dataclass
class Visit:
    """What happened while one page was open.

    `shifted` is the cumulative layout shift: what moved after it was shown. `awaited` is what has
    to arrive before anything is painted.
    """

    address: str
    shifted: float = 0.0
    awaited: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    sideways: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    illegible: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: frozenset[str] = frozenset()

    def watch(self, page: Page) -> None:
        """Note each request, each failure of one, and everything on the console."""
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                message.type in ("error", "warning") and self.complaints.append(message.text)
            ),
        )

    @property
    def foreign(self) -> list[str]:
        """The requests that left the page's own origin."""
        own = urlsplit(self.address)[:2]
        return [
            request
            for request in self.requests
            if urlsplit(request)[:2] != own and request[:5] != "data:"
        ]


def bytes_sent(requests: Iterable[str], folder: Path) -> int:
    """Return how many bytes a server that compresses sends for what a page fetched."""
    paths = {folder / unquote(urlsplit(request).path.lstrip("/")) for request in requests}
    return sum(_sent(path) for path in paths)


@functools.cache
def _sent(path: Path) -> int:
    data = path.read_bytes()
    return len(gzip.compress(data, 6)) if path.suffix in COMPRESSED else len(data)


# Lighthouse's measures that are the same on a fast machine and on a slow one.
SHIFTED = """() => new Promise(done => {
  let shifted = 0;
  new PerformanceObserver(list => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) shifted += one.value;
  }).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(shifted), 300);
})"""
BLOCKING = """() => performance.getEntriesByType("resource")
  .filter(one => one.renderBlockingStatus === "blocking").map(one => one.name)"""


def visit(browser: Browser, address: str, sound: set[str]) -> Visit:
    """Open a page on a phone, with nothing in its cache, and look at it.

    Then look at it on a desktop too, in daylight and at night. `sound` are the looks of text that
    are known to stand out, on whatever page; those that are found here are added.
    """
    page_visit = Visit(address)
    page = browser.new_page(viewport=PHONE, color_scheme="light")
    page_visit.watch(page)
    page.goto(address, wait_until="load")
    page_visit.shifted = float(page.evaluate(SHIFTED))
    page_visit.awaited = [address, *page.evaluate(BLOCKING)]
    page_visit.links = page.evaluate(
        "[...document.querySelectorAll('a[href]')].map(link => link.href)"
    )
    page_visit.ids = frozenset(
        page.evaluate("[...document.querySelectorAll('[id]')].map(o => o.id)")
    )
    # Whether a browser lays out what is folded varies, so a reader's folds are all opened first.
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    for theme, size in LAID_OUT:
        turn(page, theme)
        page.set_viewport_size(size)
        page_visit.sideways += [
            f"{theme}, {size['width']}: {element}" for element in too_wide(page)
        ]
        if theme == "light":  # the night changes no letter's place
            too_small = page.evaluate(LEGIBILITY, size is DESKTOP)
            page_visit.illegible += [f"{size['width']}: {element}" for element in too_small]
    page_visit.violations = violations(page, sound)
    page.close()
    return page_visit


def turn(page: Page, theme: str) -> None:
    """Turn to a theme; where a script of the page puts it on, wait until it is there."""
    page.emulate_media(color_scheme=theme)
    page.evaluate(THEME_IS_ON, theme)


def violations(page: Page, sound: set[str]) -> list[str]:
    """Return what axe finds on an open page, and the text that does not stand out in a theme.

    Text of a look that is `sound` is not judged again; looks that are join them. The page is not
    what it was afterwards: its drawings are empty, and its boxes are plain.
    """
    page.set_viewport_size(TALL)
    page.evaluate(EMPTY_DRAWINGS)
    page.add_style_tag(content=PLAIN)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(AXE_RUN, STANDS_OUT)
    for theme in THEMES:
        turn(page, theme)
        judged = page.evaluate(LOOKS, {"rules": STANDS_OUT, "sound": sorted(sound)})
        found += [f"{theme}: {text}" for text in judged["faults"]]
        sound.update(judged["sound"])
    return found


def too_wide(page: Page) -> list[str]:
    """Return the elements that make the page scroll sideways."""
    return page.evaluate("""() => {
      const width = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= width) return [];
      const scrolls = one => getComputedStyle(one).overflowX !== "visible";
      const inside = one => one !== document.body && (scrolls(one) || inside(one.parentElement));
      return [...document.querySelectorAll("body *")]
        .filter(one => one.getBoundingClientRect().right > width + 1 && !inside(one.parentElement))
        .map(one => one.outerHTML.slice(0, 120));
    }""")


def target(link: str) -> tuple[str, str]:
    """Return the page that a link leads to, and the anchor on it."""
    address, anchor = urldefrag(link)
    return address, unquote(anchor)
