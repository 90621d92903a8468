"""Target `tensorrt` on a fake GPU (tensorrt_fixtures.py): engines opened, run, captured and freed.

What the fake runs is the bundle's own graphs on ONNX Runtime, so a picture must be, bit for bit, the one that the CPU
paints with the same graphs.
"""

import gc
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from emu3_checkpoints import SHAPES
from exported import Exported
from fake_cuda import FakeCuda
from tensorrt_fixtures import PROMPT_WORDS

from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.gpu.cuda import Cuda
from edgevlo.runtime.gpu.device import DeviceBackbone
from edgevlo.runtime.gpu.engine_cache import Device
from edgevlo.runtime.gpu.tensorrt_graph import CaptureWarning
from edgevlo.runtime.manifest.schema import MANIFEST_FILE
from edgevlo.runtime.model import Model

pytestmark = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


def on_cpu(folder: Path, to: Path) -> Model:
    """Return the same graphs as a bundle that the CPU runs."""
    shutil.copytree(folder, to)
    tree = json.loads((to / MANIFEST_FILE).read_text(encoding="utf-8"))
    tree["target"] = "portable"
    (to / MANIFEST_FILE).write_text(json.dumps(tree), encoding="utf-8")
    return Model.open(to)


def test_a_picture_is_that_of_the_same_graphs_on_the_cpu(built: Bundle, tmp_path: Path) -> None:
    ours, theirs = Model.open(built.folder), on_cpu(built.folder, tmp_path / "cpu")
    for seed in (1, 2):
        (*_, mine), (*_, other) = (one.paint_rows(PROMPT_WORDS, seed=seed, size="32x48") for one in (ours, theirs))
        np.testing.assert_array_equal(mine.codes, other.codes)
        assert mine.preview.tobytes() == other.preview.tobytes()


