"""What TensorRT's and CUDA's Python bindings say of themselves, as data: classes, methods and arguments, enumerations.

`python tests/support/tensorrt_surface.py FILE` writes tensorrt_surface.json anew from the bindings that are installed;
they need no GPU for it, but TensorRT's libraries, or others in their place (docs/gpu-and-jetson.md).
"""

import importlib
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgevlo.runtime.gpu import cuda as tensorrt_cuda
from edgevlo.runtime.gpu import tensorrt_api

FILE = Path(__file__).parent / "tensorrt_surface.json"


def arguments(function: Any) -> list[list[str]]:
    """Return the argument names of every overload, `self` left out, as the docstring's first lines state them."""
    text = function.__doc__ or ""
    found = re.findall(rf"^(?:\d+\. )?{re.escape(function.__name__)}\((.*?)\)(?: ->|$)", text, flags=re.MULTILINE)
    signatures = [one for one in found if one != "*args, **kwargs"]
    return [[name for name in map(_name, _split(one)) if name != "self"] for one in signatures]


def _split(signature: str) -> list[str]:
    """Split at the commas outside brackets."""
    parts, depth = [""], 0
    for letter in signature:
        depth += (letter in "[(<") - (letter in "])>")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _name(argument: str) -> str:
    """Return the name in `name`, `name: type`, `name: type = value` and `type name`."""
    return argument.split(":")[0].split("=")[0].split()[-1]


def tensorrt_surface(trt: Any) -> dict[str, Any]:
    """Return what the bindings have of the names that are used."""
    return {
        "methods": {
            cls: {method: arguments(getattr(getattr(trt, cls), method)) for method in methods}
            for cls, methods in tensorrt_api.SURFACE.items()
        },
        "properties": {
            cls: [name for name in names if isinstance(getattr(getattr(trt, cls), name), property)]
            for cls, names in tensorrt_api.PROPERTIES.items()
        },
        "members": {
            name: sorted(one for one in getattr(trt, name).__members__ if one in members)
            for name, members in tensorrt_api.MEMBERS.items()
        },
        "values": {"STRONGLY_TYPED": int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)},
    }


def cuda_surface(cuda: Any) -> dict[str, Any]:
    """Return what the CUDA bindings have of the names that are used."""
    return {
        "functions": {name: arguments(getattr(cuda, name)) for name in tensorrt_cuda.SURFACE},
        "members": {
            name: sorted(one for one in getattr(cuda, name).__members__ if one in members)
            for name, members in tensorrt_cuda.MEMBERS.items()
        },
        "cudaStreamNonBlocking": int(cuda.cudaStreamNonBlocking),
    }


def main() -> None:
    """Read the bindings that are installed, keep what was read of other versions, and write the file."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    surface = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"tensorrt": {}, "cuda": {}}
    try:
        trt = importlib.import_module("tensorrt_bindings")
        surface["tensorrt"][trt.__version__] = tensorrt_surface(trt)
    except ImportError as error:
        sys.stderr.write(f"tensorrt_bindings: {error}\n")
    try:
        cuda = importlib.import_module("cuda.bindings.runtime")
        surface["cuda"][version("cuda-bindings")] = cuda_surface(cuda)
    except ImportError as error:
        sys.stderr.write(f"cuda-bindings: {error}\n")
    path.write_text(
        json.dumps(surface, separators=(",", ":"), indent=None).replace("},", "},\n") + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
