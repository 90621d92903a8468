"""The task card: `edgevlo.json` beside a checkpoint says what its fine-tuning made of the family's defaults."""

import codecs
from pathlib import Path
from typing import Annotated, Final

import msgspec

from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.abilities import Ability, AbilityName, Answer
from edgevlo.runtime.manifest.guidance import Guidance, Sampling
from edgevlo.runtime.manifest.pictures import Domain, Grid, Postprocess, Preprocess
from edgevlo.runtime.manifest.schema import Source
from edgevlo.runtime.manifest.values import Record

CARD_FILE: Final = "edgevlo.json"


class Card(Record, frozen=True, kw_only=True):
    """Parts of the manifest that a checkpoint's author knows better than its family; docs/export.md explains them."""

    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")] | None = None
    source: Source | None = None
    grid: Grid | None = None
    guidance: Guidance | None = None
    sampling: Sampling | None = None
    answer: Answer | None = None
    preprocess: Preprocess | None = None
    postprocess: Postprocess | None = None
    abilities: dict[AbilityName, Ability] | None = None
    domain: Domain | None = None


def read_card(folder: Path) -> Card:
    """Read `edgevlo.json`; a checkpoint without one has an empty card."""
    path = folder / CARD_FILE
    try:
        return msgspec.json.decode(path.read_bytes().removeprefix(codecs.BOM_UTF8), type=Card)
    except FileNotFoundError:
        return Card()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CheckpointError(f"{path}: {error}. docs/export.md lists what a card may say.") from error
