"""The shapes that TensorRT engines are built for: what the runtime gives each graph fits, and no more."""

import pytest
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.quantization import quantize
from edgevlo.runtime.gpu.tensorrt_profiles import PROMPT, STEP, profiles
from edgevlo.runtime.manifest.schema import Manifest, read_manifest

pytestmark = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@pytest.fixture(scope="module")
def manifest(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    made = tmp_path_factory.mktemp("profiles") / "bundle"
    quantize(exported.portable, made, target="tensorrt", weights="int8", capacity=192, requests=0)
    return read_manifest(made)


def test_the_backbone_has_a_profile_for_steps_and_one_for_prompts(manifest: Manifest) -> None:
    step, prompt = (profiles(manifest, "backbone")[which] for which in (STEP, PROMPT))
    size, branches = manifest.backbone.hidden_size, len(manifest.guidance.branches)
    assert step.smallest["inputs_embeds"] == (1, 1, size)
    assert step.usual["inputs_embeds"] == (branches, 1, size)
    assert step.largest["inputs_embeds"] == (branches, 2, size)  # the grid forces a token after every row
    assert prompt.largest["inputs_embeds"] == (branches, 192, size)
    for profile in (step, prompt):
        kept = {shapes["past_keys.0"][2] for shapes in (profile.smallest, profile.usual, profile.largest)}
        assert kept == {192}


def test_every_graph_takes_what_the_runtime_gives_it(manifest: Manifest) -> None:
    low, high = manifest.grid.rows
    decoder = profiles(manifest, "image_decoder")[0]
    assert decoder.holds({"codes": (1, 1, manifest.grid.columns[0])})  # a preview of the first row
    assert decoder.holds({"codes": (1, high, manifest.grid.columns[1])})
    assert not decoder.holds({"codes": (1, high + 1, manifest.grid.columns[1])})
    cell = manifest.codes.cell
    tokenizer = profiles(manifest, "image_tokenizer")[0]
    assert tokenizer.holds({"pixel_values": (1, 3, low * cell, low * cell)})
