"""Time how soon a slow phone shows each page of a built book: `python benchmarks/pages.py --help`.

The book is served from this machine to a Chromium whose processor is slowed down fourfold, as
Lighthouse does for a phone, with nothing in its cache. A page's time is the least of several
tries: what else this machine does only adds to it.
"""

import argparse
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # where the browser is started and the book is served

import browsing  # noqa: E402 -- found on the path of the line above

TARGET_S = 1.5
SLOWDOWN = 4
LARGEST = """() => new Promise(done => new PerformanceObserver(
  list => done(list.getEntries().at(-1).startTime)
).observe({type: "largest-contentful-paint", buffered: true}))"""


def main() -> int:
    """Measure every page, print a table, and return 1 if a page missed the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", type=Path, default=ROOT / "build" / "html")
    parser.add_argument("--tries", type=int, default=5)
    options = parser.parse_args()
    names = pages(options.book)
    if not names:
        parser.error(f"{options.book} has no page; make book builds them")
    late = []
    with browsing.served(options.book) as origin, browsing.chromium() as browser:
        for name in names:
            tries = [largest_paint(browser, f"{origin}/{name}") for _ in range(options.tries)]
            print(f"{min(tries):5.2f} s, median {statistics.median(tries):5.2f} s  {name}")
            late += [name] * (min(tries) >= TARGET_S)
    print(
        f"target: the largest part of a page painted within {TARGET_S:g} s; missed by {len(late)}"
    )
    return int(bool(late))


def pages(book: Path) -> list[str]:
    """Return the book's pages, without what its theme brings."""
    paths = (path.relative_to(book).as_posix() for path in book.rglob("*.html"))
    return sorted(name for name in paths if not name.startswith("_static"))


def largest_paint(browser: Browser, address: str) -> float:
    """Return after how many seconds the largest part of a page was painted."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.goto(address, wait_until="load")
    milliseconds = float(page.evaluate(LARGEST))
    context.close()
    return milliseconds / 1000


if __name__ == "__main__":
    sys.exit(main())
