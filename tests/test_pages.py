"""Pages from evidence: what is filled in, what is refused, what a failed build leaves."""

import nbformat
import pytest
from worlds import findings, plain_world

from pipeline import building, places
from pipeline.building import only_build
from pipeline.faults import BuildError
from pipeline.pages import assembly, chapter_pages, opening, rendering


def names():
    look_up = assembly.records_of(findings(plain_world()))
    return {"record": assembly.the_only(look_up), "records": look_up, "plain": "x"}


def fill(folder, text):
    (folder / "page.md").write_text(text)
    assembly.write_pages(folder, names())
    return (folder / "page.md").read_text()


def test_a_page_takes_its_numbers_from_the_evidence(tmp_path):
    assert (
        fill(tmp_path, 'Calls: {{ record("calls", form="expand_as").value }}.\n') == "Calls: 4.\n"
    )


def test_a_number_that_nobody_recorded_fails_the_build(tmp_path):
    with pytest.raises(BuildError, match=r"a page needs one timing with .*; there are 0"):
        fill(tmp_path, '{{ record("timing", level="scale_step").value }}')


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ('record("timign")', "a page needs timign: 'timign'"),
        ('record("timing", levle="block")', "a page needs timing: Timing has no field levle"),
        ('records("timing", level="blok")', "a page needs timing: Timing.level cannot be"),
    ],
)
def test_a_misspelt_question_of_a_page_fails_the_build(tmp_path, question, message):
    with pytest.raises(BuildError) as refused:
        fill(tmp_path, f"{{{{ {question} }}}}")
    assert str(refused.value).startswith(message)


def claim(**changes):
    plain = {"id": "T1", "who": "ticket", "quote": "it is so", "rule": "Supported if so.",
             "verdict": "supported", "because": "It is so.", "chapters": ["02_strides"],
             "gpu": None, "eager_cuda": None}  # fmt: skip
    return plain | changes


def opening_cell(source, mime, shown):
    output = nbformat.v4.new_output("display_data", {mime: shown})
    return nbformat.v4.new_code_cell(source, outputs=[output], metadata={"tags": ["opening"]})


def test_a_page_tells_what_was_found_first_in_words_and_then_in_a_picture():
    cells = [
        nbformat.v4.new_markdown_cell("# Title\n\nA question."),
        opening_cell("draw()", "text/html", '<figure class="chart"></figure>'),
        nbformat.v4.new_code_cell("measure()"),
        opening_cell("say()", "text/markdown", "It is slower."),
    ]
    sources = [cell.source for cell in opening.told_first(cells, "**In this run**")]
    assert sources == [
        "# Title\n\n**In this run**", "say()", "draw()", "A question.", "measure()",
    ]  # fmt: skip


def test_a_chapter_shows_the_ledgers_verdict_of_its_claims_and_of_no_other():
    shown = chapter_pages.claims_of("02_strides", [claim(), claim(id="T2", chapters=["01_x"])])
    shown, _, more = shown.partition("\n\n")
    assert more.startswith("The page [claim by claim](../claims) has the numbers of each verdict")
    claim_line, outcome, rule = shown.split("\\\n  ")
    assert claim_line == "- **T1**, ticket: “it is so”"
    assert (rule, outcome) == ("*Rule.* Supported if so.", "**supported**: It is so.")
    assert "is decided here" in chapter_pages.claims_of("09_fix", [claim()])


def test_a_claim_on_a_gpu_is_shown_by_machine_and_as_untested_where_none_was_measured():
    judged = [{"machine": "nvidia-h200", "verdict": "refuted", "because": "It is not."}]
    measured, unmeasured = ({"rule": "R.", "found": judged_on} for judged_on in (judged, []))
    shown = chapter_pages.gpu_claims_of("07_gpu", [claim(gpu=measured), claim(id="T2")])
    assert "**T1**, on nvidia-h200" in shown
    assert "**refuted**: It is not." in shown
    assert "T2" not in shown
    assert "**untested on a GPU**" in chapter_pages.gpu_claims_of("x", [claim(gpu=unmeasured)])


