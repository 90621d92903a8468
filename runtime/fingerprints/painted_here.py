"""The log of one model's pictures on this machine, for those who paint and those who ask."""

import datetime
import hashlib
from collections.abc import Sequence

from PIL import Image

from ..errors import AbilityError
from ..files import home
from ..model import Model
from ..once import once
from ..pictures.load import Picture, load_picture
from .log import Entry, append, read
from .search import Found, search
from .similarity import Bits, hashes


class PaintedHere:
    """Notes pictures in `$EDGEVLO_HOME/fingerprints`, in a file of the model's image tokenizer, and finds them again.

    Raises `AbilityError` for a model that has no image tokenizer.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._cell = model.grid.cell
        self.path = home("fingerprints") / f"{_tokenizer(model)}.jsonl"

    def prepare(self) -> None:
        """Raise `OutputError` now where no log can be written."""
        append(self.path, [])

    def note(self, painted: Image.Image, sources: Sequence[Picture] = ()) -> None:
        """Add a painted picture, and before it the pictures that it is an edit of.

        The sources keep a photograph from being taken for the edit of it. One that an AI made is none to keep.
        """
        loaded = (load_picture(source) for source in sources)
        others = [one.image for one in loaded if not one.origin.by_ai]
        append(self.path, [*(self._entry(one, is_painted=False) for one in others), self._entry(painted)])

    def find(self, picture: Picture) -> Found:
        """Return the picture of the log that is most like this one."""
        image = load_picture(picture).image
        return search(image, read(self.path), self._model.reader.codes_as_is, self._bits, self._cell)

    def _entry(self, picture: Image.Image, *, is_painted: bool = True) -> Entry:
        fitted = picture if is_painted else self._model.reader.fit(picture)
        return Entry(
            is_painted,
            datetime.datetime.now(datetime.UTC).date().isoformat(),
            self._bits[self._model.reader.codes_as_is(fitted)],
        )

    @once
    def _bits(self) -> Bits:
        return hashes(self._model.manifest.codes.count)


def _tokenizer(model: Model) -> str:
    """Return a name of the files of a model's image tokenizer; bundles that share them share a log."""
    if "image_tokenizer" not in model.manifest.graphs:
        raise AbilityError(f"{model.manifest.name} has no image tokenizer, which fingerprints need; use another model.")
    files = model.manifest.files
    stem = model.manifest.graphs["image_tokenizer"].file
    digests = [file.sha256 for name, file in sorted(files.items()) if name.startswith(stem)]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]
