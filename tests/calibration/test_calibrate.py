"""Calibrating whole bundles: ranges against transformers, interruption, and everything that is refused."""

import json
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from emu3_checkpoints import SHAPES
from exported import Exported
from PIL import Image

from edgevlo.calibration import CalibrationWarning, calibrate, store, summary
from edgevlo.calibration.observe import Observer, Watched
from edgevlo.calibration.requests import cases
from edgevlo.picturebook.model.painter import CACHE
from edgevlo.quantization import quantize
from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.errors import BundleError, CalibrationError, EdgevloError, OutputError, PictureError, RequestError
from edgevlo.runtime.graphs.backbone_kv_cache import Backbone
from edgevlo.runtime.manifest.schema import read_manifest

pytestmark = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.txt"
    path.write_text("# words of the tiny tokenizer\na red car\n\npaint: a small house\nedit: big\nask: what color\n")
    return path


class Spy:
    """Writes down what every row of a backbone reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[list[int]] = []
        prefill, step = Backbone.prefill, Backbone.step

        def spied_prefill(backbone: Backbone, prompts: Sequence[Sequence[int]], features: Any = None) -> None:
            self.rows += map(list, prompts)
            self.current = self.rows[-len(prompts) :]
            prefill(backbone, prompts, features)

        def spied_step(backbone: Backbone, tokens: Sequence[int]) -> None:
            for row in self.current:
                row += tokens
            step(backbone, tokens)

        monkeypatch.setattr(Backbone, "prefill", spied_prefill)
        monkeypatch.setattr(Backbone, "step", spied_step)


def reference_peaks(checkpoint: Path, rows: list[list[int]]) -> dict[str, Floats]:
    """Return the peak of every channel of what linear layers read and caches hold, by transformers' own modules."""
    library: Any = transformers
    model = library.Emu3ForConditionalGeneration.from_pretrained(checkpoint).eval()
    peaks: dict[str, Any] = {}

    def raise_to(name: str, values: torch.Tensor) -> None:
        peak = values.abs().reshape(-1, values.shape[-1]).amax(0)
        peaks[name] = torch.maximum(peaks[name], peak) if name in peaks else peak

    layers = model.model.text_model.layers
    for number, layer in enumerate(layers):
        for name in ("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj"):
            layer.get_submodule(name).register_forward_pre_hook(
                lambda _module, inputs, name=f"{number}.{name}": raise_to(name, inputs[0])
            )
    with torch.no_grad():
        for row in rows:
            out = model(input_ids=torch.tensor([row]), use_cache=True)
            for number in range(len(layers)):
                held = getattr(out, CACHE).layers[number]
                for side in ("keys", "values"):
                    raise_to(f"{number}.self_attn.{side}", getattr(held, side)[0].transpose(0, 1).flatten(1))
    return {name: peak.numpy() for name, peak in peaks.items()}


