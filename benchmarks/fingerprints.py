"""How many copies of a painted picture are recognised by their fingerprint, and what else is taken for one.

A picture's fingerprint is what the image tokenizer sees in it, four bits a cell (runtime/fingerprints/). Measured with
picturebook and a log of pictures painted from what people type (its training's lines), one picture a line:

- copies: of a sample of the pictures, through JPEG, other sizes, both, blur, noise, and pieces cut out in
  their own size, at any pixel, as JPEG 75 too. The share that is recognised as painted here;
- photographs and other people's drawings (scikit-image's, in squares of random places and sizes; as wholes, and as
  pieces smaller than a logged picture): the share that is taken for a painted picture, which should be none;
- near ones: pictures of the same model that are not in the log, and pictures of its drawn world that no model painted.
  Of few tiles, different requests can lead to one picture, so many of these are equal to a logged one, or all but;
- sources: photographs of the drawn world that were given to be edited, looked for with their edits in the log. They are
  to be recognised as sources.

The highest shares of equal cells stand beside each, and seconds of a search.

    python benchmarks/fingerprints.py [--pictures 300] [--sample 100] [--pieces 20]
"""

import argparse
import importlib.util
import io
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import numpy as np
import record
from PIL import Image, ImageFilter

import edgevlo
from edgevlo.picturebook.world import atlas, scene, scene_to_codes
from edgevlo.runtime.fingerprints.log import Entry
from edgevlo.runtime.fingerprints.search import Found, search
from edgevlo.runtime.fingerprints.similarity import hashes

LINES = Path(__file__).parent.parent / "picturebook" / "language" / "forms" / "people.en.txt"
SIDE = 128  # of a picture
Change: TypeAlias = Callable[[Image.Image], Image.Image]


class Log:
    """A log in memory, as `PaintedHere` keeps one on disk."""

    def __init__(self, model: edgevlo.Model) -> None:
        self._model = model
        self._bits = hashes(model.manifest.codes.count)
        self.entries: list[Entry] = []

    def note(self, picture: Image.Image, *, is_painted: bool = True) -> None:
        """Add a picture."""
        self.entries.append(Entry(is_painted, "2026-11-30", self._bits[self._model.reader.codes_as_is(picture)]))

    def find(self, picture: Image.Image) -> Found:
        """Look for a picture."""
        return search(picture.convert("RGB"), self.entries, self._model.reader.codes_as_is, self._bits, 16)


