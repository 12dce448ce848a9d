"""Released packages: what is listed, what is unpacked, what is found, and the patches."""

import hashlib
import io
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from investigation.evidence import files
from investigation.evidence.kinds.wild import Survey, SurveyedPackage
from investigation.evidence.sealed import manifest
from investigation.fix import archives, catalogue, patches, rewriting
from investigation.fix.archives import ArchiveError
from investigation.fix.catalogue import CatalogueError, Package
from investigation.fix.operations import expansions
from investigation.fix.patches import PatchError
from pipeline import places
from pipeline.wild import __main__ as wild
from pipeline.wild import index

LINE = "def scale(x, y):\n    return x * y.expand_as(x)\n"
CODE = {
    "net/scale.py": LINE,
    "net/other.py": "def f(x, y, z):\n    z += y.expand(x.shape)\n    return x - y.expand_as(x)\n",
    "net/plain.py": "import torch\n",
    "net/broken.py": "def f(x:\n    x.expand_as(x)\n",
    "README.txt": "y.expand_as(x)",
}


def wheel(path, code=CODE, links=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in code.items():
            out.writestr(name, text)
        for name, target in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            out.writestr(info, target)
    return path


def source(path, code=CODE, links=(), hard=()):
    with tarfile.open(path, "w:gz") as out:
        for name, text in code.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            out.addfile(info, io.BytesIO(text.encode()))
        for kind, pairs in ((tarfile.SYMTYPE, links), (tarfile.LNKTYPE, hard)):
            for name, target in pairs:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, target
                out.addfile(info)
    return path


MAKERS = {".whl": wheel, ".tar.gz": source}
every_kind = pytest.mark.parametrize("ending", MAKERS)


def unpacked(archive, folder):
    count = archives.unpack(archive, folder, rewriting.EXPANSION.search)
    return count, {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    }


def refusal(archive, folder):
    """The one line that refuses an archive; nothing of it is left, inside or outside."""
    before = set(folder.parent.rglob("*"))
    with pytest.raises(ArchiveError) as refused:
        unpacked(archive, folder)
    assert set(folder.parent.rglob("*")) == before
    assert "\n" not in str(refused.value)
    assert archive.name in str(refused.value)
    return str(refused.value)


@every_kind
def test_only_python_files_that_mention_an_expansion_are_written_and_all_are_counted(
    tmp_path, ending
):
    archive = MAKERS[ending](tmp_path / f"net-1{ending}")
    mentioning = {"net/scale.py", "net/other.py", "net/broken.py"}
    assert unpacked(archive, tmp_path / "net") == (4, mentioning)


@every_kind
@pytest.mark.parametrize(
    "name", ["/etc/x.py", "../x.py", "net/../../x.py", "C:/x.py", "a\\..\\x.py"]
)
def test_a_name_that_leads_out_refuses_the_archive(tmp_path, ending, name):
    archive = MAKERS[ending](tmp_path / f"net-1{ending}", CODE | {name: LINE})
    assert "leads out of its folder" in refusal(archive, tmp_path / "net")


@every_kind
@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret.py", "../net/../../x"])
def test_a_link_that_leads_out_refuses_the_archive(tmp_path, ending, target):
    archive = MAKERS[ending](tmp_path / f"net-1{ending}", links=[("net/link.py", target)])
    assert "link" in refusal(archive, tmp_path / "net")


def test_a_hard_link_that_leads_out_refuses_the_archive(tmp_path):
    archive = source(tmp_path / "net-1.tar.gz", hard=[("net/link.py", "../passwd")])
    assert "leads out of its folder" in refusal(archive, tmp_path / "net")


@every_kind
def test_a_link_that_stays_inside_is_left_out_and_not_followed(tmp_path, ending):
    archive = MAKERS[ending](tmp_path / f"net-1{ending}", links=[("net/link.py", "scale.py")])
    count, names = unpacked(archive, tmp_path / "net")
    assert count == 4
    assert "net/link.py" not in names


@every_kind
def test_a_truncated_archive_is_refused(tmp_path, ending):
    code = CODE | {"net/big.py": "\n".join(f"x{i} = {i}" for i in range(20_000))}
    archive = MAKERS[ending](tmp_path / f"net-1{ending}", code)
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    assert "not a readable archive" in refusal(archive, tmp_path / "net")


@every_kind
def test_what_is_no_archive_is_refused(tmp_path, ending):
    archive = tmp_path / f"net-1{ending}"
    archive.write_bytes(b"a page that says: not found\n" * 100)
    assert "not a readable archive" in refusal(archive, tmp_path / "net")


@every_kind
def test_an_archive_without_python_is_refused(tmp_path, ending):
    archive = MAKERS[ending](tmp_path / f"net-1{ending}", {"README.txt": "nothing"})
    assert "holds no Python file" in refusal(archive, tmp_path / "net")


@every_kind
def test_a_bomb_is_refused_before_it_is_written(tmp_path, ending, monkeypatch):
    monkeypatch.setattr(archives, "MOST_BYTES", 2**20)
    archive = MAKERS[ending](tmp_path / f"net-1{ending}", CODE | {"zeros.bin": "0" * 2**22})
    assert archive.stat().st_size < 2**16
    assert "unpacks to more than" in refusal(archive, tmp_path / "net")


@every_kind
def test_too_many_files_are_refused(tmp_path, ending, monkeypatch):
    monkeypatch.setattr(archives, "MOST_FILES", 20)
    archive = MAKERS[ending](tmp_path / f"net-1{ending}", {f"{i}.py": LINE for i in range(21)})
    assert "more than 20 files" in refusal(archive, tmp_path / "net")


@every_kind
def test_a_python_file_beyond_all_measure_is_refused(tmp_path, ending, monkeypatch):
    monkeypatch.setattr(archives, "MOST_BYTES_A_FILE", 1000)
    archive = MAKERS[ending](tmp_path / f"net-1{ending}", CODE | {"big.py": "#" * 1001})
    assert "larger than" in refusal(archive, tmp_path / "net")


# The list


def entry(**changed):
    fields = {"name": "net", "version": "1", "archive": "net-1.whl", "sha256": "0" * 64}
    return "[[package]]\n" + "".join(f'{k} = "{v}"\n' for k, v in (fields | changed).items())


@pytest.mark.parametrize(("text", "reason"), [
    ("", "[[package]] entries"),
    ("package = 1", "[[package]] entries"),
    ("[[package]", "packages.toml"),
    (entry(sha256="abc"), "package 1 net sha256"),
    (entry(archive="../net.whl"), "package 1 net archive"),
    (entry(archive="net.exe"), "allowed is a file of"),
    (entry(colour="red"), "package 1 net colour"),
    (entry() + entry(), "listed twice"),
])  # fmt: skip
def test_a_list_that_cannot_be_used_is_refused_in_a_line(tmp_path, text, reason):
    path = tmp_path / "packages.toml"
    path.write_text(text)
    with pytest.raises(CatalogueError) as refused:
        catalogue.read(path)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_projects_own_list_is_read_and_an_entry_is_read_back(tmp_path):
    listed = catalogue.read().packages
    assert len(listed) >= 48
    assert {"timm", "braindecode", "easyocr"} <= {package.name for package in listed}
    path = tmp_path / "packages.toml"
    path.write_text("\n".join(map(catalogue.entry, listed)))
    assert catalogue.read(path).packages == listed


# What surrounds an expansion


@pytest.mark.parametrize(("statement", "operation", "written", "exact"), [
    ("return x * y.expand_as(x)", "multiply", "expand_as", True),
    ("return x * torch.sigmoid(y).expand_as(x)", "multiply", "expand_as", True),
    ("return y.expand_as(x) * x", "multiply", "expand_as", False),
    ("return x * y.expand_as(x) + 1", "multiply", "expand_as", False),
    ("return (x - (y.expand(x.shape)))", "subtract", "expand to a shape", False),
    ("x /= y.expand(*x.size())", "divide in place", "expand to a shape", False),
    ("x = x ** y.expand(b, c, 1, 1)", "power", "expand to sizes", False),
    ("x.add_(y.expand_as(x))", "add in place", "expand_as", False),
    ("z = y.expand_as(x).mul(x)", "multiply", "expand_as", False),
    ("z = torch.where(m, y.expand_as(x), x)", "where", "expand_as", False),
    ("z = torch.max(x, y.expand_as(x))", "maximum", "expand_as", False),
    ("z = y.expand_as(x)", "kept under a name", "expand_as", False),
    ("z = torch.cat([x, y.expand_as(x)])", "other", "expand_as", False),
])  # fmt: skip
def test_what_an_expansion_is_for_is_read_from_the_text(statement, operation, written, exact):
    text = f"def größe(x, y):  # ×\r\n    {statement}\r\n"
    (place,), (expansion,) = zip(*expansions(text).items(), strict=True)
    assert ".expand" in text.encode()[slice(*place)].decode()
    assert (expansion.operation, expansion.written, expansion.exact) == (operation, written, exact)


# Patches


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "net"
    for name, text in CODE.items():
        folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(name).write_text(text)
    return folder


def test_a_patch_applies_with_git_and_with_patch_and_leaves_nothing(package):
    report = rewriting.examine(package)
    patch = patches.patch_of(package, report)
    patches.verify(package, report, patch)
    done = subprocess.run(["patch", "-p1", "--quiet"], cwd=package, input=patch, check=False)
    assert done.returncode == 0
    assert package.joinpath("net/scale.py").read_text() == LINE.replace(".expand_as(x)", "")
    assert rewriting.examine(package).changes == ()


def test_a_patch_that_does_not_do_its_work_is_refused(package):
    report = rewriting.examine(package)
    patch = patches.patch_of(package, report)
    for wrong, reason in {
        patch.replace(b" def scale(x, y):", b" def scale(x, z):"): "does not apply",
        patch.replace(b"+    return x * y", b"+    return x + y"): "another text",
        b"": "does not apply",
    }.items():
        with pytest.raises(PatchError, match=reason):
            patches.verify(package, report, wrong)


# The whole command, on an index of files


@pytest.fixture
def wilderness(tmp_path, monkeypatch):
    """An index of two packages, a list of them, and a project to build in."""
    project = tmp_path / "project"
    makers = {"net-1-py3-none-any.whl": wheel, "old-2.tar.gz": source}
    listed = []
    for archive, make in makers.items():
        name, version = archive.split("-")[0], archive.split("-")[1].removesuffix(".tar.gz")
        path = tmp_path / "index" / name / archive
        path.parent.mkdir(parents=True)
        make(path)
        path.with_name("index.html").write_text(f'<a href="{archive}">{archive}</a>')
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        listed.append(Package(name=name, version=version, archive=archive, sha256=sha256))
    monkeypatch.setattr(index, "pip_settings", lambda: {"index-url": (tmp_path / "index").as_uri()})
    index._finder.cache_clear()
    for owner, name, where in ((wild, "FOLDER", "build/wild"), (places, "PATCHES", "build/patches"),
                               (places, "RECORDED", "results")):  # fmt: skip
        monkeypatch.setattr(owner, name, project / where)
    path = tmp_path / "packages.toml"
    monkeypatch.setattr(catalogue.read, "__defaults__", (path,))

    def write(*packages):
        path.write_text("\n".join(map(catalogue.entry, packages or listed)))

    write()
    yield project, listed, write
    index._finder.cache_clear()


def recorded(project) -> tuple[Survey, list[SurveyedPackage]]:
    (path,) = project.glob("results/*/survey.json")
    manifest.verify(path.parent)
    about, *surveys = files.read(path).records
    return about, surveys


def test_packages_are_surveyed_recorded_sealed_and_patched(wilderness, capsys):
    project, listed, _ = wilderness
    assert wild.main([]) == 0
    about, surveys = recorded(project)
    assert (about.listed, about.missing) == (2, {})
    for survey, package in zip(surveys, listed, strict=True):
        assert (survey.package, survey.sha256) == (package.name, package.sha256)
        assert (survey.files, survey.expanding, survey.mentions) == (4, 3, 3)
        assert {(place.file, place.line, place.operation) for place in survey.taken} == {
            ("net/scale.py", 2, "multiply"), ("net/other.py", 3, "subtract"),
        }  # fmt: skip
        assert [(place.file, place.rule) for place in survey.left] == [
            ("net/other.py", "other-operand")
        ]
        assert list(survey.unparsed) == ["net/broken.py"]
        assert survey.has_the_line
    names = {path.name for path in (project / "build/patches").iterdir()}
    assert names == {"net-1.patch", "net-1.md", "old-2.patch", "old-2.md"}
    assert "4 expansions can go in 2 packages" in capsys.readouterr().err


def test_the_second_run_takes_everything_from_the_first(wilderness, capsys, monkeypatch):
    project, _, _ = wilderness
    wild.main([])
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    monkeypatch.setattr(index, "fetch", None)
    monkeypatch.setattr(rewriting, "examine", None)
    assert wild.main([]) == 0
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    assert "nothing changed" in capsys.readouterr().err


def test_the_text_of_a_pull_request_says_what_why_and_what_was_not_measured(wilderness):
    project, _, _ = wilderness
    wild.main([])
    text = (project / "build/patches/net-1.md").read_text()
    assert "removes 2 calls" in text
    assert "`net/scale.py`, line 2 (multiply): `return x * y.expand_as(x)`" in text
    assert "was not measured" in text
    assert "assert result.shape == x.shape" in text
    assert "the expansion is needed: 1 place." in text


@pytest.mark.parametrize(("change", "reason"), [
    ({"name": "nothere", "archive": "nothere-1.whl"}, "the index has no such file"),
    ({"archive": "net-9-py3-none-any.whl"}, "the index has no such file"),
    ({"sha256": "0" * 64}, "its bytes are not the listed ones"),
])  # fmt: skip
def test_a_package_that_cannot_be_had_is_named_and_the_rest_goes_on(
    wilderness, capsys, change, reason
):
    project, (net, old), write = wilderness
    write(net.model_copy(update=change), old)
    assert wild.main([]) == 1
    about, surveys = recorded(project)
    assert [survey.package for survey in surveys] == ["old"]
    assert reason in about.missing[change.get("name", "net")]
    assert [
        line
        for line in capsys.readouterr().err.splitlines()
        if "left out" in line and reason in line
    ]
    assert not list((project / "build/wild/archives").glob(".*"))


def test_a_hostile_archive_is_named_and_the_rest_goes_on(wilderness, tmp_path):
    project, (net, old), write = wilderness
    archive = wheel(tmp_path / "index/net" / net.archive, CODE | {"../../evil.py": LINE})
    write(net.model_copy(update={"sha256": hashlib.sha256(archive.read_bytes()).hexdigest()}), old)
    assert wild.main([]) == 1
    about, _ = recorded(project)
    assert "leads out of its folder" in about.missing["net"]
    assert not list(tmp_path.rglob("evil.py"))


def test_a_list_of_which_nothing_can_be_had_records_nothing(wilderness, capsys):
    project, (net, _), write = wilderness
    write(net.model_copy(update={"name": "nothere"}))
    assert wild.main([]) == 1
    assert "nothing is recorded" in capsys.readouterr().err
    assert not (project / "results").exists()


def test_an_entry_is_printed_for_a_release_that_the_index_has(wilderness, capsys):
    _, (net, _), _ = wilderness
    assert wild.main(["PIN=net==1"]) == 0
    assert capsys.readouterr().out == catalogue.entry(net)
    for word, reason in {"PIN=net==7": "no such release", "PIN=net": "allowed is a release",
                          "COLOUR=red": "no such parameter"}.items():  # fmt: skip
        assert wild.main([word]) == 1
        error = capsys.readouterr().err
        assert reason in error
        assert error.count("\n") == 1


def test_pips_settings_are_read_with_the_environments_before_a_files(monkeypatch):
    settings = (
        "global.index-url='file:///one'\n:env:.index-url='file:///two'\nglobal.trusted-host='a b'\n"
    )
    monkeypatch.setattr(subprocess, "run",
                        lambda *_, **__: subprocess.CompletedProcess([], 0, settings, "")
                        )  # fmt: skip
    assert index.pip_settings() == {"index-url": "file:///two", "trusted-host": "a b"}


def test_nothing_is_kept_of_what_a_stopped_run_left_half_done(wilderness):
    project, (net, _), _ = wilderness
    wild.main([])
    for path in (project / "build/wild/surveyed").glob("*.json"):
        path.write_text(path.read_text()[:50])
    assert wild.main([]) == 0
    assert len(recorded(project)[1]) == 2
    assert Path(project, "build/wild/archives", net.archive).exists()
