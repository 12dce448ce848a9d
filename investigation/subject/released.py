"""Networks that packages release, and whose own code carries the expansion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ReleasedNetwork:
    """A network of a released package: how it is made, and the sizes of its input.

    `factory` is `module:function`; what it makes takes one tensor of `sizes`.
    """

    slug: str
    title: str
    package: str
    factory: str
    sizes: tuple[int, ...]
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The module that holds the factory."""
        return self.factory.partition(":")[0]

    @property
    def top(self) -> str:
        """The name that the package is imported by."""
        return self.module.partition(".")[0]


# Which runtimes each is tried in: eager mode, the compiler, and three that people deploy on.
RUNTIMES = ("eager", "compile", "onnxruntime", "openvino", "executorch_xnnpack")
NETWORKS: tuple[ReleasedNetwork, ...] = (
    ReleasedNetwork(
        "ecaresnet26t",
        "timm's ECA-ResNet-26-T",
        "timm",
        "timm:create_model",
        (1, 3, 224, 224),
        ("ecaresnet26t",),
        {"pretrained": False},
    ),
    ReleasedNetwork(
        "mobilenet_v3_large",
        "EasyOCR's MobileNetV3 backbone of DBNet",
        "easyocr",
        "easyocr.DBNet.backbones.mobilenetv3:mobilenet_v3_large",
        (1, 3, 224, 224),
        options={"pretrained": False},
    ),
    ReleasedNetwork(
        "attn_sleep",
        "braindecode's AttnSleep",
        "braindecode",
        "braindecode.models:AttnSleep",
        (1, 1, 3000),
        options={"n_chans": 1, "n_outputs": 5, "n_times": 3000, "sfreq": 100},
    ),
)
BY_SLUG: Mapping[str, ReleasedNetwork] = {one.slug: one for one in NETWORKS}