def test_pictures_are_read_and_answered_about(built: Bundle, tmp_path: Path) -> None:
    ours, theirs = Model.open(built.folder), on_cpu(built.folder, tmp_path / "cpu")
    picture = theirs.paint(PROMPT_WORDS, seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a random model may give no answer
        assert ours.ask(picture, "what is on the left?") == theirs.ask(picture, "what is on the left?")
    assert (
        ours.edit(picture, "change the color", seed=1).tobytes()
        == theirs.edit(picture, "change the color", seed=1).tobytes()
    )


def test_steps_are_captured_once_and_launched_from_then_on(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    *_, stroke = model.paint_rows(PROMPT_WORDS, seed=1, size="32x48")
    rows, columns = stroke.codes.shape
    # The image head, the step of one token, and the step at a row's end that the grid forces a token onto.
    assert api.counts["captured"] == 3
    # The first run of each is not captured; nothing is read after the last cell.
    assert api.counts["launched"] == (rows * columns - 1) + ((rows - 1) * (columns - 1) + columns - 1 - 1) + (rows - 2)

    before = api.counts["launched"]
    list(model.paint_rows(PROMPT_WORDS, seed=2, size="32x48"))
    assert api.counts["captured"] == 3
    assert api.counts["launched"] == before + 2 * rows * columns - 1


def test_the_cache_never_leaves_the_gpu(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    list(model.paint_rows(PROMPT_WORDS, seed=1))
    before = dict(api.counts)
    *_, stroke = model.paint_rows(PROMPT_WORDS, seed=2)
    copied = api.counts["cudaMemcpyDeviceToHost"] - before["cudaMemcpyDeviceToHost"]
    # a code a cell; whether the states are finite, after the prompt and once a row; no picture was looked at
    assert copied == stroke.codes.size + 1 + len(stroke.codes)


def test_a_step_takes_no_memory(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    list(model.paint_rows(PROMPT_WORDS, seed=1, size="32x48"))
    before = api.counts["cudaMalloc"]
    list(model.paint_rows(PROMPT_WORDS, seed=2, size="32x32"))
    small = api.counts["cudaMalloc"] - before
    list(model.paint_rows(PROMPT_WORDS, seed=2, size="32x48"))
    assert api.counts["cudaMalloc"] - before == 2 * small  # the prompt's alone, whatever the number of steps


def test_an_answer_takes_no_memory_for_its_tokens(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    taken = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a random model may give no answer
        for _ in range(3):
            model._answering.answer(model.manifest.abilities["ask"], "what is on the left?", [])
            taken.append(api.counts["cudaMalloc"])
    tokens = int(next(iter(model._engine._idle.values())).backbone.lengths[0])
    assert taken[2] - taken[1] < 4 < tokens  # the buffers of the prompt


def test_every_captured_call_has_a_context_of_its_own(built: Bundle, device: Device) -> None:
    """Rows of one and of two branches take turns, and so do steps of one token and of a row's end.

    The fake refuses to launch a graph whose context has other shapes or addresses than when it was captured.
    """
    model = Model.open(built.folder)
    first = model.paint(PROMPT_WORDS, seed=1, size="32x48")
    for scale in (1.0, None, 1.0):
        model.paint(PROMPT_WORDS, seed=2, size="32x48", guidance_scale=scale)
    assert model.paint(PROMPT_WORDS, seed=1, size="32x48").tobytes() == first.tobytes()
    opened = cast(Any, device.trt).opened
    backbone, head = (next(one for one in opened if one.model.stem == name) for name in ("backbone", "image_head"))
    widths = [len(painter.backbone._calls) for painter in model._engine._idle.values()]
    assert len(widths) == 2  # of one branch and of two
    assert min(widths) >= 2  # steps, and rows' ends
    assert backbone.contexts == len(backbone.profiles) + sum(widths)
    assert head.contexts == len(head.profiles) + 2


def test_what_is_dropped_while_a_stream_is_captured_is_freed_after_it(exported: Exported, api: FakeCuda) -> None:
    cuda = Cuda(cast(Any, api))
    array = cuda.array((4,), "float32")
    kept = [array]
    del array
    cuda.captured(kept.clear).launch()
    assert api.held == {}


def test_an_engine_that_cannot_be_captured_runs_and_says_so_once(built: Bundle, api: FakeCuda, tmp_path: Path) -> None:
    api.captures = False
    model, theirs = Model.open(built.folder), on_cpu(built.folder, tmp_path / "cpu")
    with pytest.warns(CaptureWarning, match=r"is run without a CUDA graph: .*StreamCaptureUnsupported"):
        picture = model.paint(PROMPT_WORDS, seed=1)
    assert picture.tobytes() == theirs.paint(PROMPT_WORDS, seed=1).tobytes()


def test_all_memory_is_given_back(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    model.paint(PROMPT_WORDS, seed=1)
    assert api.held
    assert api.executables
    del model
    gc.collect()
    assert (api.held, api.executables, api.graphs) == ({}, {}, {})


def test_too_little_memory_is_a_memory_error(built: Bundle, api: FakeCuda) -> None:
    api.memory = 20_000
    with pytest.raises(MemoryError, match="the GPU has too little free memory"):
        Model.open(built.folder).paint(PROMPT_WORDS, seed=1)


def test_a_prompt_that_does_not_fit_into_the_cache_is_refused(built: Bundle) -> None:
    with pytest.raises(RequestError, match="this model holds 192"):
        Model.open(built.folder).paint("a " * 190, seed=1)


def test_nothing_of_it_is_imported_unless_chosen(exported: Exported) -> None:
    program = f"""
import sys
import edgevlo
edgevlo.load({str(exported.cpu)!r}).paint("a red car", seed=1)
chosen = [name for name in sys.modules if name.split(".")[0] in ("tensorrt", "tensorrt_bindings", "cuda",
          "onnxruntime_ep_nv_tensorrt_rtx") or name.startswith((
          "edgevlo.runtime.gpu.tensorrt", "edgevlo.runtime.gpu.engine_cache",
          "edgevlo.runtime.gpu.tensorrt_rtx", "edgevlo.runtime.gpu.ort"))]
print(chosen)
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd="/", capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_device_backbone_is_a_backbone(built: Bundle) -> None:
    model = Model.open(built.folder)
    model.paint(PROMPT_WORDS, seed=1)
    (painter,) = model._engine._idle.values()
    assert isinstance(painter.backbone, DeviceBackbone)
    assert painter.backbone.capacity == 192
