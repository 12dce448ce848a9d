"""What a reader of the first page can choose among, and what each choice shows."""

from collections import Counter
from collections.abc import Iterable, Sequence

from investigation.evidence.records import Evidence
from pipeline.pages.answers import Answer
from pipeline.pages.decisions import Decision
from pipeline.pages.settings import CPU, Setting


def choices(
    evidences: Iterable[Evidence], answers: Iterable[Answer], decisions: Sequence[Decision]
) -> dict[str, object]:
    """Return the settings, devices and inputs, the usual inputs first, and each decision."""
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
    }


def command(setting: Setting) -> str:
    """Return what a reader types to measure a setting."""
    return f"make rerun NOTEBOOK={setting.chapter}" if setting.device == CPU else "make gpu"
