"""The claims of the PyTorch review."""

from investigation.claims import history, launches, questions, words
from investigation.claims.claim import Claim
from investigation.claims.rules import compiled, correctness, memory, style, time

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="P1",
        who=words.PYTORCH,
        quote="negligible impact",
        read_as="The call has no relevant effect on a network's time.",
        rule=f"Supported if the network's forward step is {words.EQUAL}, {words.BOTH_FORMATS}, and "
        f"every multiply of two dtypes is shown to be less than {words.LARGE} slower. Qualified if "
        f"some of these multiplies are {words.LARGE} slower or more. Refuted if the step is slower "
        f"or faster. Untested otherwise. {words.TWO_STEPS} {words.MANY} {words.EDGE}",
        history=(
            history.FIRST,
            history.UNCLEAR,
            history.MARGIN,
            history.IN_PLACE,
            history.BOTH_WAYS,
        ),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST,),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=time.negligible,
        questions={
            "network": questions.NETWORK_IN_PLACE,
            "mixed_multiply": questions.MIXED_MULTIPLY,
        },
    ),
    Claim(
        id="P2",
        who=words.PYTORCH,
        quote="a strided view, no memory allocation",
        read_as="In eager mode the view allocates nothing, and the line needs no more memory with "
        "it.",
        rule="Supported if the view allocates 0 bytes and the whole line requests no more memory "
        "with it than without, with one dtype and with two. Qualified if only the view allocates "
        "nothing. Refuted if the view allocates.",
        history=(history.FIRST, history.SAME_DTYPE_MEMORY),
        not_covered=words.ELSEWHERE,
        chapters=(words.STRIDES,),
        cell="deciding-allocation",
        needs="a run of the strides chapter",
        decide=memory.no_allocation,
        questions={
            "view": questions.VIEW,
            "same_memory": questions.SAME_MEMORY,
            "mixed_memory": questions.MIXED_MEMORY,
        },
        eager_cuda=launches.NO_MEMORY,
    ),
    Claim(
        id="P3",
        who=words.PYTORCH,
        quote="fused identically to x * y under torch.compile",
        read_as="`torch.compile` generates exactly the same program from both forms.",
        rule="Supported if the generated source, names aside, is the same in every setting tried. "
        "Qualified if it is the same only in some. Refuted if in none.",
        history=(history.FIRST,),
        not_covered=words.OTHER_COMPILERS,
        chapters=(words.COMPILED, words.GPU),
        cell="deciding-kernels",
        needs=words.BUILT,
        decide=compiled.identical,
        questions={"source": questions.agreement("source")},
    ),
    Claim(
        id="P4",
        who=words.PYTORCH,
        quote="the explicit expand documents intent",
        read_as="The longer line tells a reader what `x * y` alone does not: the output has the "
        "input's shape. Whether it reads better is a matter of taste.",
        rule="Supported if `x * y` accepts gate shapes that make its output larger than the "
        "input: then it does not tell the output's shape. Refuted if it accepts none: then it "
        "tells as much. `expand_as` also refuses such gates, but the claim does not say so.",
        history=(history.FIRST, history.TELLS),
        not_covered=words.ELSEWHERE,
        chapters=(words.BROADCASTING,),
        cell="deciding-acceptance",
        needs="a run of the broadcasting chapter",
        decide=correctness.documents_intent,
        questions={"accepted": questions.ACCEPTED},
    ),
    Claim(
        id="P5",
        who=words.PYTORCH,
        quote="low priority; only as stylistic cleanup",
        read_as="The change only tidies up: time, memory, outputs and accepted shapes stay the "
        "same.",
        rule=f"Supported if the network's forward step is {words.EQUAL}, {words.BOTH_FORMATS}, and "
        "memory, output bits and accepted shapes are the same, with one dtype and with two. "
        "Qualified if the step is equal and one of the others is not the same. Refuted if the "
        f"step is slower or faster. Untested otherwise. {words.TWO_STEPS}",
        history=(
            history.FIRST,
            history.UNCLEAR,
            history.MARGIN,
            history.IN_PLACE,
            history.BOTH_WAYS,
            history.BITS,
            history.ONE_DTYPE_TOO,
        ),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST, words.STRIDES, words.BROADCASTING),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=style.stylistic,
        questions={
            "network": questions.NETWORK_IN_PLACE,
            "same_memory": questions.SAME_MEMORY,
            "mixed_memory": questions.MIXED_MEMORY,
            "accepted": questions.ACCEPTED,
            "same_dtype": questions.SAME_DTYPE,
            "mixed_dtypes": questions.MIXED_DTYPES,
        },
    ),
)
