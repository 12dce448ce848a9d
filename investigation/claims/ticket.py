"""What the ticket says, and what it asks to verify."""

from investigation.claims import history, launches, questions, words
from investigation.claims.claim import Claim
from investigation.claims.rules import calls, correctness, layouts, memory, time

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="T1",
        who=words.TICKET,
        quote="expand_as() creates an unnecessary intermediate tensor",
        read_as="The line makes a tensor that owns memory, and `x * y` alone does not.",
        rule="Supported if the line asks for more memory with `expand_as` than without in every "
        "setting tried: with one dtype and with two, by the allocator's word, and in every "
        "exported runtime, by its profile or plan; qualified if only in some, or if what it "
        "creates is a tensor object that owns no memory; refuted if it creates neither.",
        history=(history.FIRST, history.RUNTIMES),
        not_covered=words.ELSEWHERE,
        chapters=(words.STRIDES, words.RUNTIMES),
        cell="deciding-allocation",
        needs="a run of the strides chapter",
        decide=memory.intermediate,
        questions={
            "view": questions.VIEW,
            "same_memory": questions.SAME_MEMORY,
            "mixed_memory": questions.MIXED_MEMORY,
            "exported": questions.EXPORTED,
        },
        eager_cuda=launches.NO_MEMORY,
    ),
    Claim(
        id="T2",
        who=words.TICKET,
        quote="it creates an unnecessary view where broadcasting handles the operation natively",
        read_as="`expand_as` makes a view, and the product is the same without it.",
        rule="Supported if `expand_as` returns a view and the product has the same bits without "
        "it, for every dtype that multiplies; refuted otherwise.",
        history=(history.FIRST,),
        not_covered=words.ELSEWHERE,
        chapters=(words.STRIDES, words.BROADCASTING),
        cell="deciding-view",
        needs="a run of the strides and broadcasting chapters",
        decide=correctness.unnecessary_view,
        questions={"view": questions.VIEW, "same_dtype": questions.SAME_DTYPE},
    ),
    Claim(
        id="T3",
        who=words.TICKET,
        quote="broadcasting handles (B, C, 1, 1) against (B, C, H, W)",
        read_as="`x * y` multiplies every element of channel c of image b by the gate of that "
        "channel and image.",
        rule="Supported if `x * y` has the bits of the product written out as a loop over "
        "images and channels; refuted otherwise.",
        history=(history.FIRST,),
        not_covered=words.ELSEWHERE,
        chapters=(words.BROADCASTING,),
        cell="deciding-reference",
        needs="a run of the broadcasting chapter",
        decide=correctness.handled_natively,
        questions={"reference": questions.REFERENCE},
    ),
    Claim(
        id="T4",
        who=words.TICKET,
        quote="the view can cause issues under certain memory layouts",
        read_as="For some memory layout of input or gate the line gives other values, strides or "
        "gradients than `x * y`.",
        rule="Supported if for any pairing of layouts a tensor that has elements (output, or a "
        "gradient of the block) differs in values or strides between the two forms; refuted if "
        "none does. The strides of an empty tensor address nothing and do not count.",
        history=(history.FIRST,),
        not_covered=words.ELSEWHERE,
        chapters=(words.LAYOUT,),
        cell="deciding-layouts",
        needs="a run of the channels_last chapter",
        decide=layouts.layout_trouble,
        questions={"layouts": questions.LAYOUTS, "blocks": questions.BLOCKS},
        eager_cuda=launches.SAME_LAYOUTS,
    ),
    Claim(
        id="T5",
        who=words.TICKET,
        quote="unnecessary operation in the forward path",
        read_as="With the call, the forward pass runs an operation that it does not need.",
        rule="Supported if what runs has an operation more with `expand_as` than without in "
        "every form tried: ATen calls, by the profiler, in eager mode, and operations or kernels "
        "of compiled and exported programs; qualified if only in some, or while only eager mode "
        "has been tried; refuted if in none.",
        history=(history.FIRST, history.PROGRAMS, history.RUNTIMES),
        not_covered=words.OTHER_PROGRAMS,
        chapters=(words.STRIDES, words.COMPILED, words.RUNTIMES),
        cell="deciding-dispatch",
        needs="a run of the strides chapter",
        decide=calls.more_calls,
        questions={"calls": questions.CALLS, "programs": questions.PROGRAMS},
    ),
    Claim(
        id="T6",
        who=words.TICKET,
        quote="minor performance overhead",
        read_as="The call costs time, and little: under 10 % of whatever step is timed.",
        rule="Refuted if nothing comes out slower with `expand_as`, neither a multiply "
        f"({words.FAMILY}) nor a forward step of the host network nor the SE block in an "
        "exported runtime. Supported if the network is slower, and neither a multiply of two "
        "dtypes nor the block in an exported runtime is slower by 10 % or more. Qualified "
        "otherwise; untested if the network is inconclusive.",
        history=(history.FIRST, history.MANY, history.UNCLEAR, history.RUNTIMES),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST, words.RUNTIMES),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=time.overhead,
        questions={
            "network": questions.NETWORK,
            "multiply": questions.MULTIPLY,
            "mixed_multiply": questions.MIXED_MULTIPLY,
            "exported_blocks": questions.EXPORTED_BLOCKS,
        },
    ),
    Claim(
        id="T7",
        who=words.TICKET,
        quote="return x * y is equivalent",
        read_as="After the change every output and gradient has the same bits, and the same shapes "
        "are refused.",
        rule="Supported if outputs have the same bits for every pair of dtypes that multiplies "
        "and the same gate shapes are accepted; qualified if the bits are the same wherever "
        "input and gate share a dtype; refuted if they differ there.",
        history=(history.FIRST,),
        not_covered=words.ELSEWHERE,
        chapters=(words.BROADCASTING,),
        cell="deciding-equality",
        needs="a run of the broadcasting chapter",
        decide=correctness.equivalent_fix,
        questions={
            "same_dtype": questions.SAME_DTYPE,
            "mixed_dtypes": questions.MIXED_DTYPES,
            "accepted": questions.ACCEPTED,
        },
        eager_cuda=launches.SAME_BITS,
    ),
)

