"""One module a runtime; each has `prepare(module, x, folder, threads, ...) -> Program`."""

import sys

# No runtime is to report its use to its makers, as OpenVINO's converter does if it can import
# this package. With None in its place, it cannot.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
