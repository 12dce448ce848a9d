"""The claims of the ticket, and the checks that it requests."""

from investigation.claims import history, launches, questions, words
from investigation.claims.claim import Claim
from investigation.claims.rules import calls, correctness, layouts, memory, time

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="T1",
        who=words.TICKET,
        quote="expand_as() creates an unnecessary intermediate tensor",
        read_as="The line allocates a tensor that owns memory. `x * y` alone does not.",
        rule="Supported if the line requests more memory with `expand_as` than without in every "
        "setting tried: in eager mode with one dtype and with two (as counted by PyTorch's "
        "allocator), and in every exported program (by its profile or plan). Qualified if it does "
        "so only in some settings, or if it creates a tensor object that owns no memory. Refuted "
        "if it creates neither.",
        history=(history.FIRST, history.RUNTIMES, history.COUNTED),
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
        read_as="`expand_as` creates a view. With one dtype the product is the same without it.",
        rule="Supported if `expand_as` returns a view and the product has the same bits without "
        "it, for every dtype that PyTorch multiplies, input and gate alike. Refuted otherwise.",
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
        read_as="`x * y` multiplies every element of an image's channel by the gate of that image "
        "and channel.",
        rule="Supported if `x * y` has the same bits as an explicit loop over images and "
        "channels. Refuted otherwise.",
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
        read_as="For some memory layout of input or gate, the line returns other values, strides "
        "or gradients than `x * y`.",
        rule="Supported if, with one dtype and for any pairing of layouts, an output or a "
        "gradient differs in values or strides between the two forms. Qualified if none does, but "
        "with a gate of lower precision an output's values or strides differ. Refuted if none "
        "does there either. Empty tensors do not count, because their strides address nothing.",
        history=(history.FIRST, history.LAYOUT_GRADIENTS, history.NARROW_LAYOUTS),
        not_covered=words.ELSEWHERE,
        chapters=(words.LAYOUT, words.TRAINING),
        cell="deciding-layouts",
        needs="a run of the channels_last and training chapters",
        decide=layouts.layout_trouble,
        questions={
            "layouts": questions.LAYOUTS,
            "narrow_gate": questions.NARROW_GATE,
            "blocks": questions.BLOCKS,
            "gradients": questions.GRADIENTS_OVER_LAYOUTS,
        },
        eager_cuda=launches.SAME_LAYOUTS,
    ),
    Claim(
        id="T5",
        who=words.TICKET,
        quote="unnecessary operation in the forward path",
        read_as="With the call, the forward pass runs an operation that it does not need.",
        rule="Supported if `expand_as` runs an additional operation in every form tried. In eager "
        "mode these are ATen calls, as the profiler lists them. In compiled and exported programs "
        "they are operations or kernels. Qualified if it does so only in some forms, or if only "
        "eager mode was tried. Refuted if in none.",
        history=(history.FIRST, history.PROGRAMS),
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
        read_as=f"The call costs time, but less than {words.LARGE} of any step that is timed.",
        rule="Refuted if nothing is slower with `expand_as` and everything is shown to be equal "
        f"or faster, or if the network's forward step is {words.LARGE} slower or more. Supported "
        f"if something is slower and everything is shown to be less than {words.LARGE} slower. "
        f"Qualified if some timings are {words.LARGE} slower or more. Untested otherwise. "
        f"{words.TWO_STEPS} {words.MANY} {words.EDGE}",
        history=(
            history.FIRST,
            history.MANY,
            history.UNCLEAR,
            history.RUNTIMES,
            history.MARGIN,
            history.IN_PLACE,
            history.EVERY_PART,
            history.LARGE,
        ),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST, words.RUNTIMES),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=time.overhead,
        questions={
            "network": questions.NETWORK_IN_PLACE,
            "multiply": questions.MULTIPLY,
            "sizes": questions.SIZES,
            "blocks": questions.EAGER_BLOCKS,
            "mixed_multiply": questions.MIXED_MULTIPLY,
            "exported_blocks": questions.EXPORTED_BLOCKS,
        },
    ),
    Claim(
        id="T7",
        who=words.TICKET,
        quote="return x * y is equivalent",
        read_as="After the change every output and gradient has the same bits, and the same gate "
        "shapes are refused.",
        rule="Supported if outputs and gradients, also of second order, have the same bits for "
        "every pair of dtypes tried, and both forms accept the same gate shapes. Qualified if "
        "not, but the outputs have the same bits whenever input and gate share a dtype. Refuted "
        "if outputs differ there.",
        history=(history.FIRST, history.GRADIENTS),
        not_covered=words.ELSEWHERE,
        chapters=(words.BROADCASTING, words.TRAINING),
        cell="deciding-equality",
        needs="a run of the broadcasting and training chapters",
        decide=correctness.equivalent_fix,
        questions={
            "same_dtype": questions.SAME_DTYPE,
            "mixed_dtypes": questions.MIXED_DTYPES,
            "gradients": questions.GRADIENTS,
            "second_gradients": questions.SECOND_GRADIENTS,
            "accepted": questions.ACCEPTED,
        },
        eager_cuda=launches.SAME_BITS_AND_GRADIENTS,
    ),
)

