"""What this investigation found in addition to the ticket, as claims like the others."""

from investigation.claims import history, questions, words
from investigation.claims.claim import Claim
from investigation.claims.rules import released, runtimes

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="X1",
        who=words.OURS,
        quote="once exported, a runtime writes the expansion out",
        read_as="A program that is exported to another runtime writes the gate out at the input's "
        "full size.",
        rule="Supported if every exported program that runs here writes more bytes with "
        "`expand_as` than without, by its own profile or plan. Qualified if only some do. "
        "Refuted if none does.",
        history=(history.OURS, history.COUNTED),
        not_covered=words.OTHER_RUNTIMES,
        chapters=(words.RUNTIMES,),
        cell="deciding-runtimes",
        needs=words.EXPORTED,
        decide=runtimes.written_out,
        questions={"tried": questions.TRIED, "exported": questions.EXPORTED},
    ),
    Claim(
        id="X2",
        who=words.OURS,
        quote="where it is written out the block is slower, and nowhere else",
        read_as="Programs that write the expansion out run the block more slowly with it, at every "
        "workload, and no other program does at any.",
        rule="Read at every workload and in both directions. Supported if every timing of a "
        "program that writes the expansion out is slower and every other is shown equal or "
        "faster. Qualified if some of the former are slower, with exceptions on either side. "
        f"Refuted if none of the former is slower. Untested otherwise. {words.MANY}",
        history=(history.OURS, history.COUNTED, history.MARGIN, history.EACH_SIZE),
        not_covered=words.OTHER_RUNTIMES,
        chapters=(words.RUNTIMES,),
        cell="deciding-cost",
        needs=words.EXPORTED,
        decide=runtimes.written_costs,
        questions={
            "tried": questions.TRIED,
            "exported": questions.EXPORTED,
            "blocks": questions.EXPORTED_BLOCKS,
        },
    ),
    Claim(
        id="X3",
        who=words.OURS,
        quote="an exported graph can be mended as well as its source",
        read_as="Taking the expansion out of an exported program does as well as changing the "
        "source.",
        rule="A remedy does as well if the result is equal, the runtime runs the very steps that "
        "it runs from the changed source, and the block is shown to be equal in time or faster. "
        "Supported if every remedy tried does. Refuted if none does. Qualified if some do and "
        f"some do not. Untested otherwise. {words.MANY}",
        history=(
            history.OURS,
            history.SAME_STEPS,
            history.MARGIN,
            history.SHOWN,
            history.EACH_SIZE,
        ),
        not_covered=words.OTHER_RUNTIMES,
        chapters=(words.RUNTIMES,),
        cell="deciding-remedies",
        needs=words.EXPORTED,
        decide=runtimes.mended_without_the_source,
        questions={
            "tried": questions.TRIED,
            "remedies": questions.REMEDIES,
            "remedied": questions.REMEDIED_BLOCKS,
        },
    ),
    Claim(
        id="X4",
        who=words.OURS,
        quote="a whole deployed network is slower for it",
        read_as="One inference of a whole network, as a package releases it, takes longer with "
        "the line than with the project's patch.",
        rule="Each network in each runtime is judged by itself. Supported if all are slower. "
        "Qualified if some are, with those that are and those that are faster named. Refuted if "
        "each is equal or faster. Untested if none is slower and some are undecided. "
        f"{words.MANY}",
        history=(history.WILD,),
        not_covered=words.OTHER_NETWORKS,
        chapters=(words.WILD,),
        cell="deciding-networks",
        needs=words.MEASURED_NETWORKS,
        decide=released.slower_for_it,
        questions={"timed": questions.RELEASED},
    ),
)
