"""The claims of the review from the side of reinforcement learning (DRL)."""

from investigation.claims import history, launches, questions, words
from investigation.claims.claim import Claim
from investigation.claims.rules import compiled, layouts, time, training

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="D1",
        who=words.DRL,
        quote="minimal impact on training",
        read_as="Training takes the same time with the call, and its losses are the same. "
        "“Minimal” is read as: within 1 % of a step's time, and with the same losses.",
        rule=f"Supported if a training step of the host network is {words.EQUAL}, "
        f"{words.BOTH_FORMATS}, and the losses are the same bit for bit in every training run. "
        "Qualified if the step is equal, but the losses are the same only in some runs. Refuted "
        "if the losses are the same in no run, or if a step is slower or faster. Untested "
        f"otherwise. {words.TWO_STEPS}",
        history=(history.FIRST, history.D1_FORMATS, history.IN_PLACE),
        not_covered=words.OTHER_TRAINING,
        chapters=(words.TRAINING,),
        cell="deciding-training",
        needs=words.TRAINED,
        decide=training.minimal_in_training,
        questions={"training": questions.TRAINING_IN_PLACE, "runs": questions.TRAINING_RUNS},
    ),
    Claim(
        id="D2",
        who=words.DRL,
        quote="SE recalibration is cheap, and the view allocates nothing",
        read_as="The SE blocks take little of a network's time, and the view allocates nothing. "
        f"“Cheap” is read as: less than {words.LARGE} of a forward step.",
        rule="Supported if the view allocates 0 bytes and the host network's six SE blocks are "
        f"shown to add less than {words.LARGE} to its forward step, {words.BOTH_FORMATS}. "
        f"Qualified if they are shown to add more than {words.LARGE} in one of them. Refuted if "
        f"the view allocates. Untested otherwise. {words.EDGE}",
        history=(history.FIRST, history.CHEAP),
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
        read_as="In most settings the compiler fuses the scale step with its neighbours, in both "
        "forms. “Typically” is read as: in more than half of the settings tried.",
        rule="Supported if, for every target, both forms compile to the same number of kernels in "
        "more than half of the settings, and none of these kernels does a block's scale step "
        "alone. Qualified if this holds in fewer settings, or only for some targets. Refuted if it "
        "holds in none. Without a compiled block nothing is decided: a multiply alone has "
        "nothing to be fused with, and for it only the number of kernels counts.",
        history=(
            history.FIRST,
            history.MULTIPLY_ALONE,
            history.TYPICALLY,
            history.KERNELS_TEXT,
            history.A_BLOCK,
        ),
        not_covered=words.OTHER_COMPILERS,
        chapters=(words.COMPILED, words.GPU),
        cell="deciding-fusion",
        needs=words.BUILT,
        decide=compiled.fused,
        questions={
            "fusion": questions.agreement("fused"),
            "blocks": questions.COMPILED_BLOCKS,
        },
    ),
    Claim(
        id="D4",
        who=words.DRL,
        quote="if channels_last is used, verify that broadcasting semantics stay identical before "
        "changing",
        read_as="A request: compare both forms on channels_last before you change the line.",
        rule="Done if two things were compared with one dtype and have the same values and "
        "strides in both forms: every pairing with an input in channels_last order, and the "
        "block's forward and backward pass on such an input, detached or not. Two dtypes belong "
        "to T4. Not done if they were not compared, or "
        "if one differs.",
        history=(history.FIRST, history.REQUEST, history.ONE_DTYPE_LAYOUTS),
        not_covered=words.ELSEWHERE,
        chapters=(words.LAYOUT,),
        cell="deciding-layouts",
        needs="a run of the channels_last chapter",
        decide=layouts.channels_last_verified,
        questions={"layouts": questions.LAYOUTS, "blocks": questions.BLOCKS},
        eager_cuda=launches.SAME_LAYOUTS,
        unanswered="not_done",
    ),
)
