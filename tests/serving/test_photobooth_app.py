"""The plugin for photobooth-app, in photobooth-app itself, asking a running server.

photobooth-app wants another release of ONNX Runtime than EdgeVLo, so it is installed in an environment of its own,
whose Python `PHOTOBOOTH_PYTHON` names.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from serving_fixtures import ROOT, Server

PYTHON = os.environ.get("PHOTOBOOTH_PYTHON")
needs_photobooth = pytest.mark.skipif(
    PYTHON is None, reason="needs photobooth-app: pip install it elsewhere and name that Python in PHOTOBOOTH_PYTHON"
)
EXAMPLE = ROOT / "examples" / "photobooth_app" / "filter_edgevlo"
FILTERS = [{"name": "night", "prompt": "make it night"}, {"name": "Schnee ❄", "prompt": "let it snow"}]

# What photobooth-app does with a photo and the filter that a visitor picked, by its own functions.
PROGRAM = """
import json, sys
from pathlib import Path
from PIL import Image, ImageChops
from photobooth.services.config.groups.actions import SingleImageProcessing
from photobooth.services.mediaprocessing.processes import process_image_inner
from photobooth.services.mediaprocessing.steps.image import get_plugin_userselectable_filters
from photobooth.utils.media_encode import encode

from filter_edgevlo.filter_edgevlo import labelled

print(json.dumps([one[0] for one in get_plugin_userselectable_filters()]))
plain = Image.new("RGB", (200, 100), "red")
print(json.dumps(ImageChops.difference(labelled(plain.copy(), "AI"), plain).getbbox()))
for name, preview, path in json.loads(sys.argv[1]):
    try:
        picture = process_image_inner(Path("photo.png"), SingleImageProcessing(image_filter=name), preview=preview)
        encode([picture], Path(path))
        print(json.dumps(picture.size))
    except Exception as error:
        print(json.dumps(repr(error)))
"""


@pytest.fixture
def booth(tmp_path: Path) -> Callable[..., list[Any]]:
    """Return a function that has photos processed by photobooth-app, and returns what it printed."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "filter_edgevlo").symlink_to(EXAMPLE)
    (tmp_path / "config").mkdir()
    Image.effect_noise((60, 45), 80).convert("RGB").save(tmp_path / "photo.png")

    def process(asked: list[tuple[str, bool, str]], **config: Any) -> list[Any]:
        told = {"filters": FILTERS, **config}
        (tmp_path / "config" / "plugin_filter_edgevlo.json").write_text(json.dumps(told), encoding="utf-8")
        command = [str(PYTHON), "-c", PROGRAM, json.dumps(asked)]
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        ran = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False, timeout=300)
        assert ran.returncode == 0, ran.stderr[-4000:]
        return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith(("[", '"'))]

    return process


@needs_photobooth
def test_a_visitor_s_filter_is_what_the_server_makes_of_the_photo(
    server: Server, booth: Callable[..., list[Any]], tmp_path: Path
) -> None:
    before = server.get("/metrics").body
    asked = [("FilterEdgevlo.night", False, "night.jpg"), ("FilterEdgevlo.Schnee ❄", True, "preview.jpg")]
    filters, _, painted, preview = booth(asked, server=server.url, label="")
    done = 'edgevlo_requests_total{end="done"} '

    assert {"FilterEdgevlo.night", "FilterEdgevlo.Schnee ❄"} <= set(filters)
    assert preview == [60, 45], "a preview is the photo"
    assert painted[0] == 60 or painted[1] == 45, "the picture is as large as the photo allows"
    assert count(server.get("/metrics").body, done) == count(before, done) + 1
    with Image.open(tmp_path / "night.jpg") as written:
        assert written.size == tuple(painted)


@needs_photobooth
def test_what_the_server_refuses_is_an_error_of_the_booth_in_its_words(
    server: Server, booth: Callable[..., list[Any]]
) -> None:
    _, _, refused = booth([("FilterEdgevlo.night", False, "night.jpg")], server=server.url, model="no-such-model")
    assert "EdgeVLo answered 404" in refused
    assert "no-such-model" in refused


@needs_photobooth
def test_a_label_stands_in_the_lower_right_corner(booth: Callable[..., list[Any]]) -> None:
    left, top, right, bottom = booth([])[1]
    assert left > 150, "of a picture of 200x100"
    assert top > 80
    assert right <= 200
    assert bottom <= 100


def count(metrics: bytes, name: str) -> int:
    (line,) = (line for line in metrics.decode().splitlines() if line.startswith(name))
    return int(line.removeprefix(name))
