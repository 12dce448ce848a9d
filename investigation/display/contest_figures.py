"""A contest of timers on a page: its picture, its tables, and the machine that it ran on."""

from collections.abc import Iterator, Mapping

from IPython.display import HTML, Markdown

from investigation.display import figures, recorded
from investigation.display.tables import folded, say, table
from investigation.evidence.sealed.contest import ContestResult


def verdicts(result: ContestResult, plant: str, alt: str, caption: str) -> HTML:
    """Return the verdicts of every method on one kind of plant, as a captioned figure."""
    shares = recorded.verdict_shares(result, plant)
    figure = figures.contest_verdicts(result.doses(plant), shares)
    return figures.show(figure, alt=alt, caption=caption)


def of_all(contests: Mapping[str, ContestResult]) -> Iterator[HTML]:
    """Return the figures of every recorded contest; beside a neighbour they are folded."""
    for name, result in contests.items():
        if result.settings.get("neighbour"):
            yield folded(f"The figures of {name}", *pictures(name, result))
        else:
            yield from pictures(name, result)


def pictures(name: str, result: ContestResult) -> Iterator[HTML]:
    """Return a figure for each kind of plant in a recorded contest of that name."""
    for plant in result.plants():
        caption = f"Verdicts by planted difference, recorded: {name}, {plant}."
        alt = f"Verdicts by planted difference in the contest, {name}, {plant}"
        yield verdicts(result, plant, alt, caption)


def numbers(result: ContestResult) -> Iterator[HTML | Markdown]:
    """Return what a recorded contest came to: its rates, its targets and its machine."""
    run = (target for target in recorded.targets(result) if target[""] != "not run")
    yield folded("The rates of each method", table(recorded.endpoints(result)))
    yield folded("The targets, and what was reached", table(run))
    made_on = f"Made on {recorded.machine(result.environment)}."
    yield say(f"{made_on} {recorded.ended_early(result)}")
