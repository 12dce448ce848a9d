"""What publishing adds to the book, and what the workflows are held to."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from pipeline import places
from pipeline.faults import BuildError
from pipeline.pages import packing, rendering
from pipeline.pages.publishing import configured, publication

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PUBLISHED = {
    "GITHUB_REPOSITORY": "someone/broadcasting",
    "GITHUB_SHA": "a" * 40,
    "BOOK_URL": "https://someone.github.io/broadcasting",
}


def settings():
    return yaml.safe_load(places.CONFIG.read_text(encoding="utf-8"))


def test_a_book_built_at_home_names_no_repository_and_no_address():
    at_home = publication({})
    assert configured(settings(), at_home) == settings()
    assert (at_home.repository, at_home.address, at_home.name) == (None, None, "")


def test_a_published_book_opens_its_notebooks_at_the_commit_it_was_built_from():
    config = configured(settings(), publication(PUBLISHED))
    assert config["repository"] == {
        "url": "https://github.com/someone/broadcasting",
        "branch": "a" * 40,
    }
    assert set(config["launch_buttons"]) >= {"colab_url", "binderhub_url"}
    assert config["html"]["baseurl"] == "https://someone.github.io/broadcasting/"


def test_only_a_book_with_an_address_has_a_sitemap_and_cards():
    extensions = [
        configured(settings(), publication(environment))["sphinx"]["config"]["extensions"]
        for environment in ({}, PUBLISHED)
    ]
    assert "sphinx_sitemap" not in extensions[0]
    assert "sphinx_sitemap" in extensions[1]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GITHUB_REPOSITORY", "no-owner", "allowed is owner/name"),
        ("GITHUB_REPOSITORY", "a/b/c", "allowed is owner/name"),
        ("GITHUB_SERVER_URL", "http://plain", "allowed is an https address"),
        ("GITHUB_SHA", "HEAD; rm", "allowed is a commit"),
        ("BOOK_URL", "ftp://somewhere", "allowed is the http address"),
        ("BOOK_URL", 'https://a/"><script>', "allowed is the http address"),
    ],
)
def test_an_address_that_is_none_is_refused_by_name(name, value, words):
    with pytest.raises(BuildError, match=re.escape(f"{name}={value}: {words}")):
        publication({name: value})


@pytest.fixture
def small_source(workshop):
    """The book's own settings and style around one page that a test writes."""
    source = workshop / "build" / "source"
    source.mkdir()
    for name in ("_templates", "_static", "_scripts", "references.bib"):
        (source / name).symlink_to(places.HERE / "book" / name)
    (source / "_toc.yml").write_text("format: jb-book\nroot: index\n")

    def render(text, environment):
        config = configured(settings(), publication(environment))
        (source / "_config.yml").write_text(yaml.safe_dump(config))
        (source / "index.md").write_text(text)
        rendering.render()
        return (places.HTML / "index.html").read_text()

    return render


def test_a_published_page_says_where_it_is_and_has_a_card_to_share(small_source):
    page = small_source("# A page\n\nIt says much, for $5 and not for $6.\n", PUBLISHED)
    assert '<link rel="canonical" href="https://someone.github.io/broadcasting/index.html"' in page
    assert '<meta name="description" content="It says much, for $5 and not for $6.' in page
    card = re.search(r'og:image" content="https://someone.github.io/broadcasting/([^"]+)"', page)
    assert (places.HTML / card[1]).exists()
    sitemap = (places.HTML / "sitemap.xml").read_text()
    assert "<loc>https://someone.github.io/broadcasting/index.html</loc>" in sitemap


def test_a_page_loads_nothing_from_another_origin(small_source):
    page = BeautifulSoup(small_source("# A page\n\nIt says much.\n", {}), "lxml")
    loaded = [
        element.get("src") or element["href"]
        for element in page.select("script[src], link[rel=stylesheet]")
    ]
    assert len(loaded) > 5
    assert not [address for address in loaded if re.match(r"\w*:?//", address)]
    assert "mathjax" not in str(page).lower()


def test_no_page_has_a_formula_for_which_sphinx_would_fetch_a_script():
    pages = [*(ROOT / "book").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    assert len(pages) > 10
    assert not [path.name for path in pages if "{math}" in path.read_text(encoding="utf-8")]
    assert "dollarmath" not in settings()["parse"]["myst_enable_extensions"]


def test_the_archive_holds_the_pages_and_nothing_that_no_page_loads(tmp_path):
    names = ("index.html", "_static/a.css", "_static/a.css.map", "_static/scripts/fontawesome.js")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    packing.prune(tmp_path)
    first = packing.pack(tmp_path).read_bytes()
    with zipfile.ZipFile(packing.pack(tmp_path)) as packed:
        assert packed.namelist() == ["book/_static/a.css", "book/index.html"]
    assert (tmp_path / packing.ARCHIVE).read_bytes() == first


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_nothing_that_it_does_not_say(workflow):
    rules = yaml.safe_load(workflow.read_text())
    assert rules["permissions"] == {}
    for job in rules["jobs"].values():
        assert job["timeout-minutes"]
        assert set(job["permissions"].items()) <= {
            ("contents", "read"), ("pages", "write"), ("id-token", "write")}  # fmt: skip
        for step in job["steps"]:
            used = step.get("uses", "")
            assert not used or re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", used), used
            if "checkout" in used:
                assert step["with"]["persist-credentials"] is False


CHECKERS = (["zizmor", "--quiet", "--offline", "--pedantic"], ["actionlint"])


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda words: words[0])
def test_the_workflows_pass_and_a_broken_one_would_not(checker, tmp_path):
    program = Path(sys.executable).with_name(checker[0])

    def check(*paths):
        words = [program, *checker[1:], *paths]
        return subprocess.run(words, capture_output=True, check=False).returncode

    assert check(*WORKFLOWS) == 0
    broken = re.sub(r"checkout@\w+", "checkout@main", WORKFLOWS[0].read_text())
    broken = broken.replace("needs: build", "needs: nobody")
    (tmp_path / "broken.yml").write_text(broken)
    assert check(tmp_path / "broken.yml") != 0


def test_the_citation_names_the_book_and_what_it_is_about():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)
    assert cited["references"][0]["doi"] == "10.1109/CVPR.2018.00745"