def test_ranges_are_those_of_transformers_over_the_same_tokens(
    exported: Exported, prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    made = calibrate(exported.portable, tmp_path / "out", prompts=prompts, count=4, method="max")
    _, tensors, _ = store.read(tmp_path / "out")

    expected = reference_peaks(exported.checkpoint, spy.rows)
    by_reader = {reader: name for name, one in made.ranges["backbone"].items() for reader in one.readers}
    assert len(expected) == 6 * exported.shape.layers
    for name, peaks in expected.items():
        tensor = by_reader[f"model.text_model.layers.{name}"]
        np.testing.assert_allclose(tensors["backbone"][tensor].channel_peaks, peaks, rtol=2e-3, atol=1e-4)
        assert made.ranges["backbone"][tensor].threshold == pytest.approx(peaks.max(), rel=1e-3)
        assert tensors["backbone"][tensor].count == sum(map(len, spy.rows)) * len(peaks)
    assert sum(case.tokens for case in made.done) == sum(map(len, spy.rows))


def test_the_whole_loop_is_run(
    exported: Exported, prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    made = calibrate(exported.portable, tmp_path / "out", prompts=prompts, count=4)
    assert [case.ability for case in made.done] == ["paint", "edit", "ask", "paint"]
    assert made.done[1].pictures == ("case 0",)  # an edit of what was painted
    branches = len(read_manifest(exported.portable).guidance.branches)
    assert len(spy.rows) == 3 * branches + 1
    assert set(made.ranges) == {"backbone", "image_head", "text_head", "image_decoder"}
    places = next(iter(made.ranges["backbone"].values())).places
    assert {"first", "prompt", "answer", "row 0", "row 3"} <= set(places)
    facts = summary(made)
    assert facts["cases"] == {"paint": 2, "edit": 1, "ask": 1}
    assert any("backbone" in line for line in facts["lines"])


def told_apart(folder: Path) -> tuple[Any, dict[str, Any]]:
    calibration, tensors, _ = store.read(folder)
    arrays = {f"{r}|{n}|{k}": a for r, named in tensors.items() for n, s in named.items() for k, a in s.arrays()}
    return calibration.ranges, arrays


def test_an_interrupted_calibration_goes_on_to_the_same_end(exported: Exported, prompts: Path, tmp_path: Path) -> None:
    calibrate(exported.portable, tmp_path / "whole", prompts=prompts, count=5)

    def interrupt(what: str, done: int, _all: int) -> None:
        if what.startswith("ask, case 3") or (what.startswith("paint, case 4") and done == 2):
            raise KeyboardInterrupt

    for _ in range(2):
        with warnings.catch_warnings(action="ignore", category=CalibrationWarning), pytest.raises(KeyboardInterrupt):
            calibrate(exported.portable, tmp_path / "parts", prompts=prompts, count=5, progress=interrupt)
        assert [case.ability for case in store.read(tmp_path / "parts")[0].done] == ["paint", "edit"]
    with pytest.warns(CalibrationWarning, match="2 of 5 cases; resuming"):
        calibrate(exported.portable, tmp_path / "parts", prompts=prompts, count=5)

    whole, parts = told_apart(tmp_path / "whole"), told_apart(tmp_path / "parts")
    assert whole[0] == parts[0]
    assert whole[1].keys() == parts[1].keys()
    for name, array in whole[1].items():
        np.testing.assert_array_equal(array, parts[1][name])
    assert len(list((tmp_path / "parts").iterdir())) == 2


def test_another_method_and_more_cases_use_what_is_there(exported: Exported, prompts: Path, tmp_path: Path) -> None:
    first = calibrate(exported.portable, tmp_path / "out", prompts=prompts, count=2, method="max")
    told: list[str] = []
    with pytest.warns(CalibrationWarning, match="only ranges are chosen again"):
        second = calibrate(
            exported.portable,
            tmp_path / "out",
            prompts=prompts,
            count=2,
            method="entropy",
            progress=lambda what, _done, _all: told.append(what),
        )
    assert not any("case" in what for what in told)
    assert second.done == first.done
    ours, theirs = (list(made.ranges["backbone"].values()) for made in (second, first))
    assert all(one.threshold <= other.threshold == other.peak for one, other in zip(ours, theirs, strict=True))
    with pytest.warns(CalibrationWarning, match="2 of 3 cases; resuming"):
        assert len(calibrate(exported.portable, tmp_path / "out", prompts=prompts, count=3).done) == 3


def test_pictures_of_a_folder_are_read(exported: Exported, prompts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    cell = exported.shape.cell
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (4 * cell, 5 * cell, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    prompts.write_text("ask: what color\nedit: big\n")
    made = calibrate(exported.portable, tmp_path / "out", prompts=prompts, pictures=folder, count=4)
    assert [case.pictures for case in made.done] == [("0.png",), ("0.png",), ("1.png", "0.png"), ("1.png", "0.png")]

    (folder / "0.png").write_bytes((folder / "1.png").read_bytes())
    with pytest.raises(CalibrationError, match=r"other prompts, pictures or counts; `restart=True`"):
        calibrate(exported.portable, tmp_path / "out", prompts=prompts, pictures=folder, count=4)
    assert calibrate(
        exported.portable, tmp_path / "out", prompts=prompts, pictures=folder, count=4, restart=True
    ).finished


def test_shipped_prompts_ask_for_every_ability(exported: Exported) -> None:
    manifest = read_manifest(exported.portable)
    listed = cases(manifest, None, None, 12)
    assert {case.ability for case in listed} == set(manifest.abilities)
    assert len({(case.ability, case.text) for case in listed}) == 12


@pytest.mark.parametrize(
    ("content", "options", "error", "match"),
    [
        ("a car", {"method": "magic"}, RequestError, "no `method='magic'`; choose one of max, percentile"),
        ("a car", {"percentile": 101.0}, RequestError, "`percentile=101"),
        ("a car", {"count": 0}, RequestError, "`count=0` is too small"),
        ("# nothing\n", {}, RequestError, "has no requests to calibrate on"),
        ("paint:\n", {}, RequestError, "line 1: paint needs words"),
        ("segment:\n", {}, RequestError, "requests to segment, which .* lacks"),
        ("edit: big\n", {}, RequestError, "no request paints a picture for the others"),
        (None, {}, RequestError, r"prompts\.txt cannot be read as requests"),
        ("a car", {"pictures": Path("nowhere")}, PictureError, "nowhere is not a folder"),
    ],
)
def test_data_that_cannot_be_used(
    exported: Exported,
    prompts: Path,
    tmp_path: Path,
    content: str | None,
    options: dict[str, Any],
    error: type[EdgevloError],
    match: str,
) -> None:
    prompts.unlink()
    if content is not None:
        prompts.write_text(content)
    with pytest.raises(error, match=match):
        calibrate(exported.portable, tmp_path / "out", prompts=prompts, **options)
    assert not (tmp_path / "out").exists()


def test_unreadable_pictures_are_said_before_anything_runs(exported: Exported, prompts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    with pytest.raises(PictureError, match="has no pictures"):
        calibrate(exported.portable, tmp_path / "out", prompts=prompts, pictures=folder)
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"broken\.png"):
        calibrate(exported.portable, tmp_path / "out", prompts=prompts, pictures=folder)
    assert not (tmp_path / "out").exists()


def test_a_target_bundle_is_not_calibrated(exported: Exported, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="made for target 'cpu'; calibrate the portable bundle"):
        calibrate(exported.cpu, tmp_path / "out")


@pytest.fixture
def made(exported: Exported, prompts: Path, tmp_path: Path) -> Path:
    calibrate(exported.portable, tmp_path / "made", prompts=prompts, count=1)
    return tmp_path / "made"


def edited(folder: Path, **changes: Any) -> None:
    content = json.loads((folder / store.FILE).read_text())
    (folder / store.FILE).write_text(json.dumps(content | changes))


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        ("truncated", "does not have the"),
        ("flipped", "SHA-256 is not the one"),
        ("no arrays", "cannot be read"),
        ("no json", r"calibration\.json: .*--restart"),
        ("unknown key", "unknown field"),
        ("infinite range", "--restart"),
        ("outside", "--restart"),
    ],
)
def test_damaged_calibrations_are_refused(made: Path, damage: str, match: str) -> None:
    (arrays,) = made.glob("arrays-*.npz")
    content = arrays.read_bytes()
    match damage:
        case "truncated":
            arrays.write_bytes(content[:-10])
        case "flipped":
            arrays.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
        case "no arrays":
            arrays.unlink()
        case "no json":
            (made / store.FILE).write_bytes((made / store.FILE).read_bytes()[:-40])
        case "unknown key":
            edited(made, more=1)
        case "infinite range":
            text = (made / store.FILE).read_text()
            (made / store.FILE).write_text(text.replace('"threshold": ', '"threshold": 1e999, "was": ', 1))
        case "outside":
            edited(made, arrays={"file": "../arrays-0123456789abcdef.npz", "bytes": 1, "sha256": "0" * 64})
    with pytest.raises(CalibrationError, match=match):
        store.read(made)


def test_a_calibration_of_another_bundle_is_not_gone_on_with(
    exported: Exported, made: Path, prompts: Path, tmp_path: Path
) -> None:
    edited(made, bundle="other", bundle_sha256="1" * 64)
    with pytest.raises(CalibrationError, match=r"made from another bundle, other; `restart=True` starts it over"):
        calibrate(exported.portable, made, prompts=prompts, count=1)
    assert calibrate(exported.portable, made, prompts=prompts, count=1, restart=True).finished


def test_files_that_are_no_calibration_are_left_alone(exported: Exported, prompts: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    for name in ("prompts.txt", "folder"):
        with pytest.raises(CalibrationError, match=f"{name} exists and is not a calibration"):
            calibrate(exported.portable, tmp_path / name, prompts=prompts, restart=True)
    assert (tmp_path / "folder" / "mine.txt").read_text() == "mine"


def test_what_a_killed_process_left_is_no_hindrance(exported: Exported, prompts: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "arrays-0123456789abcdef.npz").write_bytes(b"half")
    (tmp_path / "out" / ".calibration.json-0123456789ab").write_bytes(b"{")
    assert calibrate(exported.portable, tmp_path / "out", prompts=prompts, count=1).finished
    assert store.read(tmp_path / "out")[0].finished


def test_an_output_that_cannot_be_written_is_said_before_anything_runs(
    exported: Exported, prompts: Path, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match=r"the folder .*nowhere does not exist"):
        calibrate(exported.portable, tmp_path / "nowhere" / "out", prompts=prompts, count=1)


def test_a_tensor_that_is_not_finite_is_named(exported: Exported, prompts: Path, tmp_path: Path) -> None:
    import onnx_ir as ir

    from edgevlo.runtime.bundle import seal

    broken = Path(shutil.copytree(exported.portable, tmp_path / "broken"))
    graph = ir.load(broken / "backbone.onnx")
    name = "model.text_model.layers.1.mlp.up_proj.weight"
    value = graph.graph.initializers[name]
    assert value.const_value is not None
    weight = value.const_value.numpy().copy()
    weight[3, 5] = np.nan
    value.const_value = ir.tensor(weight, name=name)
    ir.save(graph, broken / "again.onnx", external_data="again.data")
    for file, there in (("again.onnx", "backbone.onnx"), ("again.data", "again.data")):
        (broken / file).rename(broken / there)
    (broken / "backbone.onnx.data").unlink()
    (broken / "manifest.json").unlink()
    seal(broken, read_manifest(exported.portable))

    with pytest.raises(CalibrationError, match=r"NaN in tensor '.*' of backbone \(read by .*layers.1.mlp.down_proj"):
        calibrate(broken, tmp_path / "out", prompts=prompts, count=1)


def test_padding_is_not_observed(exported: Exported) -> None:
    del exported
    observer = Observer({})
    values = np.zeros((2, 3, 4), np.float32)
    values[0], values[1, 0], values[1, 1:] = 1.0, 2.0, 99.0  # the second row has one token and two of padding
    seen = {"x": values, "past_lengths": np.array([0, 0]), "token_counts": np.array([3, 1])}
    observer.take("backbone", seen, [Watched("x", ("reader",), (-1,))])
    assert observer.tensors["backbone"]["x"].peak == 2.0
    assert (observer.tokens, observer.tensors["backbone"]["x"].count) == (4, 16)


def test_quantize_refuses_it_unfinished_or_of_another_bundle(
    exported: Exported, made: Path, prompts: Path, tmp_path: Path
) -> None:
    from edgevlo.quantization import Static

    static = Static(activations="int8")
    edited(made, cases=3)
    with pytest.raises(CalibrationError, match="1 of 3 cases; finish it"):
        quantize(exported.portable, tmp_path / "new", static=static, calibration=made, requests=0)
    edited(made, bundle_sha256="1" * 64)
    with pytest.raises(CalibrationError, match="made from another bundle"):
        quantize(exported.portable, tmp_path / "new", static=static, calibration=made, requests=0)
    with pytest.raises(CalibrationError, match=r"cannot be read .* is .*nowhere a calibration"):
        quantize(exported.portable, tmp_path / "new", static=static, calibration=tmp_path / "nowhere", requests=0)
    assert not (tmp_path / "new").exists()
