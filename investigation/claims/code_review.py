"""The claims of the code review."""

from investigation.claims import history, launches, questions, words
from investigation.claims.claim import Claim
from investigation.claims.rules import compiled, memory, time

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="C1",
        who=words.CODE,
        quote="technically correct but low impact",
        read_as="The ticket is right that the call can be removed, and the call has little effect "
        "on the time of a network.",
        rule="Supported if the outputs are the same with one dtype, the network's forward step is "
        f"{words.EQUAL}, {words.BOTH_FORMATS}, and every multiply of two dtypes is shown to be "
        f"less than {words.LARGE} slower. Qualified if some of these multiplies are {words.LARGE} "
        "slower or more. Refuted if the outputs differ, or if the step is slower or faster. "
        f"Untested otherwise. {words.TWO_STEPS} {words.MANY} {words.EDGE}",
        history=(
            history.FIRST,
            history.UNCLEAR,
            history.MARGIN,
            history.IN_PLACE,
            history.BOTH_WAYS,
        ),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST, words.BROADCASTING),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=time.low_impact,
        questions={
            "network": questions.NETWORK_IN_PLACE,
            "mixed_multiply": questions.MIXED_MULTIPLY,
            "same_dtype": questions.SAME_DTYPE,
        },
    ),
    Claim(
        id="C2",
        who=words.CODE,
        quote="a strided, zero-copy view",
        read_as="What `expand_as` returns reads the gate's own memory and allocates nothing.",
        rule="Supported if `gate.expand_as(x)` shares the gate's storage, is a view and "
        "allocates 0 bytes. Refuted otherwise.",
        history=(history.FIRST,),
        not_covered=words.ELSEWHERE,
        chapters=(words.STRIDES,),
        cell="deciding-view",
        needs="a run of the strides chapter",
        decide=memory.zero_copy_view,
        questions={"view": questions.VIEW},
        eager_cuda=launches.NO_MEMORY,
    ),
    Claim(
        id="C3",
        who=words.CODE,
        quote="TorchInductor typically elides it during fusion",
        read_as="In most settings nothing of the expansion is left in the compiled program. "
        "“Typically” is read as: in more than half of the settings tried.",
        rule="Supported if, for every target, the program of `expand_as` has no additional kernel "
        "and no additional tensor as large as the input in more than half of the settings. "
        "Qualified if this holds in fewer settings, or only for some targets. Refuted if it holds "
        "in none. A smaller tensor does not count; one in the memory of another does. Older "
        "evidence does not tell the sizes: there every additional tensor counts.",
        history=(history.FIRST, history.ELIDED, history.FULL_SIZE),
        not_covered=words.OTHER_COMPILERS,
        chapters=(words.COMPILED, words.GPU),
        cell="deciding-kernels",
        needs=words.BUILT,
        decide=compiled.elided,
        questions={"elided": questions.agreement("elided")},
    ),
    Claim(
        id="C4",
        who=words.CODE,
        quote="worth it for clarity, unlikely to give measurable gains",
        read_as="Removing the call is unlikely to save a measurable time. Whether the line is then "
        "clearer is for its readers to judge.",
        rule="Supported if nothing is slower with `expand_as` and everything is shown to be equal "
        "or faster. Qualified if the multiply or the block alone is slower, but the network's "
        "steps (forward and training) are shown to be equal or faster. Refuted if a step is "
        f"slower. Untested otherwise. {words.TWO_STEPS} {words.MANY}",
        history=(
            history.FIRST,
            history.MANY,
            history.UNCLEAR,
            history.TRAINING_STEP,
            history.MARGIN,
            history.IN_PLACE,
            history.SHOWN,
            history.EVERY_PART,
        ),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST, words.TRAINING),
        cell="deciding-levels",
        needs=f"{words.TIMED}, and {words.TRAINED}",
        decide=time.measurable_gain,
        questions={
            "network": questions.NETWORK_IN_PLACE,
            "training": questions.TRAINING_IN_PLACE,
            "multiply": questions.MULTIPLY,
            "sizes": questions.SIZES,
            "blocks": questions.EAGER_BLOCKS,
            "mixed_multiply": questions.MIXED_MULTIPLY,
        },
    ),
)
