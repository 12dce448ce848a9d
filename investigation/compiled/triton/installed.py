"""Whether Triton is installed here, in a version that these proofs can use."""

import importlib.util

from investigation.compiled.omission import MissingToolError


class NoTritonError(MissingToolError):
    """Triton is not installed, without which there are no kernels for a GPU."""


def require_triton() -> str:
    """Return Triton's name and version. Raises `NoTritonError` if it is not installed."""
    if importlib.util.find_spec("triton") is None:
        raise NoTritonError(
            "Triton, which makes a GPU's kernels, is not installed here; it is made for Linux on "
            "x86-64"
        )
    import triton

    return f"Triton {triton.__version__}"