def test_what_the_launches_say_of_claims_stands_once_below_the_verdicts_and_in_the_gpu_chapter():
    noted, plain = claim(eager_cuda="Shown by the launch."), claim(id="T2")
    shown = chapter_pages.claims_of("02_strides", [noted, plain])
    assert shown.count("Eager CUDA") == 1
    assert "\n\n*Eager CUDA, for T1.* Shown by the launch.\n" in shown
    twice = [noted, claim(id="C2", eager_cuda="Shown by the launch."), plain]
    shown = chapter_pages.claims_of("02_strides", twice)
    assert shown.count("Shown by the launch.") == 1
    assert "*Eager CUDA, for T1 and C2.* Shown by the launch." in shown
    alone = chapter_pages.launch_claims_of("07_gpu", [noted, plain])
    assert alone == "- **T1**, ticket: “it is so”\\\n  Shown by the launch."
    both = chapter_pages.launch_claims_of("07_gpu", twice)
    assert both.count("Shown by the launch.") == 1
    assert "**T1**, ticket: “it is so”\\\n  **C2**, ticket: “it is so”\\\n  Shown" in both


def test_a_name_that_does_not_exist_fails_the_build_with_its_page(tmp_path):
    with pytest.raises(BuildError, match=r"page\.md: 'nonsense' is undefined"):
        fill(tmp_path, "{{ nonsense }}")


def test_a_cell_of_a_table_stays_one_cell():
    assert assembly.as_table_cell("a | b\nc") == "a \\| b c"


def book(folder, text):
    (folder / "index.md").write_text(text)
    (folder / "_config.yml").write_text("title: A book\nexecute: {execute_notebooks: 'off'}\n")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\n")


@pytest.mark.slow  # renders
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
    rendering.render(strict=False)
    assert "a link" in (places.HTML / "index.html").read_text()


@pytest.mark.usefixtures("workshop")
def test_pages_built_in_spite_of_warnings_are_built_again_by_a_strict_build(monkeypatch):
    def render(*, strict):
        del strict
        places.HTML.mkdir(parents=True, exist_ok=True)
        (places.HTML / "index.html").touch()

    monkeypatch.setattr(rendering, "render", render)
    monkeypatch.setattr(assembly, "assemble", lambda *_: None)
    monkeypatch.setattr(building, "page_inputs", lambda _: "the same")
    places.STAMPS.mkdir(parents=True)
    assert building.make_pages([], strict=False) == "rendered"
    assert building.make_pages([]) == "rendered"
    assert building.make_pages([]) == "up to date"


@pytest.mark.usefixtures("workshop")
@pytest.mark.parametrize("step", [(assembly, "assemble"), (rendering, "render")])
def test_pages_that_did_not_build_leave_none_that_pass_for_current(monkeypatch, step):
    def fail(*_, **__):
        raise BuildError("as planned")

    for module, name in ((assembly, "assemble"), (rendering, "render")):
        monkeypatch.setattr(module, name, fail if (module, name) == step else lambda *_, **__: None)
    places.HTML.mkdir(parents=True)
    (places.HTML / "index.html").touch()
    places.STAMPS.mkdir()
    (places.STAMPS / "html").write_text("of earlier pages")
    with pytest.raises(BuildError, match="as planned"):
        building.make_pages([])
    # Were the old inputs to come back, the source is no longer theirs.
    assert not building.pages_are_made("of earlier pages")


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


def test_the_patches_of_released_packages_go_with_the_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "PATCHES", tmp_path / "patches")
    monkeypatch.setattr(places, "SOURCE", tmp_path / "source")
    assert "make wild" in chapter_pages.patches_of("10_wild", [])
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches/net-1.patch").write_text("--- a/net.py\n")
    (tmp_path / "patches/net-1.md").write_text("# Take it out\n")
    shown = chapter_pages.patches_of("10_wild", [])
    assert "`the patch <../data/patches/net-1.patch>`" in shown
    copied = tmp_path / "source/data/patches"
    assert (copied / "net-1.patch").read_text() == "--- a/net.py\n"
    assert (copied / "net-1.txt").read_text() == "# Take it out\n"
