"""What this investigation found in addition to the ticket, as claims like the others."""

from investigation.claims import history, questions, words
from investigation.claims.claim import Claim
from investigation.claims.rules import released, runtimes

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="X1",
        who=words.OURS,
        quote="once exported, a runtime writes the expansion out",
        read_as="A program that is exported to another runtime writes the gate to memory at the "
        "input's full size.",
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
        quote="a program is slower if it writes the expansion out, and only then",
        read_as="A program that writes the expansion to memory runs the block more slowly with "
        "it, at every workload. No other program does so, at any workload.",
        rule="Every program is judged at every workload, in both directions. Supported if every "
        "timing of a program that writes the expansion is slower, and every other timing is shown "
        "to be equal or faster. Qualified if some timings of such programs are slower, with "
        "exceptions on either side. Refuted if all of theirs are shown to be equal or faster. "
        "Untested otherwise, also where every program that was timed writes the expansion. "
        f"{words.MANY}",
        history=(
            history.OURS,
            history.COUNTED,
            history.MARGIN,
            history.EACH_SIZE,
            history.NOWHERE_ELSE,
        ),
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
        read_as="Removing the expansion from an exported program is as good as changing the "
        "source.",
        rule="A remedy is as good if the result is equal, the runtime runs exactly the steps that "
        "it runs from the changed source, and the block is shown to be equal in time or faster. "
        "Supported if every remedy tried is as good. Refuted if every remedy fails this. "
        f"Qualified if some are and some fail. Untested otherwise. {words.MANY}",
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
        read_as="One inference of a whole network, as its package releases it, takes longer with "
        "the line than with this project's patch.",
        rule="Each network is judged by itself in each runtime. Supported if all are slower. "
        "Qualified if some are slower; the verdict names these and those that are faster. Refuted "
        "if all are shown to be equal or faster. Untested if none is slower and some are "
        f"undecided. {words.MANY}",
        history=(history.WILD,),
        not_covered=words.OTHER_NETWORKS,
        chapters=(words.WILD,),
        cell="deciding-networks",
        needs=words.MEASURED_NETWORKS,
        decide=released.slower_for_it,
        questions={"timed": questions.RELEASED},
    ),
)
