"""The task card: `edgevlo.json` beside a checkpoint says what its fine-tuning made of the family's defaults."""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from edgevlo.runtime import manifest
from edgevlo.runtime.errors import CheckpointError

CARD_FILE: Final = "edgevlo.json"


class Card(manifest.Record, frozen=True, kw_only=True):
    """Parts of the manifest that a checkpoint's author knows better than its family; docs/export.md explains them."""

    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")] | None = None
    source: manifest.Source | None = None
    grid: manifest.Grid | None = None
    guidance: manifest.Guidance | None = None
    sampling: manifest.Sampling | None = None
    answer: manifest.Answer | None = None
    preprocess: manifest.Preprocess | None = None
    postprocess: manifest.Postprocess | None = None
    abilities: dict[manifest.AbilityName, manifest.Ability] | None = None
    domain: manifest.Domain | None = None


def read_card(folder: Path) -> Card:
    """Read `edgevlo.json`; a checkpoint without one has an empty card."""
    path = folder / CARD_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Card)
    except FileNotFoundError:
        return Card()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: {error}. docs/export.md lists what a card may say.") from error
