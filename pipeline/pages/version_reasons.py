"""Why an observation changed with a release of torch, as far as it was found."""

from collections.abc import Mapping

# By the observation's name and the release. What a reason was read in stands in it.
REASONS: Mapping[tuple[str, str], str] = {
    ("agreement.kernels.cpu", "2.6.0"): (
        "A block under autocast has a loop more in both forms, which stores the sigmoid's result. "
        "One form stores it in float32 and the other in the narrow dtype (read under 2.13.0). "
        "Under 2.4.1 the multiply computes the sigmoid itself (read without autocast)."
    ),
    ("agreement.source.cpu", "2.6.0"): "The kernels changed, see there.",
    ("agreement.source.cpu", "2.8.0"): (
        "The kernels stay the same. With open sizes, the programs around them take the sizes in "
        "another order (read under 2.13.0)."
    ),
}
