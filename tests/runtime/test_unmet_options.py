"""Options that cannot be met are refused or said, never met by something else."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgevlo.calibration.requests import cases
from edgevlo.runtime.bundle import EMBEDDED, Bundle
from edgevlo.runtime.errors import BundleError, RequestError
from edgevlo.runtime.generate.detections import Detection, only_asked
from edgevlo.runtime.generate.text import AnswerWarning
from edgevlo.runtime.manifest.pictures import Grid, Preprocess
from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.pictures.resize import fitted, is_cropped
from edgevlo.runtime.pictures.sizes import GridRule, parse_size

SQUARE = GridRule(grid=Grid(kind="fixed", rows=(24, 24), columns=(24, 24), cells=(576, 576), default=(24, 24)), cell=16)
FREE = GridRule(grid=Grid(rows=(4, 12), columns=(4, 20), cells=(16, 160), default=(8, 8), max_ratio=3.0), cell=16)
READ = Preprocess(min_pixels=64 * 64, max_pixels=160 * 256)


@pytest.mark.parametrize("text", ["16:9", "3:4", "2:1"])
def test_a_ratio_that_a_model_of_one_square_cannot_paint_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=f"paints no picture of the ratio {text}; the nearest is 384x384"):
        parse_size(text, SQUARE)


@pytest.mark.parametrize("text", ["1:100", "100:1", "1:10"])
def test_a_ratio_beyond_a_free_grid_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=f"paints no picture of the ratio {text}; the nearest is"):
        parse_size(text, FREE)


@pytest.mark.parametrize("text", ["1:1", "16:9", "9:16", "4:3", "3:2", "2:1", "3:1", "7:5"])
def test_a_ratio_that_can_be_painted_is_kept_within_a_cell(text: str) -> None:
    width, height = parse_size(text, FREE)
    across, down = map(int, text.split(":"))

    assert abs(width - height * across / down) <= FREE.cell or abs(height - width * down / across) <= FREE.cell


def rings(width: int, height: int) -> Image.Image:
    """Return a picture of circles, whose shape shows by how much it was stretched."""
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(x - width / 2, y - height / 2) < min(width, height) / 3
    return Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("size", [(640, 640), (1000, 200), (200, 1000), (500, 333), (64, 640), (1920, 1080)])
@pytest.mark.parametrize("rule", [SQUARE, FREE], ids=["square", "free"])
def test_what_is_read_keeps_its_ratio_within_a_cell(size: tuple[int, int], rule: GridRule) -> None:
    found = np.asarray(fitted(rings(*size), READ, rule))[..., 0] > 127

    across, down = found.any(axis=0).sum(), found.any(axis=1).sum()
    stretched = across / down
    assert 0.9 < stretched < 1.12
    assert is_cropped(size, found.shape[::-1], READ, rule) == (
        (rule is SQUARE and size[0] != size[1]) or max(size) > 3.5 * min(size)
    )


def test_only_what_was_asked_for_is_found() -> None:
    box = (0, 0, 1, 1)
    found = [Detection(name, box) for name in ("car", "red car", "cat", "tree", "汽车")]

    with pytest.warns(AnswerWarning, match="also named cat, tree, 汽车, which was not asked for"):
        kept = only_asked(found, ["cars"])
    with pytest.warns(AnswerWarning):
        chinese = only_asked(found, ["红色的汽车"])
    with pytest.warns(AnswerWarning):
        assert only_asked(found, ["unicorn"]) == []

    assert [one.label for one in kept] == ["car", "red car"]
    assert [one.label for one in chinese] == ["汽车"]
    assert only_asked(found, []) == found


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        ("boxes", "box"), ("buses", "bus"), ("glasses", "glass"), ("houses", "house"), ("cherries", "cherry"),
        ("wolves", "wolf"), ("knife", "knives"), ("people", "person"), ("red mice", "mouse"), ("car,", "car"),
        ("a dog!", "dog"), ("the cat's", "cat"), ("hot-dog", "hot dog"), ("ｃａｒ", "car"), ("cafe\u0301", "café"),
        ("CARS", "Car"), ("“tree”", "tree"), ("小汽车。", "汽车"), ("кошка", "Кошка"),
    ],
)  # fmt: skip
def test_a_name_is_the_same_however_it_is_typed(asked: str, label: str) -> None:
    found = [Detection(label, (0, 0, 1, 1))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert only_asked(found, [asked]) == found


@pytest.mark.parametrize(
    ("asked", "label"),
    [("ratón", "rat"), ("кот", "котёл"), ("car", "cart"), ("carpet", "car"), ("été", "té"), ("gas", "ga"),
     ("汽车", "car"), ("...", "car"), ("car", "?"), ("a red car", "red bus"),
     ("ca", "汽车 car")],
)  # fmt: skip
def test_another_thing_is_another_name(asked: str, label: str) -> None:
    with pytest.warns(AnswerWarning, match="was not asked for"):
        assert only_asked([Detection(label, (0, 0, 1, 1))], [asked]) == []


def test_calibration_says_that_it_does_not_interleave(tmp_path: Path) -> None:
    from msgspec.structs import replace

    manifest = read_manifest(EMBEDDED / "picturebook")
    with_it = replace(manifest, abilities={**manifest.abilities, "interleave": manifest.abilities["ask"]})
    (tmp_path / "prompts.txt").write_text("interleave: a story\npaint: a car\n")

    with pytest.raises(RequestError, match="requests to interleave, which calibration does not run; remove them"):
        cases(with_it, tmp_path / "prompts.txt", None, 2)


def test_a_cache_that_holds_no_picture_is_refused_and_the_least_that_does_is_not() -> None:
    from edgevlo.quantization.targets.gpu import check_capacity

    manifest = read_manifest(EMBEDDED / "picturebook")

    with pytest.raises(
        RequestError, match=r"`capacity=9` holds nothing .* smallest picture alone takes (\d+) tokens"
    ) as told:
        check_capacity(manifest, 9)
    least = int(str(told.value).split("alone takes ")[1].split()[0])
    check_capacity(manifest, least)
    with pytest.raises(RequestError):
        check_capacity(manifest, least - 1)


def test_requests_that_nothing_reads_are_refused(tmp_path: Path) -> None:
    from edgevlo.quantization.request import QuantizeRequest, check

    request = QuantizeRequest(
        bundle=EMBEDDED / "picturebook", output=tmp_path / "out", requests=0, prompts=tmp_path / "none.txt"
    )

    with pytest.raises(RequestError, match="`prompts` has no effect with `requests=0`"):
        check(request)


def test_pulling_another_revision_replaces_the_installed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgevlo.models import hub, pull

    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "home"))
    source = EMBEDDED / "picturebook"
    other = tmp_path / "other"
    other.mkdir()
    for path in source.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    (other / "manifest.json").write_bytes(
        (source / "manifest.json").read_bytes().replace(b'"seventh edition"', b'"eighth"')
    )
    snapshots = {None: source, "main": source, "v6": other}
    monkeypatch.setattr(hub, "fetch", lambda _name, *, revision, **_: hub.Snapshot(snapshots[revision], "bundle"))

    def pulled(revision: str | None) -> str:
        folder, _ = pull.pull("someone/model", revision=revision)
        return read_manifest(folder).source.revision

    assert [pulled(one) for one in (None, "v6", "v6", None, "main")] == [
        "seventh edition", "eighth", "eighth", "eighth", "seventh edition",
    ]  # fmt: skip
    assert [path.name for path in (tmp_path / "home" / "bundles").iterdir()] == ["someone--model"]

    def looked_at(bundle: Bundle, _: str) -> None:
        there = read_manifest(bundle.folder.with_name("someone--model")).source.revision
        assert there == "seventh edition"  # a kill from here on leaves one or the other, and no gap
        raise BundleError("a trial that fails")

    monkeypatch.setattr(pull, "_try_out", looked_at)
    with pytest.raises(BundleError, match="a trial that fails"):
        pulled("v6")
    assert read_manifest(tmp_path / "home" / "bundles" / "someone--model").source.revision == "seventh edition"
