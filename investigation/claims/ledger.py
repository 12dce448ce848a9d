"""The ledger: every sentence that was written about the line, and the rule that decides it."""

from collections.abc import Mapping

from investigation.claims import rules, rules_compiled, rules_runtimes, rules_training
from investigation.claims.claim import Claim, Verdict, judge
from investigation.evidence.records import Findings

TICKET, CODE, DRL, PYTORCH = "ticket", "code review", "DRL review", "PyTorch review"
BROADCASTING, STRIDES, LAYOUT, COST = (
    "01_broadcasting",
    "02_strides",
    "03_channels_last",
    "04_eager_cost",
)
COMPILED = "06_compiled"
GPU = "07_gpu"
BUILT = "a run of the compiled chapter, which takes a C++ compiler"
TRAINING = "05_training"
RUNTIMES = "08_runtimes"
OURS = "this investigation"
EXPORTED = "a run of the chapter on runtimes, with an exported one among them"
FAMILY = f"each judged at {100 * rules.FAMILY_CONFIDENCE:g} %, because there are many"
TRAINED = "a run of the training chapter in which the comparison is conclusive"
TIMED = "a run of the timing chapter in which the comparison is conclusive"

MEMORY_READS = (
    "allocation.view",
    *rules.EXTRA,
    "layout.view.is_view",
    "layout.view.shares_storage",
    "layout.view.stride",
)
LAYOUT_READS = (*rules.LAYOUTS, "layout.empty", "layout.channels_last", *rules.BLOCKS)
EQUALITY_READS = ("equality.same_dtype", "equality.mixed")
COST_READS = (
    *rules.NETWORK,
    "timing.multiply.host1_before.contiguous",
    "timing.mixed.host1_before",
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="T1",
        who=TICKET,
        quote="expand_as() creates an unnecessary intermediate tensor",
        rule="Supported if the line asks for more memory with `expand_as` than without in every "
        "setting tried: with one dtype and with two, by the allocator's word, and in every "
        "exported runtime, by its profile or plan; qualified if only in some, or if what it "
        "creates is a tensor object that owns no memory; refuted if it creates neither.",
        chapters=(STRIDES, RUNTIMES),
        cell="deciding-allocation",
        needs="a run of the strides chapter",
        reads=MEMORY_READS,
        decide=rules.intermediate,
    ),
    Claim(
        id="T2",
        who=TICKET,
        quote="it creates an unnecessary view where broadcasting handles the operation natively",
        rule="Supported if `expand_as` returns a view and the product has the same bits without "
        "it, for every dtype that multiplies; refuted otherwise.",
        chapters=(STRIDES, BROADCASTING),
        cell="deciding-view",
        needs="a run of the strides and broadcasting chapters",
        reads=("layout.view.is_view", "equality.same_dtype"),
        decide=rules.unnecessary_view,
    ),
    Claim(
        id="T3",
        who=TICKET,
        quote="broadcasting handles (B, C, 1, 1) against (B, C, H, W)",
        rule="Supported if `x * y` has the bits of the product written out as a loop over "
        "images and channels; refuted otherwise.",
        chapters=(BROADCASTING,),
        cell="deciding-reference",
        needs="a run of the broadcasting chapter",
        reads=("equality.reference",),
        decide=rules.handled_natively,
    ),
    Claim(
        id="T4",
        who=TICKET,
        quote="the view can cause issues under certain memory layouts",
        rule="Supported if for any pairing of layouts a tensor that has elements (output, or a "
        "gradient of the block) differs in values or strides between the two forms; refuted if "
        "none does. The strides of an empty tensor address nothing and do not count.",
        chapters=(LAYOUT,),
        cell="deciding-layouts",
        needs="a run of the channels_last chapter",
        reads=LAYOUT_READS,
        decide=rules.layout_trouble,
    ),
    Claim(
        id="T5",
        who=TICKET,
        quote="unnecessary operation in the forward path",
        rule="Supported if what runs has an operation more with `expand_as` than without in "
        "every form tried: ATen calls, by the profiler, in eager mode, and operations or kernels "
        "of compiled and exported programs; qualified if only in some, or while only eager mode "
        "has been tried; refuted if in none.",
        chapters=(STRIDES, COMPILED, RUNTIMES),
        cell="deciding-dispatch",
        needs="a run of the strides chapter",
        reads=("dispatch.expand_as", "dispatch.broadcast"),
        decide=rules.more_calls,
    ),
    Claim(
        id="T6",
        who=TICKET,
        quote="minor performance overhead",
        rule=f"Refuted if nothing comes out slower with `expand_as`, neither a multiply ({FAMILY}) "
        "nor a forward step of the host network nor the SE block in an exported runtime. "
        "Supported if the network is slower, and neither a multiply of two dtypes nor the block "
        "in an exported runtime is slower by 10 % or more. Qualified otherwise; untested if the "
        "network is inconclusive.",
        chapters=(COST, RUNTIMES),
        cell="deciding-levels",
        needs=TIMED,
        reads=COST_READS,
        decide=rules.overhead,
    ),
    Claim(
        id="T7",
        who=TICKET,
        quote="return x * y is equivalent",
        rule="Supported if outputs have the same bits for every pair of dtypes that multiplies "
        "and the same gate shapes are accepted; qualified if the bits are the same wherever "
        "input and gate share a dtype; refuted if they differ there.",
        chapters=(BROADCASTING,),
        cell="deciding-equality",
        needs="a run of the broadcasting chapter",
        reads=(*EQUALITY_READS, "acceptance.grown"),
        decide=rules.equivalent_fix,
    ),
    Claim(
        id="C1",
        who=CODE,
        quote="technically correct but low impact",
        rule="Supported if the outputs are equal with one dtype, a forward step of the host "
        "network is within ±1 % in both memory formats, and no multiply of two dtypes is slower "
        "by 10 % or more; qualified if only that last part fails; refuted if the network is "
        "slower or the outputs differ; untested if the network is inconclusive.",
        chapters=(COST, BROADCASTING),
        cell="deciding-levels",
        needs=TIMED,
        reads=(*COST_READS, *EQUALITY_READS),
        decide=rules.low_impact,
    ),
    Claim(
        id="C2",
        who=CODE,
        quote="a strided, zero-copy view",
        rule="Supported if `gate.expand_as(x)` shares the gate's storage, is a view and "
        "allocates 0 bytes; refuted otherwise.",
        chapters=(STRIDES,),
        cell="deciding-view",
        needs="a run of the strides chapter",
        reads=MEMORY_READS,
        decide=rules.zero_copy_view,
    ),
    Claim(
        id="C3",
        who=CODE,
        quote="TorchInductor typically elides it during fusion",
        rule="Supported if the generated kernels are the same in every setting tried; qualified "
        "if only in some; refuted if in none.",
        chapters=(COMPILED, GPU),
        cell="deciding-kernels",
        needs=BUILT,
        reads=rules_compiled.READS[rules_compiled.SAME_KERNELS],
        decide=rules_compiled.elided,
    ),
    Claim(
        id="C4",
        who=CODE,
        quote="worth it for clarity, unlikely to give measurable gains",
        rule="The gain only; clarity is the reader's to judge. Supported if nothing comes out "
        f"slower with `expand_as`; qualified if a multiply does ({FAMILY}) and the network does "
        "not, in a forward step or a training step; refuted if the network does; untested if the "
        "network is inconclusive.",
        chapters=(COST, TRAINING),
        cell="deciding-levels",
        needs=f"{TIMED}, and {TRAINED}",
        reads=(*COST_READS, *rules.TRAINING),
        decide=rules.measurable_gain,
    ),
    Claim(
        id="D1",
        who=DRL,
        quote="minimal impact on training",
        rule="Supported if a training step of the host network is within ±1 % in both memory "
        f"formats (each judged at {100 * rules_training.STEP_CONFIDENCE:g} %, because there are "
        "two) and in every training run tried the losses are the same bit for bit; qualified if "
        "only in some of the runs; refuted if in none, or if a step is slower or faster by more "
        "than 1 %; untested while a step's interval reaches across ±1 %.",
        chapters=(TRAINING,),
        cell="deciding-training",
        needs=TRAINED,
        reads=(*rules.TRAINING, *rules_training.CURVES),
        decide=rules_training.minimal_in_training,
    ),
    Claim(
        id="D2",
        who=DRL,
        quote="SE recalibration is cheap, and the view allocates nothing",
        rule="Supported if the view allocates 0 bytes and the host network's six SE blocks add "
        "at most 10 % to its forward step, by the interval's upper end, in both memory formats; "
        "qualified if only the view's part holds; refuted if the view allocates.",
        chapters=(COST, STRIDES),
        cell="deciding-recalibration",
        needs=TIMED,
        reads=(*MEMORY_READS, *rules.RECALIBRATION),
        decide=rules.cheap_recalibration,
    ),
    Claim(
        id="D3",
        who=DRL,
        quote="TorchInductor typically fuses this pattern regardless",
        rule="Supported if both forms compile to the same number of kernels, with the scale step "
        "in none of its own, in every setting tried; qualified if only in some; refuted if none. "
        "Where the multiply is all there is, it has nothing to be fused with, and the number "
        "decides.",
        chapters=(COMPILED, GPU),
        cell="deciding-fusion",
        needs=BUILT,
        reads=rules_compiled.READS[rules_compiled.FUSED],
        decide=rules_compiled.fused,
    ),
    Claim(
        id="D4",
        who=DRL,
        quote="if channels_last is used, verify that broadcasting semantics stay identical before "
        "changing",
        rule="A request: supported if every pairing with a channels_last input, and the block's "
        "forward and backward on one, detached or not, has the same values and strides in both "
        "forms; refuted if one differs.",
        chapters=(LAYOUT,),
        cell="deciding-layouts",
        needs="a run of the channels_last chapter",
        reads=LAYOUT_READS,
        decide=rules.channels_last_verified,
    ),
    Claim(
        id="P1",
        who=PYTORCH,
        quote="negligible impact",
        rule="Supported if a forward step of the host network is within ±1 % in both memory "
        "formats and no multiply of two dtypes is slower by 10 % or more; qualified if only the "
        "network's part holds; refuted if the network is slower; untested if it is inconclusive.",
        chapters=(COST,),
        cell="deciding-levels",
        needs=TIMED,
        reads=COST_READS,
        decide=rules.negligible,
    ),
    Claim(
        id="P2",
        who=PYTORCH,
        quote="a strided view, no memory allocation",
        rule="Supported if the view allocates 0 bytes and the whole line asks for no more memory "
        "with it than without, in every setting tried; qualified if only the view's part holds; "
        "refuted if the view allocates.",
        chapters=(STRIDES,),
        cell="deciding-allocation",
        needs="a run of the strides chapter",
        reads=MEMORY_READS,
        decide=rules.no_allocation,
    ),
    Claim(
        id="P3",
        who=PYTORCH,
        quote="fused identically to x * y under torch.compile",
        rule="Supported if the generated source, names aside, is the same in every setting tried; "
        "qualified if only in some; refuted if in none.",
        chapters=(COMPILED, GPU),
        cell="deciding-kernels",
        needs=BUILT,
        reads=rules_compiled.READS[rules_compiled.SAME_SOURCE],
        decide=rules_compiled.identical,
    ),
    Claim(
        id="P4",
        who=PYTORCH,
        quote="the explicit expand documents intent",
        rule="Whether it reads well is taste. Supported if the program holds to the documented "
        "intent: `expand_as` refuses gate shapes that `x * y` accepts; refuted if it refuses "
        "nothing more.",
        chapters=(BROADCASTING,),
        cell="deciding-acceptance",
        needs="a run of the broadcasting chapter",
        reads=("acceptance.grown",),
        decide=rules.documents_intent,
    ),
    Claim(
        id="P5",
        who=PYTORCH,
        quote="low priority; only as stylistic cleanup",
        rule="Supported if outputs, accepted shapes, memory and the network's time are the same; "
        "qualified if the network's time is but shapes or memory are not; refuted if the network "
        "is slower with `expand_as`; untested if it is inconclusive.",
        chapters=(COST, STRIDES, BROADCASTING),
        cell="deciding-levels",
        needs=TIMED,
        reads=(*COST_READS, *MEMORY_READS, "acceptance.grown"),
        decide=rules.stylistic,
    ),
    Claim(
        id="V1",
        who=f"{TICKET}, to verify",
        quote="output equivalence",
        rule="Supported if the bits are the same for every pair of dtypes that multiplies; "
        "qualified if wherever input and gate share a dtype; refuted if they differ there.",
        chapters=(BROADCASTING,),
        cell="deciding-equality",
        needs="a run of the broadcasting chapter",
        reads=EQUALITY_READS,
        decide=rules.outputs_equal,
    ),
    Claim(
        id="V2",
        who=f"{TICKET}, to verify",
        quote="memory layout (contiguous, channels_last)",
        rule="Supported if every pairing of layouts whose tensors have elements gives the same "
        "strides and values in both forms; refuted if one differs.",
        chapters=(LAYOUT,),
        cell="deciding-layouts",
        needs="a run of the channels_last chapter",
        reads=LAYOUT_READS,
        decide=rules.layouts_equal,
    ),
    Claim(
        id="V3",
        who=f"{TICKET}, to verify",
        quote="forward-pass time",
        rule=f"Supported if nothing comes out slower with `expand_as`; qualified if a multiply "
        f"does ({FAMILY}) and the host network does not; refuted if the network does; untested "
        "if the network is inconclusive.",
        chapters=(COST,),
        cell="deciding-levels",
        needs=TIMED,
        reads=COST_READS,
        decide=rules.same_time,
    ),
    Claim(
        id="X1",
        who=OURS,
        quote="once exported, a runtime writes the expansion out",
        rule="Supported if every exported runtime that runs here writes more bytes with "
        "`expand_as` than without, by its own profile or plan; qualified if only some do; "
        "refuted if none does.",
        chapters=(RUNTIMES,),
        cell="deciding-runtimes",
        needs=EXPORTED,
        reads=(rules_runtimes.RAN,),
        decide=rules_runtimes.written_out,
    ),
    Claim(
        id="X2",
        who=OURS,
        quote="where it is written out the block is slower, and nowhere else",
        rule="A runtime counts as slower if the block is at one workload or more, by more than "
        f"{100 * rules_runtimes.PLACEMENT:g} % ({FAMILY}). Supported if all exported runtimes "
        "that write the expansion out are slower and no other is; qualified with exceptions; "
        "refuted if none of those that write it out is.",
        chapters=(RUNTIMES,),
        cell="deciding-cost",
        needs=EXPORTED,
        reads=(rules_runtimes.RAN,),
        decide=rules_runtimes.written_costs,
    ),
    Claim(
        id="X3",
        who=OURS,
        quote="an exported graph can be mended as well as its source",
        rule="Supported if with every remedy tried the result is equal, the runtime runs the very "
        "steps that it runs from the changed source, and the block is not slower by more than "
        f"{100 * rules_runtimes.PLACEMENT:g} % ({FAMILY}); qualified if with some; refuted if "
        "with none.",
        chapters=(RUNTIMES,),
        cell="deciding-remedies",
        needs=EXPORTED,
        reads=(rules_runtimes.RAN,),
        decide=rules_runtimes.mended_without_the_source,
    ),
)


def row(claim: Claim, verdict: Verdict) -> Mapping[str, object]:
    """Return one line of the ledger, as a chapter shows it."""
    return {
        "claim": claim.id,
        "who": claim.who,
        "says": claim.quote,
        "rule": claim.rule,
        "verdict": verdict.status,
        "because": verdict.sentence,
    }


def verdicts(findings: Findings) -> dict[str, Verdict]:
    """Return the verdict of every claim on these findings."""
    return {claim.id: judge(claim, findings) for claim in CLAIMS}
