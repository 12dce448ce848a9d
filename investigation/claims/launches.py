"""The note beside a claim's verdict about eager CUDA, from what eager CUDA would launch."""

from investigation.claims import questions
from investigation.claims.claim import Note
from investigation.claims.rules import launches

NEEDS = "a run of the GPU chapter, which takes a C++ compiler to see what eager CUDA launches"

SAME_BITS = Note({"product": questions.SAME_PRODUCTS}, launches.same_bits, NEEDS)
SAME_BITS_AND_GRADIENTS = Note(
    {"product": questions.SAME_PRODUCTS, "gradients": questions.SAME_GRADIENTS},
    launches.same_bits_and_gradients,
    NEEDS,
)
NO_MEMORY = Note(
    {
        "product": questions.SAME_PRODUCTS,
        "gradients": questions.SAME_GRADIENTS,
        "launched": questions.PRODUCTS_WITH_EXPAND_AS,
    },
    launches.no_memory,
    NEEDS,
)
SAME_LAYOUTS = Note({"launches": questions.SAME_LAUNCHES}, launches.same_layouts, NEEDS)
