"""What prompts show of pictures: their codes, the embeddings of the vision encoder, or both."""

from collections.abc import Sequence

from PIL import Image

from ..abilities import ability_of, check_count
from ..arrays import Codes
from ..engine import Engine
from ..manifest.abilities import AbilityName
from ..manifest.schema import Manifest
from ..pictures.codes_to_pixels import from_pixels
from ..pictures.load import Loaded, Picture, load_picture, resized, warn_of_changes
from ..pictures.origin import Origin
from ..pictures.out_of_domain import outside, share_outside
from ..pictures.pixel_values import to_pixel_values
from ..pictures.resize import fitted, is_cropped
from ..pictures.sizes import GridRule
from .prompts import Features, Source


class PictureReader:
    """Reads pictures with an opened bundle's graphs, and warns of every change made to them."""

    def __init__(self, manifest: Manifest, engine: Engine, grid: GridRule) -> None:
        self._manifest = manifest
        self._engine = engine
        self._grid = grid

    def read(self, name: AbilityName, pictures: Sequence[Picture]) -> tuple[list[Source], tuple[Origin, ...]]:
        """Return what an ability's prompt shows of pictures, after checking their number, and where they come from."""
        check_count(self._manifest, name, len(pictures))
        reading = ability_of(self._manifest, name).reads or self._manifest.image_block.features
        sources, origins = list[Source](), list[Origin]()
        for picture in pictures:
            loaded = load_picture(picture)
            origins.append(loaded.origin)
            shown = self.codes(loaded) if reading == "codes" else self.features(loaded, with_codes=reading == "both")
            sources.append(shown)
        return sources, tuple(origins)

    def codes(self, loaded: Loaded) -> Codes:
        """Return the codes (rows, columns) of a loaded picture, and warn of every change."""
        image, changes = self.fit(loaded.image), [*loaded.changes]
        codes = self._engine.encode(to_pixel_values(image, self._manifest.preprocess))
        if image.size != loaded.size:
            cut = is_cropped(loaded.size, image.size, self._manifest.preprocess, self._grid)
            changes.append(resized(loaded.size, image.size) + ", its edges cut off" * cut)
        if domain := self._manifest.domain:
            rebuilt = from_pixels(self._engine.decode(codes), self._manifest.postprocess)
            if share := share_outside(image, rebuilt, self._grid.cell, domain.tolerance):
                changes.append(outside(domain, share))
        warn_of_changes(loaded.name, changes)
        return codes

    def codes_as_is(self, image: Image.Image) -> Codes:
        """Return the codes (rows, columns) of an RGB picture whose sides are whole cells, without any warning."""
        return self._engine.encode(to_pixel_values(image, self._manifest.preprocess))

    def features(self, loaded: Loaded, *, with_codes: bool) -> Features:
        """Return a picture as the embeddings that stand for it in a prompt, and as codes where it shows both."""
        pixel_values = to_pixel_values(self.fit(loaded.image), self._manifest.preprocess)
        warn_of_changes(loaded.name, loaded.changes)  # a picture that is fitted into the square is shown whole
        codes = self._engine.encode(pixel_values) if with_codes else None
        return Features(self._engine.features(pixel_values), codes)

    def fit(self, image: Image.Image) -> Image.Image:
        """Return the picture in a size that the model reads."""
        return fitted(image, self._manifest.preprocess, self._grid)
