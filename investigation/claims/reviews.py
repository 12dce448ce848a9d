"""What the three reviews say."""

from investigation.claims import history, launches, questions, words
from investigation.claims.claim import Claim
from investigation.claims.rules import compiled, correctness, layouts, memory, time, training
from investigation.evidence.kinds.timings import STEP_CONFIDENCE

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="C1",
        who=words.CODE,
        quote="technically correct but low impact",
        read_as="The ticket is right that the call can go, and the change has little effect on a "
        "network's time.",
        rule="Supported if the outputs are equal with one dtype, a forward step of the host "
        "network is within ±1 % in both memory formats, and no multiply of two dtypes is slower "
        "by 10 % or more; qualified if only that last part fails; refuted if the network is "
        "slower or the outputs differ; untested if the network is inconclusive.",
        history=(history.FIRST, history.UNCLEAR),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST, words.BROADCASTING),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=time.low_impact,
        questions={
            "network": questions.NETWORK,
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
        "allocates 0 bytes; refuted otherwise.",
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
        read_as="In most settings the compiled program holds nothing of the expansion. “Typically” "
        "is read as: in more than half of the settings tried.",
        rule="Supported if the generated kernels are the same in every setting tried; qualified "
        "if only in some; refuted if in none.",
        history=(history.FIRST,),
        not_covered=words.OTHER_COMPILERS,
        chapters=(words.COMPILED, words.GPU),
        cell="deciding-kernels",
        needs=words.BUILT,
        decide=compiled.elided,
        questions={"kernels": questions.agreement("kernels")},
    ),
    Claim(
        id="C4",
        who=words.CODE,
        quote="worth it for clarity, unlikely to give measurable gains",
        read_as="Taking the call out is unlikely to save time that one could measure. Whether the "
        "line then reads more clearly is for its readers to judge.",
        rule="The gain only; clarity is the reader's to judge. Supported if nothing comes out "
        f"slower with `expand_as`; qualified if a multiply does ({words.FAMILY}) and the network "
        "does not, in a forward step or a training step; refuted if the network does; untested "
        "if the network is inconclusive.",
        history=(history.FIRST, history.MANY, history.UNCLEAR, history.TRAINING_STEP),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST, words.TRAINING),
        cell="deciding-levels",
        needs=f"{words.TIMED}, and {words.TRAINED}",
        decide=time.measurable_gain,
        questions={
            "network": questions.NETWORK,
            "training": questions.TRAINING,
            "multiply": questions.MULTIPLY,
            "mixed_multiply": questions.MIXED_MULTIPLY,
        },
    ),
    Claim(
        id="D1",
        who=words.DRL,
        quote="minimal impact on training",
        read_as="Training takes as long and goes the same way with the call. “Minimal” is read as: "
        "within 1 % of a step's time, and with the same losses.",
        rule="Supported if a training step of the host network is within ±1 % in both memory "
        f"formats (each judged at {100 * STEP_CONFIDENCE:g} %, because there are "
        "two) and in every training run tried the losses are the same bit for bit; qualified if "
        "only in some of the runs; refuted if in none, or if a step is slower or faster by more "
        "than 1 %; untested while a step's interval reaches across ±1 %.",
        history=(history.FIRST, history.D1_FORMATS),
        not_covered=words.OTHER_TRAINING,
        chapters=(words.TRAINING,),
        cell="deciding-training",
        needs=words.TRAINED,
        decide=training.minimal_in_training,
        questions={"training": questions.TRAINING, "runs": questions.TRAINING_RUNS},
    ),
    Claim(
        id="D2",
        who=words.DRL,
        quote="SE recalibration is cheap, and the view allocates nothing",
        read_as="The SE blocks cost little of a network's time, and the view allocates nothing. "
        "“Cheap” is read as: at most 10 % of a forward step.",
        rule="Supported if the view allocates 0 bytes and the host network's six SE blocks add "
        "at most 10 % to its forward step, by the interval's upper end, in both memory formats; "
        "qualified if only the view's part holds; refuted if the view allocates.",
        history=(history.FIRST,),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST, words.STRIDES),
        cell="deciding-recalibration",
        needs=words.TIMED,
        decide=time.cheap_recalibration,
        questions={"recalibration": questions.RECALIBRATION, "view": questions.VIEW},
    ),
    Claim(
        id="D3",
        who=words.DRL,
        quote="TorchInductor typically fuses this pattern regardless",
        read_as="In most settings the compiler fuses the scale step with its neighbours in both "
        "forms alike. “Typically” is read as: in more than half of the settings tried.",
        rule="Supported if both forms compile to the same number of kernels, with the scale step "
        "in none of its own, in every setting tried; qualified if only in some; refuted if none. "
        "Where the multiply is all there is, it has nothing to be fused with, and the number "
        "decides.",
        history=(history.FIRST, history.MULTIPLY_ALONE),
        not_covered=words.OTHER_COMPILERS,
        chapters=(words.COMPILED, words.GPU),
        cell="deciding-fusion",
        needs=words.BUILT,
        decide=compiled.fused,
        questions={"fusion": questions.agreement("fused")},
    ),
    Claim(
        id="D4",
        who=words.DRL,
        quote="if channels_last is used, verify that broadcasting semantics stay identical before "
        "changing",
        read_as="A request: compare both forms on channels_last before the line is changed.",
        rule="A request: supported if every pairing with a channels_last input, and the block's "
        "forward and backward on one, detached or not, has the same values and strides in both "
        "forms; refuted if one differs.",
        history=(history.FIRST,),
        not_covered=words.ELSEWHERE,
        chapters=(words.LAYOUT,),
        cell="deciding-layouts",
        needs="a run of the channels_last chapter",
        decide=layouts.channels_last_verified,
        questions={"layouts": questions.LAYOUTS, "blocks": questions.BLOCKS},
        eager_cuda=launches.SAME_LAYOUTS,
    ),
    Claim(
        id="P1",
        who=words.PYTORCH,
        quote="negligible impact",
        read_as="The call has no effect on a network's time that matters: it stays within 1 %.",
        rule="Supported if a forward step of the host network is within ±1 % in both memory "
        "formats and no multiply of two dtypes is slower by 10 % or more; qualified if only the "
        "network's part holds; refuted if the network is slower; untested if it is inconclusive.",
        history=(history.FIRST, history.UNCLEAR),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST,),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=time.negligible,
        questions={"network": questions.NETWORK, "mixed_multiply": questions.MIXED_MULTIPLY},
    ),
    Claim(
        id="P2",
        who=words.PYTORCH,
        quote="a strided view, no memory allocation",
        read_as="The view allocates nothing, and neither does the line with it, beside its output.",
        rule="Supported if the view allocates 0 bytes and the whole line asks for no more memory "
        "with it than without, in every setting tried; qualified if only the view's part holds; "
        "refuted if the view allocates.",
        history=(history.FIRST,),
        not_covered=words.ELSEWHERE,
        chapters=(words.STRIDES,),
        cell="deciding-allocation",
        needs="a run of the strides chapter",
        decide=memory.no_allocation,
        questions={"view": questions.VIEW, "mixed_memory": questions.MIXED_MEMORY},
        eager_cuda=launches.NO_MEMORY,
    ),
    Claim(
        id="P3",
        who=words.PYTORCH,
        quote="fused identically to x * y under torch.compile",
        read_as="`torch.compile` makes the very same program of both forms.",
        rule="Supported if the generated source, names aside, is the same in every setting tried; "
        "qualified if only in some; refuted if in none.",
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
        read_as="The longer line tells a reader something that `x * y` alone does not: the output "
        "has the input's shape. Whether that reads better is taste.",
        rule="Whether it reads well is taste. Supported if the program holds to the documented "
        "intent: `expand_as` refuses gate shapes that `x * y` accepts; refuted if it refuses "
        "nothing more.",
        history=(history.FIRST,),
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
        read_as="The change does nothing but tidy up: time, memory, outputs and the shapes that "
        "are accepted stay as they are.",
        rule="Supported if outputs, accepted shapes, memory and the network's time are the same; "
        "qualified if the network's time is but shapes or memory are not; refuted if the network "
        "is slower with `expand_as`; untested if it is inconclusive.",
        history=(history.FIRST, history.UNCLEAR),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST, words.STRIDES, words.BROADCASTING),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=time.stylistic,
        questions={
            "network": questions.NETWORK,
            "mixed_memory": questions.MIXED_MEMORY,
            "accepted": questions.ACCEPTED,
        },
    ),
)
