"""Hold the full contest of timers: `python benchmarks/instrument.py --help`."""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

from investigation.evidence.sealed import contest_targets
from investigation.evidence.sealed.contest import DOSES, PLANTS, ContestResult
from investigation.timing import contest

WRITE_EVERY = 20  # measurements


def main() -> int:
    """Run the contest, print its table, and return 1 if a target was missed."""
    options = parse()
    result = contest.run(
        options.trials,
        rival_trials=options.rival_trials,
        doses={plant: options.doses or DOSES[plant] for plant in options.plants},
        budget_s=options.budget,
        seed=options.seed,
        neighbour=options.neighbour,
        limit_s=options.limit,
        resume=saved(options.json) if options.resume else None,
        progress=progress_to(options.json),
    )
    if options.json:
        result.write(options.json)
    print(f"\n{contest_targets.table(result)}")
    return int(any(target.met is False for target in contest_targets.targets(result)))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=contest.__doc__)
    parser.add_argument("--trials", type=int, default=400, help="of ours, for each dose and plant")
    parser.add_argument("--rival-trials", type=int, default=100, help="the same of rivals")
    parser.add_argument("--doses", type=float, nargs="+", help="per cent, of every plant")
    parser.add_argument("--budget", type=float, default=0.6, help="seconds a comparison")
    parser.add_argument("--neighbour", action="store_true", help="load every core at random")
    parser.add_argument("--plants", nargs="+", default=PLANTS, choices=PLANTS, help="all three")
    parser.add_argument("--limit", type=float, default=math.inf, help="end after so many seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to keep trials and summary")
    parser.add_argument("--resume", action="store_true", help="go on with what --json holds")
    options = parser.parse_args()
    if options.resume and not options.json:
        parser.error("--resume needs --json")
    return options


def saved(path: Path) -> ContestResult | None:
    """Read the trials that an interrupted run kept."""
    return ContestResult.from_dict(json.loads(path.read_text())) if path.exists() else None


def progress_to(path: Path | None) -> Callable[[ContestResult, int, int], None]:
    """Print a line as it goes, and keep what is finished in `path`."""

    def report(result: ContestResult, done: int, total: int) -> None:
        if done % WRITE_EVERY == 0:
            print(f"\r{done} of {total}", end="", file=sys.stderr, flush=True)
            if path:
                result.write(path)

    return report


if __name__ == "__main__":
    sys.exit(main())