def encoded(kind: str, quality: int) -> Change:
    """Return a change that writes and reads a file."""

    def change(picture: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        picture.save(buffer, kind, quality=quality)
        return Image.open(buffer).convert("RGB")

    return change


def resized(factor: float) -> Change:
    """Return a change of size."""
    return lambda picture: picture.resize((round(SIDE * factor),) * 2, Image.Resampling.BICUBIC)


def noisy(picture: Image.Image) -> Image.Image:
    """Add noise of 10 levels."""
    noise = np.random.default_rng(0).normal(0, 10, (*picture.size[::-1], 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def piece(share: float, rng: Random) -> Change:
    """Return a cut to a share of the sides, at any pixel."""

    def change(picture: Image.Image) -> Image.Image:
        side = round(SIDE * share)
        left, top = rng.randrange(SIDE - side + 1), rng.randrange(SIDE - side + 1)
        return picture.crop((left, top, left + side, top + side))

    return change


WHOLE: dict[str, tuple[Change, ...]] = {
    "as_it_is": (),
    "jpeg_75": (encoded("JPEG", 75),),
    "jpeg_50": (encoded("JPEG", 50),),
    "webp_75": (encoded("WEBP", 75),),
    "resized_50": (resized(0.5),),
    "resized_75": (resized(0.75),),
    "resized_150": (resized(1.5),),
    "resized_400": (resized(4),),
    "resized_75_jpeg_75": (resized(0.75), encoded("JPEG", 75)),
    "resized_200_jpeg_75": (resized(2), encoded("JPEG", 75)),
    "blur_1": (lambda picture: picture.filter(ImageFilter.GaussianBlur(1)),),
    "noise_10": (noisy,),
}


def judged(found: list[Found], wanted: str = "painted") -> dict[str, Any]:
    """Return the share of pictures that were taken for what is wanted."""
    kinds = [one.facts()["match"] for one in found]
    likest = [one.share for one in found if one.distinct >= 8]
    return {
        "pictures": len(found),
        "recognised": round(kinds.count(wanted) / len(found), 4),
        "highest_share": round(max(likest, default=0.0), 3),
    }


def changed(picture: Image.Image, changes: tuple[Change, ...]) -> Image.Image:
    """Return a copy after one change and another."""
    for change in changes:
        picture = change(picture)
    return picture


def photographs(rng: Random, each: int, sides: tuple[int, int]) -> Iterator[Image.Image]:
    """Yield squares of scikit-image's pictures."""
    spec = importlib.util.find_spec("skimage.data")
    assert spec is not None
    assert spec.origin is not None
    for path in sorted(Path(spec.origin).parent.iterdir()):
        if path.suffix not in (".png", ".jpg"):
            continue
        with Image.open(path) as image:
            whole = image.convert("RGB")
        for _ in range(each):
            side = min(rng.randint(*sides), *whole.size)
            left, top = rng.randint(0, whole.width - side), rng.randint(0, whole.height - side)
            yield whole.crop((left, top, left + side, top + side))


def drawn(rng: Random) -> Image.Image:
    """Return a picture of the drawn world that no model painted."""
    return Image.fromarray(atlas.pixels(scene_to_codes.paint(scene.sample_scene(rng, 1 + rng.randrange(3)))))


def main() -> None:
    """Paint, copy, look for all of them, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--pieces", type=int, default=20)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # words that picturebook does not know
    model, rng = edgevlo.load(), Random(0)
    lines = [line.split("|") for line in LINES.read_text(encoding="utf-8").splitlines()]
    prompts = [parts[2].strip() for parts in lines if parts[0].strip() == "paint"]
    rng.shuffle(prompts)
    asked, others = prompts[: arguments.pictures], prompts[arguments.pictures :][: arguments.sample]
    log = Log(model)
    painted = [model.paint(prompt, size=(SIDE, SIDE), seed=seed) for seed, prompt in enumerate(asked)]
    for picture in painted:
        log.note(picture)
    sample = painted[:: max(1, len(painted) // arguments.sample)][: arguments.sample]
    few = sample[: arguments.pieces]
    figures: dict[str, Any] = {"logged": len(painted), "copies": {}, "others": {}}
    for name, changes in WHOLE.items():
        figures["copies"][name] = judged([log.find(changed(picture, changes)) for picture in sample])
    for name, cut in {"piece_90": 0.9, "piece_75": 0.75, "piece_50": 0.5}.items():
        for after in ((), (encoded("JPEG", 75),)):
            copies = [changed(picture, (piece(cut, rng), *after)) for picture in few]
            figures["copies"][name + "_jpeg_75" * bool(after)] = judged([log.find(copy) for copy in copies])
    shifted = [changed(picture, (piece(0.9, rng), lambda one: one.resize((SIDE, SIDE)))) for picture in sample]
    figures["copies"]["piece_90_enlarged"] = judged([log.find(picture) for picture in shifted])
    figures["others"]["photographs"] = judged([log.find(one) for one in photographs(rng, 40, (SIDE, 512))])
    figures["others"]["photographs_as_pieces"] = judged([log.find(one) for one in photographs(rng, 2, (64, 120))])
    unlogged = [model.paint(prompt, size=(SIDE, SIDE), seed=seed) for seed, prompt in enumerate(others)]
    figures["others"]["same_model_not_logged"] = judged([log.find(one) for one in unlogged])
    figures["others"]["drawn_by_no_model"] = judged([log.find(drawn(rng)) for _ in range(arguments.sample)])
    edited = Log(model)
    sources = [drawn(rng) for _ in range(arguments.sample)]
    for source in sources:
        edited.note(source, is_painted=False)
        edited.note(model.edit(source, "add a red hat"))
    figures["sources"] = judged([edited.find(encoded("JPEG", 75)(one)) for one in sources], wanted="source")
    figures["seconds"] = {"whole": _seconds(log, sample[0]), "piece": _seconds(log, Image.new("RGB", (112, 112)))}
    record.write("fingerprints", figures)
    print(figures)


def _seconds(log: Log, picture: Image.Image) -> float:
    began = time.process_time()
    log.find(picture)
    return round(time.process_time() - began, 3)


if __name__ == "__main__":
    main()
