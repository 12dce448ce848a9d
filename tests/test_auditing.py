import json

import pytest

from pipeline.upkeep.auditing import judged

KNOWN = {"id": "GHSA-1", "fix_versions": ["1.1"]}
SOUND = {"name": "sound", "version": "1.0", "vulns": []}
WEAK = {"name": "weak", "version": "1.0", "vulns": [KNOWN, KNOWN | {"fix_versions": []}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


def of(*packages):
    return judged(json.dumps({"dependencies": packages}), "")


def test_a_known_vulnerability_fails_the_audit_and_says_what_fixes_it():
    status, lines = of(SOUND, WEAK, UNKNOWN)
    assert status == 1
    assert lines == [
        "weak 1.0: GHSA-1, fixed in 1.1",
        "weak 1.0: GHSA-1, fixed in no version yet",
        "error: 2 known vulnerabilities; 2 of 3 packages audited",
    ]


def test_sound_packages_pass_and_the_unknown_are_not_counted_as_sound():
    assert of(SOUND, UNKNOWN) == (0, ["1 of 2 packages audited, none with a known vulnerability"])


def test_a_database_that_knows_nothing_has_audited_nothing():
    status, (line,) = of(UNKNOWN, UNKNOWN)
    assert (status, line) == (0, "audit skipped: the database answered for none of 2 packages")


@pytest.mark.parametrize("output", ["", "not json", "[]", "{}"])
def test_without_an_answer_the_audit_is_skipped_with_a_word(output):
    status, (line,) = judged(output, "some noise\nConnectionError: unreachable\n\n")
    assert status == 0
    assert line == "audit skipped, there was no answer: ConnectionError: unreachable"