TO_VERIFY: tuple[Claim, ...] = (
    Claim(
        id="V1",
        who=f"{words.TICKET}, to verify",
        quote="output equivalence",
        read_as="The output has the same bits in both forms. Gradients are T7's matter.",
        rule="Supported if the bits are the same for every pair of dtypes that multiplies; "
        "qualified if wherever input and gate share a dtype; refuted if they differ there.",
        history=(history.FIRST,),
        not_covered=words.ELSEWHERE,
        chapters=(words.BROADCASTING,),
        cell="deciding-equality",
        needs="a run of the broadcasting chapter",
        decide=correctness.outputs_equal,
        questions={"same_dtype": questions.SAME_DTYPE, "mixed_dtypes": questions.MIXED_DTYPES},
        eager_cuda=launches.SAME_BITS,
    ),
    Claim(
        id="V2",
        who=f"{words.TICKET}, to verify",
        quote="memory layout (contiguous, channels_last)",
        read_as="The output and the block's gradients have the same values and strides in both "
        "forms, in both memory formats.",
        rule="Supported if every pairing of layouts whose tensors have elements gives the same "
        "strides and values in both forms; refuted if one differs.",
        history=(history.FIRST,),
        not_covered=words.ELSEWHERE,
        chapters=(words.LAYOUT,),
        cell="deciding-layouts",
        needs="a run of the channels_last chapter",
        decide=layouts.layouts_equal,
        questions={"layouts": questions.LAYOUTS, "blocks": questions.BLOCKS},
        eager_cuda=launches.SAME_LAYOUTS,
    ),
    Claim(
        id="V3",
        who=f"{words.TICKET}, to verify",
        quote="forward-pass time",
        read_as="The forward pass takes the same time in both forms.",
        rule=f"Supported if nothing comes out slower with `expand_as`; qualified if a multiply "
        f"does ({words.FAMILY}) and the host network does not; refuted if the network does; "
        "untested if the network is inconclusive.",
        history=(history.FIRST, history.MANY, history.UNCLEAR),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST,),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=time.same_time,
        questions={
            "network": questions.NETWORK,
            "multiply": questions.MULTIPLY,
            "mixed_multiply": questions.MIXED_MULTIPLY,
        },
    ),
)
