"""What is damaged and what is then done with it: manifests, graphs, tokenizers, checkpoints, pictures, prompts."""

import hashlib
import io
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mutate import damaged_bytes, damaged_json
from PIL import Image

import edgevlo
from edgevlo.runtime.backends import open_runner
from edgevlo.runtime.bundle import EMBEDDED, Bundle, open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.errors import EdgevloError
from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.pictures.load import load_bytes
from edgevlo.runtime.self_check.record import read_record
from edgevlo.runtime.self_check.replay import replay

PICTUREBOOK: Final = EMBEDDED / "picturebook"
Case = Callable[[random.Random], None]


class Cases:
    """The kinds of cases over files in a folder of one worker."""

    def __init__(self, folder: Path, checkpoint: Path | None) -> None:
        self._bundle = folder / "bundle"
        shutil.copytree(PICTUREBOOK, self._bundle)
        self._manifest = (PICTUREBOOK / "manifest.json").read_bytes()
        self._records = folder / "records"
        self._records.mkdir()
        self._record = (PICTUREBOOK / "self_check.json").read_bytes()
        self._graphs = sorted(path.name for path in PICTUREBOOK.glob("*.onnx"))
        self._weights = sorted(path.name for path in PICTUREBOOK.iterdir() if path.suffix in (".data", ".bin"))
        self._model = edgevlo.load()
        self._engine = Engine(open_bundle(PICTUREBOOK), open_runner)
        self._pictures = _pictures()
        self._checkpoint = folder / "checkpoint"
        self.kinds: dict[str, Case] = {
            "manifest": self.manifest,
            "picture": self.picture,
            "prompt": self.prompt,
            "tokenizer": self.tokenizer,
            "graph": self.graph,
            "record": self.record,
            "whole": self.whole,
        }
        if checkpoint is not None:
            shutil.copytree(checkpoint, self._checkpoint)
            self._files = {path.name: path.read_bytes() for path in checkpoint.glob("*.json")}
            self.kinds["checkpoint"] = self.checkpoint

    def manifest(self, rng: random.Random) -> None:
        """A manifest with something else in it; what opens is used."""
        (self._bundle / "manifest.json").write_bytes(damaged_json(self._manifest, rng))
        self._use(rng)

    def graph(self, rng: random.Random) -> None:
        """A graph that is another one, or damaged bytes of it or of its weights, each with a right hash."""
        name = rng.choice(self._graphs)
        if rng.randrange(4) and (damaged := _damaged_graph(PICTUREBOOK / name, rng)) is not None:
            self._with(name, damaged, rng)
        else:
            name = rng.choice([name, *self._weights])
            self._with(name, damaged_bytes((PICTUREBOOK / name).read_bytes(), rng), rng)

    def record(self, rng: random.Random) -> None:
        """A self-check record with something else in it; what can be read is replayed."""
        (self._records / "self_check.json").write_bytes(damaged_json(self._record, rng))
        bundle = Bundle(folder=self._records, manifest=read_manifest(PICTUREBOOK), digest="")
        record = read_record(bundle)
        assert record is not None
        replay(self._engine, bundle.manifest, record)

    def whole(self, rng: random.Random) -> None:
        """The bundle as it ships, with another name: it works, or the cases before left something."""
        name = f"picturebook-{rng.randrange(10**6)}".encode()
        (self._bundle / "manifest.json").write_bytes(self._manifest.replace(b"picturebook", name, 1))
        try:
            self._use(rng)
        except EdgevloError as error:
            raise AssertionError("a whole bundle was refused") from error

    def tokenizer(self, rng: random.Random) -> None:
        """A tokenizer with something else in it and a right hash."""
        self._with("tokenizer.json", damaged_json((PICTUREBOOK / "tokenizer.json").read_bytes(), rng), rng)

    def picture(self, rng: random.Random) -> None:
        """A damaged picture of every format, read and shown to the model."""
        content = damaged_bytes(rng.choice(self._pictures), rng)
        loaded = load_bytes(content, "picture")
        if rng.randrange(8) == 0:
            self._model.ask(loaded.image, "what is it?")

    def prompt(self, rng: random.Random) -> None:
        """Words of every kind, painted, asked, and named as objects."""
        words = _words(rng)
        act = rng.randrange(4)
        if act == 0:
            next(self._model.paint_rows(words, size=_words(rng)[:9] if rng.randrange(2) else None))
        elif act == 1:
            next(self._model.paint_rows(words, seed=rng.choice((0, -1, 2**32, 7)), temperature=rng.choice((0, 1, 1e9))))
        elif act == 2:
            self._model.ask(Image.new("RGB", (64, 64)), words)
        else:
            self._model.detect(Image.new("RGB", (64, 64)), [words])

    def checkpoint(self, rng: random.Random) -> None:
        """A checkpoint with a damaged JSON file, as far as export plans it."""
        from edgevlo.export.families.recognise import plan_export

        for name, content in self._files.items():
            (self._checkpoint / name).write_bytes(content)
        name = rng.choice(sorted(self._files))
        (self._checkpoint / name).write_bytes(damaged_json(self._files[name], rng))
        plan_export(self._checkpoint)

    def _with(self, name: str, content: bytes, rng: random.Random) -> None:
        tree = json.loads(self._manifest)
        tree["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        (self._bundle / name).write_bytes(content)
        (self._bundle / "manifest.json").write_text(json.dumps(tree))
        try:
            self._use(rng)
        finally:
            shutil.copyfile(PICTUREBOOK / name, self._bundle / name)

    def _use(self, rng: random.Random) -> None:
        model = edgevlo.load(self._bundle)
        picture = Image.new("RGB", (64, 64), "red")
        if rng.randrange(2):
            model.paint("a red car", size=model.grid.size(model.grid.nearest(1, 1)))
        else:
            model.ask(picture, "what is it?")


def _damaged_graph(path: Path, rng: random.Random) -> bytes | None:
    """Return another graph, None where `onnx` is not installed."""
    try:
        from mutate_graph import damaged_graph
    except ImportError:
        return None
    return damaged_graph(path.read_bytes(), rng)


def _words(rng: random.Random) -> str:
    kinds = (
        lambda: "".join(chr(rng.randrange(1, 0x250)) for _ in range(rng.randrange(80))),
        lambda: "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(rng.randrange(200))),
        lambda: "".join(chr(rng.randrange(0xD7F0, 0xE010)) for _ in range(9)),
        lambda: rng.choice(("<eos>", "<|image start|>", "{objects}", "%s%n", "../x.png", "a red car <eos> ask")),
        lambda: "a" * rng.choice((10, 5_000, 60_000)),
        lambda: " \t\n" * rng.randrange(50),
        lambda: f"{rng.randrange(10**6)}x{rng.randrange(10**6)}",
        lambda: f"{rng.randrange(10**5)}:{rng.randrange(10**5)}",
    )
    return rng.choice(kinds)()


def _pictures() -> list[bytes]:
    """Return small pictures of every format, with what files of cameras and tools carry."""
    rng = random.Random(0)
    noise = Image.frombytes("RGB", (48, 40), rng.randbytes(48 * 40 * 3))
    turned = Image.Exif()
    turned[0x0112] = 6
    exif = turned.tobytes()
    frames: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (48, 40), "blue")]}
    made: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("PNG", noise, {"exif": exif}), ("PNG", noise.convert("RGBA"), {}), ("PNG", noise.convert("P"), {}),
        ("PNG", noise.convert("L"), {}), ("PNG", noise, frames),
        ("JPEG", noise, {"exif": exif}), ("JPEG", noise, {"progressive": True}), ("JPEG", noise.convert("CMYK"), {}),
        ("MPO", noise, frames), ("WEBP", noise, {"exif": exif}), ("WEBP", noise, {"lossless": True}),
        ("WEBP", noise, frames),
        ("GIF", noise.convert("P"), {}), ("GIF", noise.convert("P"), frames), ("BMP", noise, {}), ("PPM", noise, {}),
        ("TIFF", noise, {}), ("TIFF", noise, {"compression": "tiff_lzw"}), ("TIFF", noise, {"compression": "jpeg"}),
        ("TIFF", noise.convert("I"), {}), ("TIFF", noise, frames),
    ]  # fmt: skip
    written = []
    for kind, image, options in made:
        buffer = io.BytesIO()
        for frame in options.get("append_images", ()):
            vars(frame).pop("encoderconfig", None)  # Pillow keeps what another format asked for
        image.copy().save(buffer, format=kind, **options)
        written.append(buffer.getvalue())
    return written


def make_checkpoint_of_tests(folder: Path) -> Path | None:
    """Return a tiny checkpoint, None where the toolchain is not installed."""
    try:
        from emu3_checkpoints import SHAPES, make_checkpoint
    except ImportError:
        return None
    os.environ.setdefault("TQDM_DISABLE", "1")
    make_checkpoint(folder, SHAPES[3])
    return folder
