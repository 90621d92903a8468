"""Pictures read as features, codes with a table of their own, pads for a prompt: the toy bundle, changed to do so.

The vision encoder here gives every cell the embedding of its code's token, so that what is read must count as much as
those tokens do.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from toy_bundle import rewritten
from toy_reference import CELL, FIRST_TOKEN, HIDDEN, REFERENCE, VOCABULARY, WEIGHTS, flat_picture, ids

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.generate.prompts import Features
from edgevlo.runtime.model import Model

Tree = dict[str, Any]

SIDE: Final = 4 * CELL
EOL: Final = VOCABULARY["<eol>"]


def greedy(branches: Sequence[tuple[float, list[int]]], columns: int, cells: int, suffix: list[int]) -> list[int]:
    """Paint with whole sequences in float64."""
    codes: list[int] = []
    painted: list[int] = []
    for _ in range(cells):
        logits = sum(weight * REFERENCE.image_logits([*prompt, *painted]) for weight, prompt in branches)
        codes.append(int(np.argmax(logits)))
        painted += [FIRST_TOKEN + codes[-1], *(suffix if len(codes) % columns == 0 else [])]
    return codes


def painted(model: Model, prompt: str, **options: Any) -> list[int]:
    *_, last = model.paint_rows(prompt, temperature=0.0, **options)
    codes: list[int] = last.codes.ravel().tolist()
    return codes


def only(*abilities: str) -> Any:
    return lambda tree: tree.update(abilities={name: tree["abilities"][name] for name in abilities})


def test_the_unconditional_branch_is_the_prompt_with_pads_that_are_read(toy: Path, tmp_path: Path) -> None:
    def padded(tree: Tree) -> None:
        kinds = [{"kind": "prompt", "constant": 0, "scale": 1}, {"kind": "pad_middle", "constant": 1, "scale": -1}]
        tree["guidance"] = {"branches": kinds, "default_scale": 3, "pad": "<unk>"}

    model = Model.open(rewritten(toy, tmp_path / "padded", padded))

    codes = painted(model, "a red car", size=(5 * CELL, 4 * CELL))

    prompt = ids("<bos> a red car <image> 4 * 5 <grid>")
    pads = [prompt[0], *[VOCABULARY["<unk>"]] * (len(prompt) - 2), prompt[-1]]
    assert codes == greedy([(3, prompt), (-2, pads)], 5, 20, [EOL])
    assert len(set(codes)) > 2


def test_codes_with_a_table_of_their_own_paint_the_same_picture(toy: Path, tmp_path: Path, model: Model) -> None:
    def divided(tree: Tree) -> None:
        tree["token_embedding"]["shape"] = [FIRST_TOKEN, HIDDEN]
        tree["code_embedding"] = {"file": "codes.bin", "dtype": "float16", "shape": [tree["codes"]["count"], HIDDEN]}
        del tree["graphs"]["text_head"]

    tokens, codes = WEIGHTS.table[:FIRST_TOKEN].astype("<f4"), WEIGHTS.table[FIRST_TOKEN:].astype("<f2")
    files = {"token_embedding.bin": tokens.tobytes(), "codes.bin": codes.tobytes()}
    own = Model.open(rewritten(toy, tmp_path / "own", only("paint", "edit"), divided, files=files))
    picture = Image.new("RGB", (SIDE, SIDE), "red")

    own.check()
    assert painted(own, "a red car") == painted(model, "a red car")
    *_, ours = own.edit_rows(picture, "where is it", temperature=0.0)
    *_, theirs = model.edit_rows(picture, "where is it", temperature=0.0)
    assert ours.codes.tolist() == theirs.codes.tolist()


def vision_encoder(toy: Path) -> bytes:
    """Return the toy's image tokenizer followed by the rows of its codes' tokens: pixels -> features (1, T, D)."""
    model = onnx.load(toy / "image_tokenizer.onnx")
    graph = model.graph
    graph.initializer.append(numpy_helper.from_array(WEIGHTS.table[FIRST_TOKEN:].astype(np.float32), "rows"))
    graph.initializer.append(numpy_helper.from_array(np.array([1, -1, HIDDEN]), "flat"))
    graph.node.append(helper.make_node("Gather", ["rows", "codes"], ["cells"]))
    graph.node.append(helper.make_node("Reshape", ["cells", "flat"], ["features"]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("features", TensorProto.FLOAT, (1, "T", HIDDEN)))
    content: bytes = model.SerializeToString()
    return content


def sees(tree: Tree) -> None:
    """Read pictures through the vision encoder, in squares of 4 x 4 cells."""
    tree["graphs"]["vision_encoder"] = {
        "file": "vision_encoder.onnx",
        "precision": "fp32",
        "inputs": tree["graphs"]["image_tokenizer"]["inputs"],
        "outputs": [{"name": "features", "dtype": "float32", "shape": [1, "T", HIDDEN]}],
    }
    tree["image_block"] = {"open": [{"token": "<image>"}], "close": ["<eoi>"], "features": "vision_encoder"}
    square = {"side": SIDE, "color": [255, 255, 255]}
    tree["preprocess"] |= {"min_pixels": SIDE**2, "max_pixels": SIDE**2, "fit_pad_square": square}


@pytest.fixture(scope="module")
def seeing(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("bundles") / "seeing"
    files = {"vision_encoder.onnx": vision_encoder(toy)}
    return Model.open(rewritten(toy, folder, only("paint", "edit", "ask"), sees, files=files))


def shown(codes: npt.NDArray[np.int64]) -> list[int]:
    return [*ids("<image>"), *(FIRST_TOKEN + codes.ravel()).tolist(), *ids("<eoi>")]


def test_an_answer_about_features_is_that_about_what_they_stand_for(seeing: Model) -> None:
    first, second = (np.random.default_rng(seed).integers(0, 27, (4, 4)) for seed in (0, 1))
    tokens = [*ids("<bos>"), *shown(first), *shown(second), *ids("where is it")]
    expected: list[int] = []
    while len(expected) < 12:
        best = int(REFERENCE.text_logits([*tokens, *expected]).argmax())
        if best == VOCABULARY["<eos>"]:
            break
        expected.append(best)

    text = seeing.ask([flat_picture(first), flat_picture(second)], "where is it")

    names = {index: name for name, index in VOCABULARY.items()}
    words = [names[token] for token in expected if token < FIRST_TOKEN and not names[token].startswith("<")]
    assert text == " ".join(words)
    assert len(words) > 1


def test_an_edit_of_features_shows_them_in_every_branch(seeing: Model) -> None:
    codes = np.random.default_rng(2).integers(0, 27, (4, 4))
    branches = [
        (2.0, [*ids("<bos>"), *shown(codes), *ids("a red car <image>")]),
        (-1.0, [*ids("<bos>"), *shown(codes), *ids("ugly <image>")]),
    ]

    *_, last = seeing.edit_rows(flat_picture(codes), "a red car", temperature=0.0, size=(5 * CELL, 4 * CELL))

    assert last.codes.ravel().tolist() == greedy(branches, 5, 20, [])


def reads_both(tree: Tree) -> None:
    """Show features and codes in edits, and guide by three branches."""
    sees(tree)
    tree["abilities"]["edit"]["reads"] = "both"
    kinds = {"prompt": (0, 0, 1), "pad_codes": (0, 1, -1), "pad_middle": (1, -1, 0)}
    tree["guidance"] = {
        "branches": [
            {"kind": kind, "constant": constant, "scale": scale, "image_scale": image_scale}
            for kind, (constant, scale, image_scale) in kinds.items()
        ],
        "default_scale": 3,
        "default_image_scale": 1.25,
        "pad": "<unk>",
    }


@pytest.fixture(scope="module")
def both(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("bundles") / "both"
    files = {"vision_encoder.onnx": vision_encoder(toy)}
    return Model.open(rewritten(toy, folder, only("paint", "edit", "ask"), reads_both, files=files))


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ({}, (1.25, 1.75, -2)),
        ({"guidance_scale": 1.0}, (1.25, -0.25, 0)),
        ({"image_guidance_scale": 3.0}, (3, 0, -2)),
        ({"guidance_scale": 1.0, "image_guidance_scale": 1.0}, (1, 0, 0)),
        ({"guidance_scale": 4.0, "image_guidance_scale": 0.0}, (0, 4, -3)),
    ],
)
def test_an_edit_is_guided_by_the_codes_and_by_the_words(
    both: Model, options: dict[str, float], weights: tuple[float, float, float]
) -> None:
    codes = np.random.default_rng(3).integers(0, 27, (4, 4))
    seen, pad = shown(codes), VOCABULARY["<unk>"]
    padded = [*ids("<image>"), *[pad] * 16, *ids("<eoi>")]
    full = [*ids("<bos>"), *seen, *seen, *ids("a red car <image>")]
    part = [*ids("<bos>"), *seen, *padded, *ids("a red car <image>")]
    nothing = [full[0], *[pad] * (len(full) - 2), full[-1]]

    *_, last = both.edit_rows(flat_picture(codes), "a red car", temperature=0.0, **options)  # type: ignore[arg-type]

    branches = [(weight, row) for weight, row in zip(weights, (full, part, nothing), strict=True) if weight]
    assert last.codes.ravel().tolist() == greedy(branches, 4, 16, [])


def test_branches_that_show_no_picture_are_one(both: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = ids("<bos> a red car <image>")
    pads = [prompt[0], *[VOCABULARY["<unk>"]] * (len(prompt) - 2), prompt[-1]]
    rows: list[int] = []
    painter = both._engine.painter

    def counted(prompts: Sequence[Sequence[int]], *rest: Any) -> Any:
        rows.append(len(prompts))
        return painter(prompts, *rest)

    monkeypatch.setattr(both._engine, "painter", counted)

    assert painted(both, "a red car") == greedy([(3, prompt), (-2, pads)], 5, 20, [])
    assert painted(both, "a red car", guidance_scale=1.0) == greedy([(1, prompt)], 5, 20, [])
    assert rows == [2, 1]


def test_a_picture_of_its_own_grid_is_edited_in_it(both: Model) -> None:
    *_, last = both.edit_rows(flat_picture(np.zeros((4, 4), dtype=np.int64)), "a red car", seed=0)
    assert last.codes.shape == (4, 4)


def test_an_image_guidance_scale_that_does_nothing_is_refused(both: Model, model: Model) -> None:
    with pytest.raises(RequestError, match="does nothing here: this shows the model no picture; leave it out"):
        both.paint("a red car", image_guidance_scale=1.0)
    with pytest.raises(RequestError, match="does nothing here: this model has no such guidance; leave it out"):
        model.edit(Image.new("RGB", (SIDE, SIDE)), "a red car", image_guidance_scale=1.0)
    with pytest.raises(RequestError, match="image guidance scale nan is out of range; it runs from 0 to 100"):
        both.edit(Image.new("RGB", (SIDE, SIDE)), "a red car", image_guidance_scale=float("nan"))


def test_an_answer_shows_features_alone_where_edits_show_both(both: Model) -> None:
    (source,) = both._read("ask", [Image.new("RGB", (SIDE, SIDE), "white")])
    assert isinstance(source, Features)
    assert source.codes is None


def test_a_picture_of_any_size_is_fitted_without_a_word(seeing: Model, recwarn: pytest.WarningsRecorder) -> None:
    seeing.check()
    (features,) = seeing._read("ask", [Image.new("RGB", (3 * SIDE, 2 * SIDE), "white")])
    assert isinstance(features, Features)
    assert features.rows.shape == (16, HIDDEN)
    assert not recwarn.list
