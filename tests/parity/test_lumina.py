"""Lumina-mGPT against transformers' Chameleon: sizes as reserved tokens, perception, edits and answers."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from chameleon_checkpoints import (
    CLOSE,
    END,
    LUMINA_SHAPES,
    OPEN,
    ROW,
    TURN,
)
from chameleon_pair import Pair, looped, pair_of
from drafted import assert_the_same_for_every_width
from greedy import answered, painted
from photographs import soft_noise
from PIL import Image

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.abilities import AbilityName
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import load_picture
from edgevlo.runtime.pictures.pixel_values import to_pixel_values

pytestmark = [
    pytest.mark.filterwarnings("ignore::edgevlo.export.checkpoint.folder.CheckpointWarning"),
    pytest.mark.filterwarnings("ignore::edgevlo.runtime.pictures.load.PictureWarning"),
    pytest.mark.filterwarnings("ignore::edgevlo.runtime.generate.text.AnswerWarning"),
]


@pytest.fixture(scope="module", params=LUMINA_SHAPES, ids=lambda shape: shape.name)
def lumina(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pair_of(request.param, tmp_path_factory.mktemp(request.param.name))


def test_several_codes_a_pass_paint_the_same_picture(lumina: Pair) -> None:
    assert_the_same_for_every_width(lumina.model)


def tags(pair: Pair, grid: tuple[int, int]) -> str:
    return "".join(f"<reserved{8800 + cells // 2:05d}>" for cells in grid)


@pytest.mark.parametrize("grid", [(4, 4), (2, 6), (8, 4)])
def test_lumina_paints_the_size_that_its_reserved_tokens_say(lumina: Pair, grid: tuple[int, int]) -> None:
    height, width = (cells * lumina.shape.cell for cells in grid)
    opener = lumina.bare(OPEN + tags(lumina, grid))
    words = f"Generate an image of {width}x{height} according to the following prompt:\na red car{TURN}"
    expected = looped(lumina, [lumina.ids(words) + opener, opener], [4.0, -3.0], grid, lumina.bare(ROW))

    codes = painted(lumina.model, "a red car", size=(width, height))

    assert codes.shape == grid
    assert (codes.ravel() + lumina.first).tolist() == expected
    assert len(set(expected)) >= 4


def turn(pair: Pair, words: str, codes: Codes) -> list[int]:
    """Return the ids of a turn that shows a picture behind its words."""
    rows = [[*(codes[row] + pair.first).tolist(), *pair.bare(ROW)] for row in range(len(codes))]
    return [*pair.ids(f"{words} {OPEN}{tags(pair, codes.shape)}"), *itertools.chain(*rows), *pair.bare(CLOSE + TURN)]


@pytest.mark.parametrize(
    ("name", "words", "objects"),
    [
        ("segment", "Segmentic segmentation.", []),
        ("depth", "Depth estimation.", []),
        ("normals", "Surface normal estimation.", []),
        ("pose", "Human pose estimation.", []),
        ("boxes", "Detect: car, dog", ["car", "dog"]),
    ],
)
def test_lumina_paints_what_it_perceives(lumina: Pair, name: AbilityName, words: str, objects: list[str]) -> None:
    small = small_model(lumina)
    picture = soft_noise(4 * lumina.shape.cell, 4 * lumina.shape.cell, 5)
    codes = small.tokenize(picture)
    prompt = turn(lumina, words, codes) + lumina.bare(OPEN + tags(lumina, codes.shape))
    expected = looped(lumina, [prompt], [1.0], (4, 4), lumina.bare(ROW))

    *_, last = small.perceive_rows(name, picture, objects, temperature=0.0)

    assert (last.codes.ravel() + lumina.first).tolist() == expected


def test_lumina_edits_with_and_without_guidance(lumina: Pair) -> None:
    small = small_model(lumina)
    picture = soft_noise(8 * lumina.shape.cell, 2 * lumina.shape.cell, 6)
    codes = small.tokenize(picture)
    opener = lumina.bare(OPEN + tags(lumina, codes.shape))
    prompt = turn(lumina, "change the car to blue", codes) + opener
    for scale, branches in ((1.0, [prompt]), (2.5, [prompt, opener])):
        weights = [scale, 1 - scale][: len(branches)]
        expected = looped(lumina, branches, weights, codes.shape, lumina.bare(ROW))
        *_, last = small.edit_rows(picture, "change the car to blue", temperature=0.0, guidance_scale=scale)
        assert (last.codes.ravel() + lumina.first).tolist() == expected
    assert codes.shape == (2, 8)


def test_lumina_answers_as_generate(lumina: Pair) -> None:
    small = small_model(lumina)
    picture = soft_noise(4 * lumina.shape.cell, 4 * lumina.shape.cell, 7)
    prompt = turn(lumina, "what is it?", small.tokenize(picture))
    ids = torch.tensor([prompt])
    stop = {*lumina.bare(END), *lumina.bare(TURN)}
    out = lumina.reference.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=sorted(stop),
    )
    ours = small._writer.prompt(small.manifest.abilities["ask"].prompt, "what is it?", small._read("ask", [picture]))

    assert ours == prompt
    expected = [token for token in out[0, len(prompt) :].tolist() if token not in stop]
    assert answered(small, ours, stop, 12) == expected


def small_model(pair: Pair) -> Model:
    """Return the model as if its square had 4 by 4 cells: pictures are then small enough to loop over."""
    import msgspec

    from edgevlo.runtime.bundle import Bundle

    manifest = pair.model.manifest
    grid = msgspec.structs.replace(manifest.grid, rows=(2, 8), columns=(2, 8), cells=(4, 16), default=(4, 4))
    bundle = pair.model.bundle
    changed = msgspec.structs.replace(manifest, grid=grid)
    return Model(Bundle(folder=bundle.folder, manifest=changed, digest=bundle.digest))


def cropped(picture: Image.Image, target: int) -> Image.Image:
    """Return what Lumina-mGPT reads of a picture, cut in the middle where its own code cuts at random."""
    patches, patch = (target // 32) ** 2, 32
    sizes = [
        (across, down)
        for across in range(1, patches + 1)
        for down in range(1, patches // across + 1)
        if max(across, down) <= 4 * min(across, down) and (across + 1) * (down + 1) > patches
    ]
    width, height = picture.size
    nearest = max(
        (
            min(w * patch / width, h * patch / height) / max(w * patch / width, h * patch / height),
            (w * patch, h * patch),
        )
        for w, h in sizes
    )[1]
    while picture.width >= 2 * nearest[0] and picture.height >= 2 * nearest[1]:
        picture = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    scale = max(nearest[0] / picture.width, nearest[1] / picture.height)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)
    left, top = (picture.width - nearest[0]) // 2, (picture.height - nearest[1]) // 2
    return picture.crop((left, top, left + nearest[0], top + nearest[1]))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(512, 512), (97, 31), (31, 97), (1001, 403), (60, 500), (1500, 1100), (640, 1023)])
def test_lumina_crops_to_the_nearest_ratio(lumina: Pair, size: tuple[int, int], mode: str) -> None:
    import msgspec

    from edgevlo.runtime.pictures.sizes import GridRule

    grid = msgspec.structs.replace(
        lumina.model.manifest.grid, rows=(2, 64), columns=(2, 64), cells=(4, 1024), default=(32, 32)
    )
    model = Model(lumina.model.bundle)
    model.grid = GridRule(grid=grid, cell=16)
    picture = soft_noise(*size, seed=size[0]).convert(mode)
    expected = np.asarray(cropped(picture.convert("RGB"), 512)).transpose(2, 0, 1) / 255 * 2 - 1

    found = to_pixel_values(model.reader.fit(load_picture(picture).image), model.manifest.preprocess)[0]

    assert found.shape == expected.shape
    assert np.abs(found - expected).max() / 2 <= 1 / 255 + 1e-6


def test_luminas_manifest_says_sizes_and_perception(lumina: Pair) -> None:
    manifest = lumina.model.manifest
    assert manifest.family == "lumina-mgpt"
    assert (manifest.grid.step, manifest.grid.max_ratio, manifest.image_block.row_suffix) == (2, 4.0, (ROW,))
    assert set(manifest.abilities) == {"paint", "ask", "edit", "segment", "depth", "normals", "pose", "boxes"}
    assert manifest.guidance.default_scale == 4.0
    depth = manifest.abilities["depth"]
    assert depth.sampling is not None
    assert (depth.guidance_scale, depth.sampling.top_k, manifest.sampling.top_k) == (1.0, 200, 2000)
    assert "NON-COMMERCIAL" in manifest.source.licence
    cell = lumina.shape.cell
    with pytest.raises(RequestError, match=rf"sides are multiples of {2 * cell} pixels"):
        lumina.model.paint("a car", size=(3 * cell, 4 * cell))
    with pytest.raises(RequestError, match="boxes of this model needs names of objects"):
        lumina.model.boxes(soft_noise(32, 32, 0))
