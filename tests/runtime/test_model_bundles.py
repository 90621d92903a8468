"""Bundles whose parts do not fit each other although every hash is right."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from toy_bundle import rewritten
from toy_reference import flat_picture

from edgevlo.runtime.errors import AbilityError, BundleError
from edgevlo.runtime.graphs.onnx_sessions import open_rewritten
from edgevlo.runtime.model import Model


def only(*abilities: str) -> Any:
    return lambda tree: tree.update(abilities={name: tree["abilities"][name] for name in abilities})


def without(*roles: str) -> Any:
    return lambda tree: [tree["graphs"].pop(role) for role in roles]


def test_a_model_that_only_answers_needs_no_image_head(toy: Path, tmp_path: Path, model: Model) -> None:
    folder = rewritten(toy, tmp_path / "reader", only("ask"), without("image_head", "image_decoder"))
    picture = flat_picture([[1, 2]])

    assert Model.open(folder).ask(picture, "where is it") == model.ask(picture, "where is it")


def test_what_needs_a_graph_that_the_bundle_lacks_says_so(toy: Path, tmp_path: Path) -> None:
    folder = rewritten(toy, tmp_path / "painter", only("paint"), without("image_tokenizer", "text_head"))

    with pytest.raises(AbilityError, match="toy has no image_tokenizer"):
        Model.open(folder).tokenize(flat_picture([[1]]))


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda t: t["backbone"].update(layers=3), "backbone"),
        (lambda t: t["backbone"].update(layers=1), "backbone"),
        (lambda t: t["backbone"].update(head_dim=4), "backbone"),
        (lambda t: t["backbone"].update(kv_heads=1024), "backbone"),
        (lambda t: t["backbone"].update(cache_dtype="float16"), "backbone"),
        (lambda t: t["graphs"]["backbone"].update(t["graphs"]["text_head"]), "backbone"),
        (lambda t: t["graphs"]["image_head"].update(t["graphs"]["text_head"]), "image_head"),
        (lambda t: t["graphs"]["image_decoder"].update(t["graphs"]["image_tokenizer"]), "image_decoder"),
        (lambda t: t["graphs"]["backbone"]["inputs"][1].update(name="lengths"), "past_lengths"),
        (lambda t: t["graphs"]["backbone"]["inputs"][1].update(dtype="int32"), "past_lengths"),
        (lambda t: t["graphs"]["backbone"]["inputs"][0]["shape"].pop(), "inputs_embeds"),
        (lambda t: t["codes"].update(count=26), "image_head"),
    ],
)
def test_a_graph_whose_interface_is_not_the_manifests_is_refused(
    toy: Path, tmp_path: Path, edit: Any, reason: str
) -> None:
    folder = rewritten(toy, tmp_path / "bad", edit)

    with pytest.raises(BundleError, match=reason) as caught:
        Model.open(folder).paint("a red car", seed=1)

    assert str(folder) in str(caught.value)


def test_a_graph_that_is_another_than_its_manifest_says_is_refused(toy: Path, tmp_path: Path) -> None:
    folder = rewritten(toy, tmp_path / "bad", files={"image_head.onnx": (toy / "text_head.onnx").read_bytes()})

    with pytest.raises(BundleError, match=rf"^{folder}/image_head\.onnx: inputs are not what .*: temperature, top_k"):
        Model.open(folder).paint("a red car", seed=1)


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x0b" + bytes(200)])
def test_a_file_that_is_no_graph_is_one_quiet_error(
    toy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes
) -> None:
    folder = rewritten(toy, tmp_path / "bad", files={"image_head.onnx": content})

    again = "Export or download the bundle again."
    with pytest.raises(
        BundleError, match=rf"^{folder}/image_head.onnx (is not an ONNX file|cannot be opened).* {again}$"
    ):
        Model.open(folder).paint("a red car", seed=1)
    assert capfd.readouterr() == ("", "")


def test_an_onnxruntime_that_is_too_old_is_named(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = rewritten(toy, tmp_path / "bad", files={"image_head.onnx": b"\x08\xff\x01"})  # of IR version 255
    monkeypatch.setattr("onnxruntime.__version__", "1.31.1")

    with pytest.raises(BundleError, match=r"ONNX Runtime 1\.31\.1 is too old .* 'onnxruntime>=1\.32'"):
        Model.open(folder).paint("a red car", seed=1)


def test_a_graph_draws_no_weights_from_outside_its_bundle(toy: Path, tmp_path: Path) -> None:
    graph = (toy / "backbone.onnx").read_bytes()
    assert b"backbone.onnx.data" in graph
    outside = rewritten(
        toy, tmp_path / "bad", files={"backbone.onnx": graph.replace(b"backbone.onnx.data", b"../evil/onnx.data0")}
    )
    (tmp_path / "evil").mkdir()
    shutil.copy(toy / "backbone.onnx.data", tmp_path / "evil" / "onnx.data0")

    with pytest.raises(BundleError, match=r"backbone\.onnx cannot be opened: .*evil"):
        Model.open(outside).paint("a red car", seed=1)


def test_a_rewritten_graph_is_opened_with_the_options_that_it_needs(toy: Path) -> None:
    path = toy / "text_head.onnx"
    content = path.read_bytes()
    (hidden,) = open_rewritten(content, path, 1).get_inputs()
    assert hidden.name == "hidden"
    with pytest.raises(BundleError, match=r"text_head\.onnx cannot be opened on a CPU: .*fallback"):
        open_rewritten(content, path, 1, ("session.disable_cpu_ep_fallback", "1"))


def test_a_table_of_another_size_is_refused(toy: Path, tmp_path: Path) -> None:
    folder = rewritten(toy, tmp_path / "bad", files={"token_embedding.bin": bytes(12)})

    with pytest.raises(BundleError, match=r"token_embedding\.bin is not the size of \d+ x 16 float32 numbers"):
        Model.open(folder).paint("a red car", seed=1)


def test_a_target_that_is_not_here_is_refused_by_name(toy: Path, tmp_path: Path) -> None:
    folder = rewritten(toy, tmp_path / "cuda", lambda tree: tree.update(target="cuda"))

    with pytest.raises(BundleError, match=r"is made for target 'cuda', which this installation .* cannot run"):
        Model.open(folder).paint("a red car", seed=1)


def test_a_bundle_may_lie_under_any_name(toy: Path, tmp_path: Path, model: Model) -> None:
    folder = Path(shutil.copytree(toy, tmp_path / "模型 ü"))

    assert Model.open(folder).paint("a red car", seed=1).tobytes() == model.paint("a red car", seed=1).tobytes()
