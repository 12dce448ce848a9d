import subprocess

import pytest

from investigation.evidence import environment


def test_the_processor_is_named_from_linux_table(tmp_path):
    table = tmp_path / "cpuinfo"
    table.write_text("processor : 0\nmodel name : Some CPU 9000\n")
    assert environment.processor_name(table) == "Some CPU 9000"
    assert environment.processor_name(tmp_path / "missing")


def test_an_environment_says_all_that_a_comparison_needs():
    described = environment.describe(threads=3)
    assert described.threads == 3
    assert described.torch
    assert described.cores >= 1


@pytest.mark.parametrize(
    "fault", [FileNotFoundError("git"), subprocess.CalledProcessError(1, "git")]
)
def test_without_git_the_revision_is_unknown(monkeypatch, fault):
    def run(*_, **__):
        raise fault

    environment.revision.cache_clear()
    monkeypatch.setattr(environment.subprocess, "run", run)
    assert environment.revision() == "unknown"
    environment.revision.cache_clear()
