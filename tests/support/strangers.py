"""Bundles of strangers: picturebook with other files, whose hashes are right, as somebody else could have made it."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from edgevlo.runtime.bundle import EMBEDDED

PICTUREBOOK = EMBEDDED / "picturebook"


def strangers(folder: Path, **files: bytes) -> Path:
    """Copy picturebook with other files; `__` in a name stands for a dot."""
    shutil.copytree(PICTUREBOOK, folder)
    tree = json.loads((folder / "manifest.json").read_text())
    for name, content in files.items():
        name = name.replace("__", ".")
        (folder / name).write_bytes(content)
        tree["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(tree))
    return folder


def numbers(name: str, value: object) -> Any:
    return numpy_helper.from_array(np.asarray(value, np.int64), name)


def image_tokenizer(nodes: list[Any], constants: list[Any]) -> bytes:
    """Return a graph whose nodes make the codes of picturebook's least picture."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("pixel_values", 1, [1, 3, "H", "W"])],
        [helper.make_tensor_value_info("codes", 7, [1, "h", "w"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return bytes(model.SerializeToString())


def looping() -> bytes:
    """Return an image tokenizer that does not end in any trial's time."""
    scalar = [helper.make_tensor_value_info(name, kind, []) for name, kind in (("i", 7), ("go", 9), ("x", 7))]
    after = [helper.make_tensor_value_info(name, kind, []) for name, kind in (("goes", 9), ("y", 7))]
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["goes"]), helper.make_node("Add", ["x", "i"], ["y"])],
        "body",
        scalar,
        after,
    )
    return image_tokenizer(
        [
            helper.make_node("Loop", ["n", "", "zero"], ["last"], body=body),
            helper.make_node("Expand", ["last", "s"], ["codes"]),
        ],
        [numbers("n", 2**60), numbers("zero", 0), numbers("s", [1, 6, 8])],
    )
