"""What a reader of the first page can choose among, and what each choice shows."""

from collections import Counter
from collections.abc import Sequence

from investigation.evidence.records import Evidence
from pipeline.pages.answers import Answer
from pipeline.pages.decisions import Decision
from pipeline.pages.settings import CPU, Setting
from pipeline.pages.versions import Versions, short


def choices(
    evidences: Sequence[Evidence],
    answers: Sequence[Answer],
    decisions: Sequence[Decision],
    versions: Versions,
) -> dict[str, object]:
    """Return the settings, devices, inputs and threads, the usual first, and each decision.

    `releases` has a sentence for each release of torch: what of the evidence holds there.
    """
    shaped = {run.notebook for run in evidences if "shape" in run.parameters}
    decided = [
        {
            "name": decision.setting.name,
            "device": decision.setting.device,
            "change": decision.change,
            "sizes": dict(decision.by_size),
            "command": command(decision.setting),
            "shape": decision.setting.chapter in shaped and decision.setting.device == CPU,
        }
        for decision in decisions
    ]
    sizes = Counter(answer.size for answer in answers)
    return {
        "decisions": decided,
        "settings": list(dict.fromkeys(row["name"] for row in decided)),
        "devices": list(dict.fromkeys(row["device"] for row in decided)),
        "sizes": [size for size, _ in sizes.most_common()],
        "threads": list(dict.fromkeys(answer.timing.threads for answer in answers)),
        "releases": releases(evidences, versions),
    }


def command(setting: Setting) -> str:
    """Return what a reader types to measure a setting."""
    return f"make rerun NOTEBOOK={setting.chapter}" if setting.device == CPU else "make gpu"


def releases(evidences: Sequence[Evidence], versions: Versions) -> list[dict[str, str]]:
    """Return what is known of each release of torch: this run's own first, then the newest.

    A list, since the page's JSON sorts what has keys.
    """
    own = short(evidences[-1].environment.torch)
    others = [release for release in reversed(list(versions.evidences)) if release != own]
    return [{"release": own, "known": ""}] + [
        {
            "release": release,
            "known": f"With torch {release} no time was measured. "
            f"{versions.compared(release, own)}",
        }
        for release in others
    ]
