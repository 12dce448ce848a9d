"""What this investigation found beside the ticket, put as claims like the others."""

from investigation.claims import history, questions, words
from investigation.claims.claim import Claim
from investigation.claims.rules import runtimes
from investigation.evidence.kinds.timings import PLACEMENT

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="X1",
        who=words.OURS,
        quote="once exported, a runtime writes the expansion out",
        read_as="A program exported for another runtime writes the gate out at the input's full "
        "size.",
        rule="Supported if every exported runtime that runs here writes more bytes with "
        "`expand_as` than without, by its own profile or plan; qualified if only some do; "
        "refuted if none does.",
        history=(history.OURS,),
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
        read_as="Programs that write the expansion out run the block more slowly than without it, "
        "and no other program does.",
        rule="A runtime counts as slower if the block is at one workload or more, by more than "
        f"{100 * PLACEMENT:g} % ({words.FAMILY}). Supported if all exported runtimes "
        "that write the expansion out are slower and no other is; qualified with exceptions; "
        "refuted if none of those that write it out is.",
        history=(history.OURS,),
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
        rule="Supported if with every remedy tried the result is equal, the runtime runs the very "
        "steps that it runs from the changed source, and the block is not slower by more than "
        f"{100 * PLACEMENT:g} % ({words.FAMILY}); qualified if with some; refuted if "
        "with none.",
        history=(history.OURS, history.SAME_STEPS),
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
)
