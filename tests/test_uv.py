"""uv installs, and finds what pip would: with the settings that a person gave pip."""

import itertools
import os
import subprocess
import sys
import zipfile

import pytest

from pipeline.upkeep import uv

LISTED = """\
:env:.default-timeout='180'
:env:.find-links='/wheels https://one.example/links'
global.cert='/etc/bundle.pem'
global.extra-index-url='\\nfile:///here/simple\\nfile:///there/simple'
global.find-links='/elsewhere'
global.constraint='/etc/first.txt'
install.constraint='/etc/second.txt'
list.format='columns'
"""


def after(option, words):
    """Return the values that are given to an option."""
    return [value for word, value in itertools.pairwise(words) if word == option]


def test_uv_gets_what_pip_was_told():
    words = list(uv.options(uv.settings(LISTED)))
    assert after("--find-links", words) == ["/wheels", "https://one.example/links"]
    assert after("--extra-index-url", words) == ["file:///here/simple", "file:///there/simple"]
    assert after("--constraint", words) == ["/etc/second.txt"]
    assert "--no-index" not in words


def test_without_settings_only_pips_choice_among_indexes_is_kept():
    assert list(uv.options({})) == ["--index-strategy", "unsafe-best-match"]


@pytest.mark.parametrize(("typed", "expected"), [("1", True), ("True", True), ("0", False)])
def test_no_index_is_a_flag(typed, expected):
    assert ("--no-index" in uv.options({"no-index": typed})) is expected


def test_what_uv_reads_from_its_environment_is_set_unless_it_is_there():
    given = uv.settings(LISTED)
    assert uv.environment(given, {"PATH": "p"}) == {
        "PATH": "p",
        "SSL_CERT_FILE": "/etc/bundle.pem",
        "UV_HTTP_TIMEOUT": "180",
    }
    assert uv.environment(given, {"SSL_CERT_FILE": "mine"})["SSL_CERT_FILE"] == "mine"


# For real, from a folder of wheels and two indexes on this disk.


def wheel(folder, version):
    """Write the smallest wheel of a package that is called `small`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"small-{version}-py3-none-any.whl"
    info = f"small-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("small.py", f"version = '{version}'\n")
        packed.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: small\nVersion: {version}\n"
        )
        packed.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        packed.writestr(f"{info}/RECORD", "")
    return path


def index(folder, *wheels):
    """Write an index of these wheels; return its address."""
    page = folder / "small" / "index.html"
    page.parent.mkdir(parents=True)
    links = (f'<a href="{path.as_uri()}">{path.name}</a>' for path in wheels)
    page.write_text(f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>")
    return folder.as_uri()


@pytest.fixture
def install(tmp_path):
    """Install with pip's settings from a file; return what was printed, and the module."""

    def command(requirement, **settings):
        lines = [f"{name.replace('_', '-')} = {value}" for name, value in settings.items()]
        (tmp_path / "pip.conf").write_text("\n".join(["[global]", *lines, ""]))
        mine = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
        mine |= {
            "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
            "UV_CACHE_DIR": str(tmp_path / "cache"),
        }
        into = ["--python", sys.executable, "--target", str(tmp_path / "target"), requirement]
        done = subprocess.run([sys.executable, "-P", uv.__file__, *into], env=mine, check=False,
                              capture_output=True, text=True)  # fmt: skip
        module = tmp_path / "target" / "small.py"
        return done.stderr, module.read_text() if module.exists() else None

    return command


def test_a_build_of_ones_own_goes_before_the_same_version_of_an_index(tmp_path, install):
    """As for torch, whose build for processors only is gigabytes smaller than the index's."""
    wheel(tmp_path / "wheels", "1.0+cpu")
    main = index(tmp_path / "main", wheel(tmp_path / "files", "1.0"))
    (tmp_path / "empty").mkdir()
    extra = f"{(tmp_path / 'empty').as_uri()} {(tmp_path / 'nowhere').as_uri()}"
    settings = {"find_links": tmp_path / "wheels", "index_url": main, "extra_index_url": extra}
    assert install("small==1.0", **settings) == ("", "version = '1.0+cpu'\n")


def test_the_best_version_of_all_indexes_is_taken_within_the_constraints(tmp_path, install):
    old, new, newest = (wheel(tmp_path / "files", version) for version in ("1.0", "2.0", "3.0"))
    settings = {"extra_index_url": index(tmp_path / "old", old),
            "index_url": index(tmp_path / "new", new, newest)}  # fmt: skip
    (tmp_path / "constraints.txt").write_text("small<3\n")
    error, module = install("small", **settings, constraint=tmp_path / "constraints.txt")
    assert (error, module) == ("", "version = '2.0'\n")


def test_without_an_index_only_ones_own_wheels_are_found(tmp_path, install):
    main = index(tmp_path / "main", wheel(tmp_path / "files", "1.0"))
    error, module = install("small==1.0", index_url=main, no_index="true")
    assert module is None
    assert "small was not found" in error


def test_settings_that_pip_cannot_read_are_said_in_one_line(install):
    error, module = install("small", index_url="here\nnonsense")
    assert module is None
    assert error.startswith("error: pip's settings cannot be read: ")
    assert error.count("\n") == 1
