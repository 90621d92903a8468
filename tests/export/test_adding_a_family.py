"""docs/adding-a-family.md, followed to the letter."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from chameleon_checkpoints import ChameleonShape, spread_codebook, taming_decoder, vq_config, write_vqgan
from click.testing import CliRunner
from emu3_checkpoints import WORDS
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from transformers.models.chameleon.modeling_chameleon import ChameleonVQVAE

from edgevlo.cli import main
from edgevlo.export import families
from edgevlo.export.families import one_vocabulary, recognise, registry
from edgevlo.runtime.model import Model

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-family.md"
VQ = ChameleonShape(name="vq", codes=32, multipliers=(1, 1))
library: Any = transformers

pytestmark = pytest.mark.filterwarnings("ignore::edgevlo.export.checkpoint.folder.CheckpointWarning")


def make_sketchpad(folder: Path) -> Path:
    """Write step 3 of the page: a Llama, its tokenizer and vqgan.ckpt."""
    torch.manual_seed(0)
    names = dict.fromkeys(("<pad>", "<s>", "</s>", "<unk>", "<sketch>", *WORDS, "sketch"))
    tokenizer = Tokenizer(WordLevel({name: place for place, name in enumerate(names)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([name for name in names if name.startswith("<")])
    config = library.LlamaConfig(
        vocab_size=len(names) + VQ.codes,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
    )
    library.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    vq: Any = ChameleonVQVAE(vq_config(VQ))
    with torch.no_grad():
        spread_codebook(vq, VQ)
    write_vqgan(folder, vq, taming_decoder(VQ))
    return folder


def test_the_page_works_when_followed_to_the_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, record = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "sketchpad.py").write_text(module)
    monkeypatch.setattr(families, "__path__", [*families.__path__, str(tmp_path / "families")])
    added = (*registry.FAMILIES, eval(record, vars(registry).copy()))
    monkeypatch.setattr(registry, "FAMILIES", added)
    monkeypatch.setattr(recognise, "FAMILIES", added)
    monkeypatch.chdir(tmp_path)
    make_sketchpad(tmp_path / "sketchpad-1b")

    commands = re.findall(r"^    edgevlo (.*?)\s*(?:#.*)?$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    ran = [CliRunner().invoke(main, words(command)) for command in commands]

    for one in ran:
        assert one.exit_code == 0, (one.output, one.exception)
    assert "sketchpad" in ran[0].output
    assert "NON-COMMERCIAL" in ran[1].output
    model = Model.open(tmp_path / "sketchpad-cpu")
    assert model.manifest.family == "sketchpad"
    assert model.paint("a red car", seed=1).size == (8, 8)
    assert (tmp_path / "car.png").is_file()
    sys.modules.pop("edgevlo.export.families.sketchpad", None)


def words(command: str) -> list[str]:
    return [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', command)]


def test_the_page_names_what_there_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in ("LLAMA", "QWEN2", "GEMMA"):
        assert f"`{name}`" in page
        assert hasattr(one_vocabulary, name)
    for path in re.findall(r"`((?:export|runtime|tests)/[\w/]+\.py)`", page):
        assert path == "export/families/sketchpad.py" or (PAGE.parents[1] / path).is_file(), path
