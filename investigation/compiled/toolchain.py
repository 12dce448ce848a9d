"""The C++ compiler that builds what Inductor generates for a CPU, and the caches in between."""

import atexit
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from sysconfig import get_path

import torch
from torch._inductor import codecache
from torch._inductor import config as inductor_config
from torch._inductor.exc import InvalidCxxCompiler

from investigation.compiled.omission import MissingToolError
from investigation.subject import torch_features

get_cpp_compiler = torch_features.first(
    "torch._inductor.cpp_builder.get_cpp_compiler", "torch._inductor.codecache.cpp_compiler"
)
cache_dir = torch_features.first(
    "torch._inductor.runtime.cache_dir_utils.cache_dir", "torch._inductor.codecache.cache_dir"
)


class NoCompilerError(MissingToolError):
    """There is nothing here that could build what Inductor generates."""


def require_cpp_compiler() -> str:
    """Return the C++ compiler that Inductor uses for a CPU.

    Raises `NoCompilerError` with one line that names what is missing.
    """
    try:
        compiler = get_cpp_compiler()
    except InvalidCxxCompiler:
        raise NoCompilerError(
            "torch.compile needs a C++ compiler for a CPU, and there is none here; "
            "install g++, or name one in the variable CXX"
        ) from None
    headers = Path(get_path("include"))
    if not (headers / "Python.h").exists():
        raise NoCompilerError(
            f"torch.compile needs Python's headers for a CPU, and {headers} has no Python.h; "
            "install them (Debian: python3-dev)"
        )
    for folder in (Path(torch.__file__).parent, Path(cache_dir())):
        if any(character.isspace() for character in str(folder)):
            # As of torch 2.13 Inductor quotes some paths of the compiler's command and not others.
            raise NoCompilerError(
                f"torch.compile hands its compiler a command that breaks at a space, and {folder} "
                "has one; use a folder without"
            )
    return str(compiler)


def keep_headers_in(folder: Path) -> None:
    """Have torch keep compiled headers, 150 MB each, in a folder of its caches.

    Whatever its settings say, it keeps them in the system's folder for temporary files, where
    they stay. It compiles them with the help of openssl; without that they are not compiled.
    """
    if not torch_features.has("torch._inductor.codecache._HEADER_DIR"):
        return  # an older torch compiles none
    codecache._HEADER_DIR = str(folder / "precompiled_headers")
    codecache._HEADER_LOCK_DIR = str(folder / "precompiled_headers" / "locks")
    if shutil.which("openssl") is None:
        inductor_config.cpp_cache_precompile_headers = False
        inductor_config.aot_inductor.precompile_headers = False


def empty_caches() -> Path:
    """Give this process compile caches of its own, empty now and removed when it ends.

    Compiled headers stay from run to run: they are torch's, and hold nothing of a program.
    """
    parent = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    if parent:
        Path(parent).mkdir(parents=True, exist_ok=True)
    caches = ExitStack()
    caches.enter_context(torch_features.named("torch._inductor.utils.fresh_cache")(dir=parent))
    atexit.register(caches.close)
    return Path(os.environ["TORCHINDUCTOR_CACHE_DIR"])


if caches := os.environ.get("TORCHINDUCTOR_CACHE_DIR"):
    keep_headers_in(Path(caches))