TO_VERIFY: tuple[Claim, ...] = (
    Claim(
        id="V1",
        who=f"{words.TICKET}, to verify",
        quote="output equivalence",
        read_as="The output has the same bits in both forms. Gradients belong to T7.",
        rule="Supported if the bits are the same for every pair of dtypes that PyTorch "
        "multiplies. Qualified if they are the same only when input and gate share a dtype. "
        "Refuted if they differ there.",
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
        read_as="Outputs and gradients have the same values and strides in both forms, for every "
        "layout.",
        rule="Supported if, for every pairing of layouts, every tensor that has elements has the "
        "same values and strides in both forms. Qualified if that holds with one dtype, but not "
        "for the outputs of a gate of lower precision. Refuted if one differs with one dtype.",
        history=(history.FIRST, history.LAYOUT_GRADIENTS, history.NARROW_LAYOUTS),
        not_covered=words.ELSEWHERE,
        chapters=(words.LAYOUT, words.TRAINING),
        cell="deciding-layouts",
        needs="a run of the channels_last and training chapters",
        decide=layouts.layouts_equal,
        questions={
            "layouts": questions.LAYOUTS,
            "narrow_gate": questions.NARROW_GATE,
            "blocks": questions.BLOCKS,
            "gradients": questions.GRADIENTS_OVER_LAYOUTS,
        },
        eager_cuda=launches.SAME_LAYOUTS,
    ),
    Claim(
        id="V3",
        who=f"{words.TICKET}, to verify",
        quote="forward-pass time",
        read_as="The forward pass takes the same time in both forms.",
        rule=f"Supported if the network's forward step, and the multiply and the block alone, are "
        f"{words.EQUAL}. Qualified if the step is equal and one of these is slower or faster. "
        "Refuted if the step is "
        f"slower or faster. Untested otherwise. {words.TWO_STEPS} {words.MANY}",
        history=(
            history.FIRST,
            history.MANY,
            history.UNCLEAR,
            history.MARGIN,
            history.IN_PLACE,
            history.BOTH_WAYS,
            history.SHOWN,
            history.EVERY_PART,
        ),
        not_covered=words.OTHER_TIMES,
        chapters=(words.COST,),
        cell="deciding-levels",
        needs=words.TIMED,
        decide=time.same_time,
        questions={
            "network": questions.NETWORK_IN_PLACE,
            "multiply": questions.MULTIPLY,
            "sizes": questions.SIZES,
            "blocks": questions.EAGER_BLOCKS,
            "mixed_multiply": questions.MIXED_MULTIPLY,
        },
    ),
)
