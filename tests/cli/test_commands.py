"""The command line, called as `run([...])`: exit codes, what is printed, and what is left on the disk."""

import json
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from toy_bundle import rewritten

import edgevlo
from edgevlo.cli import run
from edgevlo.picturebook.model.card import task_card
from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.model import Model


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def edgevlo_run(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs one command in an empty folder; the toy is installed there under its name."""
    home = tmp_path / "home"
    shutil.copytree(toy, home / "bundles" / "toy")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("EDGEVLO_HOME", str(home))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def call(*arguments: str) -> Ran:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            code = run(arguments)
        return Ran(code, *capsys.readouterr())

    return call


def test_the_families_are_listed_without_a_checkpoint(edgevlo_run: Run) -> None:
    ran = edgevlo_run("export", "--list")
    assert ran.code == 0
    for fact in (
        "Emu3ForConditionalGeneration",
        "BAAI/Emu3-Gen-hf",
        "paint, ask",
        "cells of 8",
        "JanusForConditionalGeneration",
        "MultiModalityCausalLM",
        "DeepSeek License Agreement",
        "apache-2.0",
        "verified",
    ):
        assert fact in ran.out


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def fails(ran: Ran, pattern: str, code: int = 1) -> None:
    """Assert one clear line on the error stream, nothing printed, no traceback."""
    assert ran.code == code, ran
    assert ran.out == ""
    lines = [line for line in ran.err.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("edgevlo: ")
    assert re.search(pattern, lines[0]), lines[0]


# What works.


def test_paint_writes_a_picture_and_says_where(edgevlo_run: Run, model: Model) -> None:
    ran = edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "3")

    assert ran.code == 0
    assert re.fullmatch(r"out\.png  20x16  \d+\.\d\d s\n", ran.out)
    assert ran.err == ""
    assert files() == ["out.png"]
    with Image.open("out.png") as image:
        assert image.tobytes() == model.paint("a red car", seed=3).tobytes()
        assert "Seed: 3, " in str(image.info["parameters"])


def test_every_option_reaches_the_model(edgevlo_run: Run, model: Model) -> None:
    ran = edgevlo_run(
        "paint", "a red car", "-m", "toy", "-o", "a.png", "--size", "16x24", "--seed", "5", "--guidance-scale", "3",
        "--temperature", "0.5", "--top-k", "9", "--top-p", "0.8", "--negative-prompt", "big",
    )  # fmt: skip

    assert ran.code == 0
    with Image.open("a.png") as image:
        assert image.info["parameters"] == (
            "a red car\nNegative prompt: big\nSteps: 24, Sampler: raster, CFG scale: 3.0, Temperature: 0.5, Top-k: 9, "
            f"Top-p: 0.8, Seed: 5, Size: 16x24, Model hash: {model.bundle.digest[:10]}, Model: toy"
        )
        expected = model.paint("a red car", size=(16, 24), seed=5, guidance_scale=3, temperature=0.5, top_k=9,
                               top_p=0.8, negative_prompt="big")  # fmt: skip
        assert image.tobytes() == expected.tobytes()


def test_an_existing_picture_is_overwritten(edgevlo_run: Run) -> None:
    Path("out.png").write_text("old")

    assert edgevlo_run("paint", "a car", "-m", "toy").code == 0
    with Image.open("out.png") as image:
        assert image.size == (20, 16)


def test_several_pictures_are_numbered_and_their_seeds_counted_up(edgevlo_run: Run, model: Model) -> None:
    ran = edgevlo_run("paint", "a red car", "-m", "toy", "-n", "3", "--seed", "7", "-o", "car.png", "--codes", "c.npy")

    assert ran.code == 0
    assert files() == ["c-1.npy", "c-2.npy", "c-3.npy", "car-1.png", "car-2.png", "car-3.png"]
    assert [line.split()[0] for line in ran.out.splitlines()] == ["car-1.png", "car-2.png", "car-3.png"]
    for number in (1, 2, 3):
        with Image.open(f"car-{number}.png") as image:
            assert image.tobytes() == model.paint("a red car", seed=6 + number).tobytes()


def test_codes_are_written_and_decode_to_the_same_picture(edgevlo_run: Run) -> None:
    assert edgevlo_run("paint", "a red car", "-m", "toy", "--codes", "c.npy").code == 0
    codes = np.load("c.npy")
    assert codes.dtype == np.int32
    assert codes.shape == (4, 5)

    ran = edgevlo_run("decode", "c.npy", "-m", "toy", "-o", "again.png")

    assert (ran.code, ran.out, ran.err) == (0, "again.png\n", "")
    with Image.open("again.png") as again, Image.open("out.png") as first:
        assert again.tobytes() == first.tobytes()


def test_json_is_one_object_a_picture(edgevlo_run: Run) -> None:
    ran = edgevlo_run("paint", "一辆红车", "-m", "toy", "-n", "2", "--seed", "1", "--json")

    facts = [json.loads(line) for line in ran.out.splitlines()]
    assert [fact["file"] for fact in facts] == ["out-1.png", "out-2.png"]
    assert all(fact["size"] == [20, 16] and fact["seconds"] >= 0 for fact in facts)
    assert facts[1]["parameters"].startswith("一辆红车\n")
    assert "Seed: 2" in facts[1]["parameters"]


def test_watch_paints_every_row_once(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)

    ran = edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "3", "--watch")

    *rows, last = ran.out.splitlines()
    assert last.startswith("out.png  20x16")
    assert len(rows) == 4
    with Image.open("out.png") as image:  # a character is two pixels wide and four high, half a cell wide
        colours = [";".join(map(str, image.getpixel((x, 0)))) for x in range(0, 20, 2)]  # type: ignore[arg-type]
    assert rows[0] == "".join(f"\x1b[38;2;{one}m\x1b[48;2;{one}m▀" for one in colours) + "\x1b[0m"
    assert all(row.count("▀") == 10 and row.endswith("\x1b[0m") for row in rows)


def test_watch_and_json_exclude_each_other(edgevlo_run: Run) -> None:
    ran = edgevlo_run("paint", "a car", "-m", "toy", "--watch", "--json")

    assert ran.code == 2
    assert "--watch" in ran.err
    assert files() == []


def test_a_file_cannot_hold_picture_and_codes(edgevlo_run: Run) -> None:
    ran = edgevlo_run("paint", "a car", "-m", "toy", "--codes", "./out.png")

    assert ran.code == 2
    assert "out.png cannot hold both the picture and its codes" in ran.err
    assert files() == []


def test_edit_reads_pictures_and_paints_one(edgevlo_run: Run, model: Model) -> None:
    edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "1", "-o", "a.png", "--size", "12x12")
    edgevlo_run("paint", "a tree", "-m", "toy", "--seed", "2", "-o", "b.png", "--size", "8x8")

    ran = edgevlo_run("edit", "a.png", "b.png", "on it", "-m", "toy", "--seed", "4", "-o", "e.png")

    assert (ran.code, ran.err) == (0, "")
    with Image.open("e.png") as image:
        assert image.tobytes() == model.edit([Path("a.png"), Path("b.png")], "on it", seed=4).tobytes()


def test_segment_paints_what_the_model_sees(edgevlo_run: Run, model: Model) -> None:
    edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "1", "-o", "a.png")

    assert edgevlo_run("segment", "a.png", "-m", "toy", "-o", "s.png").code == 0
    with Image.open("s.png") as image:
        assert image.tobytes() == model.segment("a.png").tobytes()


def test_a_note_says_what_was_changed(edgevlo_run: Run) -> None:
    Image.new("RGBA", (200, 200), (0, 0, 0, 0)).save("a.png")

    ran = edgevlo_run("ask", "a.png", "where is it", "-m", "toy")

    assert ran.code == 0
    assert ran.err == (
        "note: a.png is transparent in places, which are laid on white; "
        "was resized from 200x200 to 40x40, a size that this model reads\n"
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_ask_prints_the_answer(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    monkeypatch.setattr(Model, "_answer", lambda *_: "两辆车")
    Image.new("RGB", (20, 20)).save("a.png")

    ran = edgevlo_run("ask", "a.png", "where is it", "-m", "toy", *(["--json"] if as_json else []))

    assert ran == (0, '{"answer": "两辆车"}\n' if as_json else "两辆车\n", "")


@pytest.mark.parametrize("as_json", [False, True])
def test_detect_prints_names_and_boxes(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    monkeypatch.setattr(Model, "_answer", lambda *_: "红车 0 1 2 3; tree 1 1 5 5")
    Image.new("RGB", (20, 20)).save("a.png")

    ran = edgevlo_run("detect", "a.png", "-m", "toy", *(["--json"] if as_json else []))

    assert (ran.code, ran.err) == (0, "")
    if as_json:
        assert json.loads(ran.out) == [
            {"label": "红车", "box": [0, 4, 8, 12]},
            {"label": "tree", "box": [4, 4, 20, 20]},
        ]
    else:
        assert ran.out == "红车\t0 4 8 12\ntree\t4 4 20 20\n"


def test_show_and_verify_describe_a_bundle(edgevlo_run: Run, toy: Path) -> None:
    shown = edgevlo_run("show", str(toy))
    assert shown.code == 0
    assert "toy  (toy, target cpu)" in shown.out
    assert "abilities  ask, detect, edit, paint, segment" in shown.out
    assert "segment colours: car #ff0000" in shown.out

    as_json = edgevlo_run("show", str(toy), "--json")
    facts = json.loads(as_json.out)
    taken = facts.pop("memory")
    assert facts == json.loads((toy / "manifest.json").read_text())
    size = sum(path.stat().st_size for path in toy.glob("backbone.onnx*"))
    assert taken["modules"]["backbone"] == {"precision": "fp32", "bytes": size}
    assert f"backbone         fp32  {size / 1e6:8.2f} MB" in shown.out
    cache = 2 * 2 * 2 * 2 * 256 * 8 * 4  # sides, layers, branches, heads, tokens, numbers a head, bytes
    assert taken["kv_cache"] == {"bytes": cache, "rows": 2, "capacity": 256, "dtype": "float32"}
    assert f"KV cache   {cache / 1e6:.2f} MB: 2 rows of 256 tokens, float32" in shown.out
    assert taken["peak"]["bytes"] == sum(taken["peak"]["parts"].values())
    assert f"about {taken['peak']['bytes'] / 1e6:.0f} MB at the peak" in shown.out

    verified = edgevlo_run("verify", "toy")
    assert verified.code == 0
    assert re.search(r"toy is whole: 1\d files, 0\.1 MB, graphs open\.\n$", verified.out)


def test_what_does_not_fit_into_memory_is_one_line_and_no_file(
    edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGEVLO_IGNORE_MEMORY", raising=False)
    monkeypatch.setattr("edgevlo.runtime.memory.predict.available_bytes", lambda: 0)

    fails(edgevlo_run("paint", "a car", "-m", "toy"), "toy needs .* to be opened, and 0.0 MB are available")
    monkeypatch.setattr("edgevlo.runtime.memory.predict.available_bytes", lambda: 200_000)
    fails(edgevlo_run("paint", "a car", "-m", "toy"), "for this request.*EDGEVLO_IGNORE_MEMORY=1")
    assert files() == []

    monkeypatch.setattr("edgevlo.runtime.memory.predict.available_bytes", lambda: 0)
    assert edgevlo_run("verify", "toy").code == 0  # files are mapped
    monkeypatch.setenv("EDGEVLO_IGNORE_MEMORY", "1")
    assert edgevlo_run("paint", "a car", "-m", "toy", "-o", "car.png").code == 0
    assert files() == ["car.png"]


def test_a_folder_that_is_no_bundle_does_not_hide_an_installed_one(edgevlo_run: Run) -> None:
    Path("toy").mkdir()

    assert edgevlo_run("verify", "toy").code == 0


def test_doctor_names_versions(edgevlo_run: Run) -> None:
    facts = json.loads(edgevlo_run("doctor", "--json").out)

    assert facts["edgevlo"] == edgevlo.__version__
    assert facts["numpy"] == np.__version__
    assert "CPUExecutionProvider" in facts["providers"]


def test_help_and_version(edgevlo_run: Run) -> None:
    assert edgevlo_run("--version") == (0, f"edgevlo, version {edgevlo.__version__}\n", "")
    assert edgevlo_run("--help").code == 0
    for command in ("paint", "edit", "ask", "detect", "segment", "edges", "depth", "normals", "pose", "export",
                    "quantize", "show", "verify", "doctor", "decode"):  # fmt: skip
        ran = edgevlo_run(command, "-h")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith(f"Usage: edgevlo {command} ")


# Usage errors.


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["paint"],
        ["paint", "a", "b"],
        ["paint", "a", "--speed", "9"],
        ["paint", "a", "--seed", "x"],
        ["paint", "a", "--seed", "1.5"],
        ["paint", "a", "--top-k", "many"],
        ["paint", "a", "-n", "0"],
        ["paint", "a", "-n", "101"],
        ["edit"],
        ["ask"],
        ["segment"],
        ["export", "a"],
        ["quantize", "a"],
        ["decode"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_two_and_leaves_nothing(edgevlo_run: Run, arguments: list[str]) -> None:
    ran = edgevlo_run(*arguments)

    assert ran.code == 2
    assert ran.out == ""
    assert "Usage: edgevlo" in ran.err
    assert "Traceback" not in ran.err
    assert files() == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["ask", "how many cars?"], "ask needs a picture before its question. Usage: edgevlo ask PICTURE QUESTION"),
        (["edit", "夜晚"], "edit needs a picture before its instruction. Usage: edgevlo edit PICTURE INSTRUCTION"),
        (["edit", "x" * 3000], "edit needs a picture before its instruction. Usage: edgevlo edit PICTURE INSTRUCTION"),
        (["ask", "a.png"], "ask takes its question after the picture a.png. Usage: edgevlo ask PICTURE QUESTION"),
        (["ask", "a.png", "a.png"], "ask takes its question after the picture a.png. "
                                    "Usage: edgevlo ask PICTURE QUESTION"),
        (["ask", "?", "a.png"], "ask takes its question after the picture a.png. Usage: edgevlo ask PICTURE QUESTION"),
        (["edit", "a.png"], "edit takes its instruction after the picture a.png. "
                            "Usage: edgevlo edit PICTURE INSTRUCTION"),
    ],
)  # fmt: skip
def test_a_missing_picture_or_question_is_one_line(edgevlo_run: Run, arguments: list[str], line: str) -> None:
    Image.new("RGB", (20, 20)).save("a.png")

    assert edgevlo_run(*arguments, "-m", "toy") == (2, "", f"edgevlo: {line}\n")
    assert files() == ["a.png"]


# Pictures that are not as the model's own: used, and one line says how.


def photograph(width: int = 500, height: int = 333) -> Image.Image:
    """Return a picture as cameras make them: colours that run into each other, and noise."""
    rows, columns = np.mgrid[:height, :width]
    bands = [120 + 80 * np.sin(columns / 40), 100 + 60 * np.cos((rows + columns) / 60), 90 + 100 * rows / height]
    noisy = np.stack(bands, axis=-1) + np.random.default_rng(0).normal(0, 30, (height, width, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def faded(mode: str) -> Image.Image:
    """Return the photograph with an alpha channel that runs from left to right."""
    picture = photograph().convert(mode)
    picture.putalpha(Image.fromarray(np.tile(np.arange(500) // 2, (333, 1)).astype(np.uint8)))
    return picture


def grey16() -> Image.Image:
    return Image.fromarray(np.asarray(photograph().convert("L")).astype(np.uint16) * 257)


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


RESIZED = "was resized from 500x333 to 48x32, a size that this model reads"
OUTSIDE = "is not from the toy's flat world: all of it was read as the nearest colours"
WHITE = "is transparent in places, which are laid on white"


@pytest.mark.parametrize(
    ("name", "make", "options", "changes"),
    [
        ("photo.jpg", photograph, {}, [RESIZED, OUTSIDE]),
        ("photo.webp", photograph, {}, [RESIZED, OUTSIDE]),
        ("exact.png", lambda: photograph(40, 20), {}, [OUTSIDE]),
        ("turned.jpg", photograph, {"exif": turned()},
         ["was resized from 333x500 to 32x48, a size that this model reads", OUTSIDE]),
        ("grey.png", lambda: photograph().convert("L"), {}, [RESIZED, OUTSIDE]),
        ("grey16.png", grey16, {}, ["has 16 bits a channel, of which the upper 8 are used", RESIZED, OUTSIDE]),
        ("grey16.tif", grey16, {}, ["has 16 bits a channel, of which the upper 8 are used", RESIZED, OUTSIDE]),
        ("cmyk.jpg", lambda: photograph().convert("CMYK"), {}, [RESIZED, OUTSIDE]),
        ("rgba.png", lambda: faded("RGB"), {}, [WHITE, RESIZED, OUTSIDE]),
        ("la.png", lambda: faded("L"), {}, [WHITE, RESIZED, OUTSIDE]),
        ("palette.png", lambda: photograph().quantize(64), {"transparency": 3}, [WHITE, RESIZED, OUTSIDE]),
        ("film.gif", photograph, {"save_all": True, "append_images": [Image.new("RGB", (500, 333))]},
         ["is animated, so its first frame is used", RESIZED, OUTSIDE]),
        ("tiny.png", lambda: Image.new("RGB", (1, 1), (60, 190, 70)), {},
         ["was resized from 1x1 to 4x4, a size that this model reads", OUTSIDE]),
        ("thin.png", lambda: Image.new("RGB", (1, 3000), (60, 190, 70)), {},
         ["was resized from 1x3000 to 16x48, a size that this model reads", OUTSIDE]),
        ("huge.png", lambda: Image.new("RGB", (5000, 5000), (60, 190, 70)), {},
         ["was resized from 5000x5000 to 40x40, a size that this model reads", OUTSIDE]),
        ("own.png", lambda: Image.new("RGB", (40, 20), (0, 128, 255)), {}, []),
    ],
)  # fmt: skip
def test_any_picture_is_edited_with_one_line_about_it(
    edgevlo_run: Run, toy: Path, name: str, make: Callable[[], Image.Image], options: dict[str, Any], changes: list[str]
) -> None:
    world = {"name": "the toy's flat world", "cells": "colours", "tolerance": 20}
    rewritten(toy, Path("narrow"), lambda tree: tree.update(domain=world))
    make().save(name, **options)

    ran = edgevlo_run("edit", name, "on it", "-m", "./narrow", "-n", "2")

    assert ran.code == 0
    lines = ran.err.splitlines()
    assert len(lines) == bool(changes)
    for line in lines:
        said = re.sub(r"is (only partly|not) (from .*: )(all|\d+ %) of", r"is not \2all of", line)
        assert said == f"note: {name} {'; '.join(changes)}"
    assert {"out-1.png", "out-2.png"} <= set(files())


def test_boxes_and_their_picture_take_one_line(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch, toy: Path) -> None:
    boxes = {"prompt": [{"field": "images"}, {"field": "text"}], "output": "image", "images": [1, 1]}
    rewritten(toy, Path("both"), lambda tree: tree["abilities"].update(boxes=boxes))
    monkeypatch.setattr(Model, "_answer", lambda *_: "none")
    photograph().save("photo.jpg")

    ran = edgevlo_run("detect", "photo.jpg", "-o", "boxes.png", "-m", "./both")

    assert (ran.code, ran.err) == (0, f"note: photo.jpg {RESIZED}\n")


def test_a_model_that_only_paints_boxes_is_told_what_to_look_for(edgevlo_run: Run, toy: Path) -> None:
    def only_boxes(tree: dict[str, Any]) -> None:
        del tree["abilities"]["detect"]
        tree["abilities"]["boxes"] = {
            "prompt": [{"field": "images"}, {"field": "text"}],
            "output": "image",
            "images": [1, 1],
            "request": {"text": "{objects}"},
        }

    rewritten(toy, Path("only"), only_boxes)
    photograph().save("photo.jpg")

    ran = edgevlo_run("detect", "photo.jpg", "car", "-o", "boxes.png", "-m", "./only")
    assert (ran.code, ran.out) == (0, "boxes.png\n")
    assert Path("boxes.png").is_file()
    unnamed = edgevlo_run("detect", "photo.jpg", "-o", "more.png", "-m", "./only")
    fails(unnamed, "boxes of this model needs names of objects; name at least one")


def test_the_embedded_models_own_pictures_are_silent_and_a_photograph_is_not(edgevlo_run: Run) -> None:
    domain = task_card()["domain"]
    rewritten(edgevlo.load().bundle.folder, Path("picturebook"), lambda tree: tree.update(domain=domain))
    model = ["-m", "./picturebook"]
    for seed, prompt in enumerate(("a red car on the beach at sunset", "一只蓝色的狗", "a green tree in the snow")):
        edgevlo_run("paint", prompt, "--seed", str(seed), "-o", "own.png", *model)
        with Image.open("own.png") as image:
            image.save("own.jpg", quality=80)
            image.resize((256, 256), Image.Resampling.LANCZOS).resize((128, 128)).save("soft.png")
        for name in ("own.png", "own.jpg", "soft.png"):
            assert edgevlo_run("segment", name, *model).err == ""
    photograph().save("photo.jpg")

    ran = edgevlo_run("segment", "photo.jpg", *model)

    assert ran.code == 0
    assert re.fullmatch(
        r"note: photo\.jpg was resized from 500x333 to 256x160, a size that this model reads; is not from "
        r"picturebook's drawn world: \d\d % of it was read as the nearest tiles \(see docs/picturebook\.md\)\n",
        ran.err,
    )


# Words that the embedded model has never read: it does what it can.

ODD_WORDS = {
    "a rocket": "a rocket launching over the Eiffel tower",
    "emoji": "🚀👩‍🚀🏳️‍🌈",
    "long": "a rocket launching " * 20,
    "control characters": "\x01\x02\x1b[31mred\x7f\tcar\n\x00",
    "right to left": "سيارة حمراء على الشاطئ \u202eabc",
    "special tokens": "<bos><eos><|answer|><|image start|>8*8",
    "marks alone": "\u0301\u0302\u200b\ufeff",
    "not assigned": "\U000e0001\uffff\ufdd0",
    "digits": "0" * 200,
}


@pytest.mark.parametrize("words", ODD_WORDS.values(), ids=ODD_WORDS.keys())
def test_words_outside_the_models_world_are_no_error(edgevlo_run: Run, words: str) -> None:
    assert edgevlo_run("paint", words, "--seed", "1", "-o", "painted.png").code == 0
    edited = edgevlo_run("edit", "painted.png", words, "-o", "edited.png")
    assert (edited.code, edited.err) == (0, "")
    for command in ("ask", "detect"):
        ran = edgevlo_run(command, "painted.png", words)
        assert ran.code == 0
        assert all(line.startswith("note: the model") for line in ran.err.splitlines())
    with Image.open("edited.png") as image:
        assert image.size == (128, 128)


@pytest.mark.parametrize("command", ["paint", "edit", "ask", "detect"])
@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("", "is empty; say what you want in a few words"),
        (" \t\n\u3000", "is empty; say what you want in a few words"),
        ("a rocket launching " * 530, r"has \d+ tokens and at most \d+ fit: this model holds \d+ .* Shorten"),
    ],
    ids=["empty", "spaces", "10,000 characters"],
)
def test_no_words_and_too_many_are_one_line(edgevlo_run: Run, command: str, words: str, pattern: str) -> None:
    edgevlo_run("paint", "a red car", "-o", "car.png")

    fails(edgevlo_run(command, *([] if command == "paint" else ["car.png"]), words), pattern)
    assert files() == ["car.png"]


# Bad input: one line, exit 1, nothing lost.


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ([""], "the prompt is empty"),
        (["   "], "the prompt is empty"),
        (["x" * 100_000], "the prompt has 100000 characters; at most 50000"),
        (["car " * 1000], r"has 1006 tokens and at most 378 fit: .* holds 400 and the result needs 22\. Shorten the"),
        (["\udcff"], "the prompt is not valid Unicode at character 0"),
        (["a", "--negative-prompt", "\udcff"], "the negative prompt is not valid Unicode"),
        (["a", "--size", "21x16"], "the nearest is 20x16"),
        (["a", "--size", "0x0"], "size 0x0 is not one .* nearest is 4x4"),
        (["a", "--size", "big"], "size 'big' is neither WIDTHxHEIGHT"),
        (["a", "--seed", "-1"], "seed -1 is out of range; seeds run from 0 to 4294967295"),
        (["a", "--seed", "4294967296"], "seed 4294967296 is out of range"),
        (["a", "--seed", "4294967295", "-n", "2"], "seed 4294967296 is out of range"),
        (["a", "--temperature", "nan"], "temperature nan is out of range"),
        (["a", "--guidance-scale", "1e9"], "guidance scale 1000000000.0 is out of range"),
        (["a", "--top-k", "-1"], "top-k -1 is out of range"),
        (["a", "--top-p", "0"], "top-p 0.0 is out of range"),
        (["a", "-o", "none/out.png"], "the folder .*/none does not exist. Make it first"),
        (["a", "-o", "."], "is a folder; name a file in it"),
        (["a", "-o", "out.jpg"], r"out\.jpg does not end in \.png"),
        (["a", "-o", "x" * 300 + ".png"], "File name too long"),
        (["a", "--codes", "none/c.npy"], "the folder .*/none does not exist"),
        (["a", "--codes", "/dev/null"], "/dev/null is no plain file"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_request_that_cannot_be_met_is_one_line_and_writes_nothing(
    edgevlo_run: Run, arguments: list[str], pattern: str
) -> None:
    fails(edgevlo_run("paint", *arguments, "-m", "toy"), pattern)
    assert files() == []


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("none", "there is no bundle 'none': no such folder, and none installed in .*/home/bundles"),
        ("x" * 300, "there is no bundle"),
        ("/none/at/all", "/none/at/all is not a bundle: it has no manifest.json"),
        ("empty", "empty is not a bundle: it has no manifest.json"),
        ("checkpoint", "It looks like a checkpoint; export it first: edgevlo export checkpoint -o BUNDLE"),
        ("none/such", "none/such is no folder here and cannot be had from the hub"),
        ("../home", r"home is not a bundle"),
    ],
)
@pytest.mark.parametrize("command", ["paint", "show", "verify"])
def test_a_model_that_is_not_there_is_named(edgevlo_run: Run, command: str, name: str, pattern: str) -> None:
    Path("empty").mkdir()
    Path("checkpoint").mkdir()
    Path("checkpoint/config.json").touch()

    fails(edgevlo_run(command, *(["a car", "-m"] if command == "paint" else []), name), pattern)
    assert files() == ["checkpoint", "empty"]


def test_the_output_is_checked_before_the_model_is_opened(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edgevlo, "load", lambda _: pytest.fail("the model was opened"))
    Image.new("RGB", (20, 20)).save("a.png")
    np.save("c.npy", np.zeros((2, 2), dtype=int))

    for arguments in (["paint", "a"], ["edit", "a.png", "b"], ["segment", "a.png"], ["edges", "a.png"],
                      ["detect", "a.png"], ["decode", "c.npy"]):  # fmt: skip
        fails(edgevlo_run(*arguments, "-o", "none/out.png"), "does not exist. Make it first")
        fails(edgevlo_run(*arguments, "-o", "out.jpg"), "does not end in .png")


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is not a picture that can be read"),
        (b"words", "is not a picture that can be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is not a picture that can be read"),
    ],
)
@pytest.mark.parametrize("command", ["edit", "ask", "detect", "segment"])
def test_a_bad_picture_is_one_line(edgevlo_run: Run, command: str, content: bytes | None, pattern: str) -> None:
    if content is not None:
        Path("a.png").write_bytes(content)

    words = ["on it"] if command in ("edit", "ask") else []

    fails(edgevlo_run(command, "a.png", *words, "-m", "toy"), rf"a\.png {pattern}")
    assert files() == ([] if content is None else ["a.png"])


def test_an_image_guidance_scale_reaches_the_model(edgevlo_run: Run) -> None:
    Image.new("RGB", (20, 20)).save("a.png")

    ran = edgevlo_run("edit", "a.png", "a red car", "-m", "toy", "--image-guidance-scale", "2")

    fails(ran, "an image guidance scale does nothing here: this model has no such guidance; leave it out")


def test_an_ability_that_the_model_lacks_is_one_line(edgevlo_run: Run) -> None:
    Image.new("RGB", (20, 20)).save("a.png")

    fails(edgevlo_run("edges", "a.png", "-m", "toy"), r"toy \(family toy\) cannot edges; it can ask")
    fails(edgevlo_run("detect", "a.png", "-m", "toy", "-o", "b.png"), "cannot boxes")


@pytest.mark.parametrize(
    ("write", "pattern"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.write_bytes(b""), "holds no plain NumPy array"),
        (lambda path: path.write_bytes(b"words"), "holds no plain NumPy array"),
        (lambda path: np.save(path, np.array([{}], dtype=object), allow_pickle=True), "holds no plain NumPy array"),
        (lambda path: np.save(path, np.zeros((2, 2))), "holds no grid of whole numbers"),
        (lambda path: np.save(path, np.zeros(4, dtype=int)), r"codes are a grid .*\[4\]"),
        (lambda path: np.save(path, np.full((2, 2), 27)), "codes run from 0 to 26"),
        (lambda path: np.save(path, np.full((2, 2), 2**63, dtype=np.uint64)), "codes run from 0 to 26"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(40)), "holds no plain NumPy array"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<i8', 'fortran_order': False, 'shape': "
                                       b"(99999999, 99999999), }" + b" " * 46 + b"\n"), "holds no plain NumPy array"),
    ],
)  # fmt: skip
def test_codes_that_are_none_are_one_line(edgevlo_run: Run, write: Callable[[Path], Any], pattern: str) -> None:
    write(Path("c.npy"))

    fails(edgevlo_run("decode", "c.npy", "-m", "toy"), pattern)
    assert "out.png" not in files()


def test_an_archive_of_arrays_is_no_code_grid(edgevlo_run: Run) -> None:
    np.savez("c.npz", a=np.zeros((2, 2), dtype=int))

    fails(edgevlo_run("decode", "c.npz", "-m", "toy"), "holds no plain NumPy array")


@pytest.mark.parametrize("command", ["paint", "verify"])
def test_a_damaged_bundle_is_one_line(edgevlo_run: Run, toy: Path, command: str) -> None:
    shutil.copytree(toy, "copy")
    Path("copy/backbone.onnx.data").write_bytes(b"short")

    arguments = ["a car", "-m", "copy"] if command == "paint" else ["copy"]

    fails(edgevlo_run(command, *arguments), r"copy/backbone\.onnx\.data has 5 bytes, manifest\.json says \d+")
    assert files() == ["copy"]


def test_verify_opens_tokenizer_and_table_too(edgevlo_run: Run, toy: Path) -> None:
    rewritten(toy, Path("one"), files={"tokenizer.json": b"{}"})
    rewritten(toy, Path("two"), files={"token_embedding.bin": b"1234"})
    rewritten(toy, Path("three"), lambda tree: tree["image_block"].update(close=["<nope>"]))

    fails(edgevlo_run("verify", "one"), r"one/tokenizer\.json is not a tokenizer")
    fails(edgevlo_run("verify", "two"), r"two/token_embedding\.bin does not hold")
    fails(edgevlo_run("verify", "three"), r"three/tokenizer\.json lacks the token '<nope>'")


def test_ctrl_c_is_exit_130_and_leaves_no_file(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = Model.decode
    calls = []

    def interrupted(self: Model, codes: Codes) -> Image.Image:
        calls.append(codes.shape)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return decode(self, codes)

    monkeypatch.setattr(Model, "decode", interrupted)

    ran = edgevlo_run("paint", "a car", "-m", "toy", "-n", "3")

    assert ran.code == 130
    assert ran.err.strip() == "stopped"
    assert files() == ["out-1.png"]


def test_a_lack_of_memory_is_one_line(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Model, "decode", starve)

    fails(edgevlo_run("paint", "a car", "-m", "toy"), "there is not enough memory for this; paint a smaller size")


def test_a_bug_keeps_its_traceback(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Model, "decode", broken)

    with pytest.raises(ZeroDivisionError):
        edgevlo_run("paint", "a car", "-m", "toy")
