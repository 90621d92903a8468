"""Content Credentials: what we sign is read and verified by the C2PA project's own library."""

import io
import json
import os
import stat
import subprocess
import sys
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
from command_line import Run, fails
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from PIL import Image
from toy_bundle import rewritten

import edgevlo
from edgevlo.runtime.c2pa import manifest
from edgevlo.runtime.c2pa.device import existing, folder
from edgevlo.runtime.c2pa.verify import verify
from edgevlo.runtime.errors import OutputError, RequestError
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.origin import Origin
from edgevlo.runtime.pictures.read_marks import marks_of

CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture(autouse=True)
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("EDGEVLO_HOME", str(home))
    return home


def file_of(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind)
    return buffer.getvalue()


@pytest.fixture
def painting(model: Model) -> bytes:
    return edgevlo.png_bytes(model.paint("a red car", size=(20, 16), seed=7))


def read(content: bytes, kind: str = "image/png", anchors: str = "") -> Any:
    """Return what the C2PA library makes of a file, as its own JSON."""
    settings: dict[str, Any] = {"version": 1, **({"trust": {"trust_anchors": anchors}} if anchors else {})}
    with c2pa.Reader(kind, io.BytesIO(content), context=c2pa.Context.from_dict(settings)) as reader:
        return json.loads(reader.json())


def active(store: Any) -> Any:
    return store["manifests"][store["active_manifest"]]


def actions(store: Any) -> Any:
    return [
        one for item in active(store)["assertions"] if "actions" in item["label"] for one in item["data"]["actions"]
    ]


def failures(store: Any) -> list[str]:
    return [one["code"] for one in store["validation_results"]["activeManifest"]["failure"]]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_signed_painting_is_valid_and_untrusted_and_keeps_its_other_marks(model: Model, kind: str) -> None:
    plain = file_of(model.paint("a red car", size=(20, 16), seed=7), kind)

    signed = edgevlo.sign(plain)

    store = read(signed, f"image/{kind.lower()}")
    assert store["validation_state"] == "Valid"
    assert failures(store) == ["signingCredential.untrusted"], "nobody vouches for this device"
    (created,) = actions(store)
    assert (created["action"], created["digitalSourceType"]) == ("c2pa.created", f"{CODES}trainedAlgorithmicMedia")
    before, after = (Image.open(io.BytesIO(content)) for content in (plain, signed))
    assert np.array_equal(np.asarray(before), np.asarray(after))
    assert after.info["xmp"] == before.info["xmp"]
    assert after.info.get("parameters") == before.info.get("parameters")


def test_the_device_s_own_certificate_makes_it_trusted(painting: bytes) -> None:
    signed = edgevlo.sign(painting)
    own = existing()
    assert own is not None

    assert read(signed, anchors=own.authority)["validation_state"] == "Trusted"
    assert verify(signed, "PNG").by_this_device


def test_another_device_is_not_known(painting: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signed = edgevlo.sign(painting)
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "another"))
    edgevlo.sign(painting)

    found = verify(signed, "PNG")

    assert (found.state, found.by_this_device, found.failures) == ("intact", False, ())
    assert found.issuer == "EdgeVLo, self-signed"


@pytest.mark.parametrize("at", [-30, 60, 400])
def test_one_changed_bit_is_found(painting: bytes, at: int) -> None:
    changed = bytearray(edgevlo.sign(painting))
    changed[at] ^= 1

    found = verify(bytes(changed), "PNG")

    assert found.state in ("changed", "invalid")
    assert found.failures


def test_a_manifest_that_was_moved_to_another_picture_is_found(model: Model, painting: bytes) -> None:
    signed = edgevlo.sign(painting)
    start = signed.index(b"caBX") - 4
    chunk = signed[start : start + 12 + int.from_bytes(signed[start : start + 4], "big")]
    other = file_of(model.paint("a red car", size=(20, 16), seed=8))

    assert verify(other[:33] + chunk + other[33:], "PNG").state == "changed"


def test_an_edit_names_its_sources_and_keeps_their_manifests(model: Model, painting: bytes) -> None:
    source = edgevlo.sign(painting)
    photograph = file_of(Image.new("RGB", (20, 16), "red"), "JPEG")
    edited = file_of(model.edit([io.BytesIO(source), io.BytesIO(photograph)], "combine them"))

    store = read(edgevlo.sign(edited, [source, photograph]))

    assert store["validation_state"] == "Valid"
    assert [one["action"] for one in actions(store)] == ["c2pa.opened", "c2pa.placed", "c2pa.edited"]
    assert actions(store)[-1]["digitalSourceType"] == f"{CODES}compositeWithTrainedAlgorithmicMedia"
    first, second = active(store)["ingredients"]
    assert (first["relationship"], second["relationship"]) == ("parentOf", "componentOf")
    assert store["manifests"][first["active_manifest"]]["signature_info"]["issuer"] == "EdgeVLo, self-signed"
    assert "active_manifest" not in second
    assert not any("thumbnail" in one for one in (first, second, active(store))), "nobody's photograph is embedded"


def test_a_map_was_made_from_its_source(model: Model) -> None:
    photograph = file_of(Image.new("RGB", (20, 16), "red"))

    store = read(edgevlo.sign(file_of(model.segment(io.BytesIO(photograph))), [photograph], "perceived"))

    assert [one["action"] for one in actions(store)] == ["c2pa.created"]
    assert [one["relationship"] for one in active(store)["ingredients"]] == ["inputTo"]


def test_a_source_with_a_damaged_manifest_is_an_ingredient_all_the_same(painting: bytes) -> None:
    body = b"\0\0\0\x10jumbgarbage"
    chunk = len(body).to_bytes(4, "big") + b"caBX" + body + zlib.crc32(b"caBX" + body).to_bytes(4, "big")
    source = file_of(Image.new("RGB", (20, 16)))

    store = read(edgevlo.sign(painting, [source[:33] + chunk + source[33:]]))

    assert store["validation_state"] == "Valid"
    assert active(store)["ingredients"][0]["description"] == "its manifest cannot be read"


def test_what_is_not_marked_as_made_by_ai_is_not_signed() -> None:
    with pytest.raises(RequestError, match="not marked as made by AI"):
        edgevlo.sign(file_of(Image.new("RGB", (4, 4))))
    assert existing() is None


def test_how_a_picture_was_made_and_its_sources_agree(painting: bytes) -> None:
    with pytest.raises(RequestError, match="painted has no sources; leave"):
        edgevlo.sign(painting, [painting], "painted")
    with pytest.raises(RequestError, match="edited has sources; give"):
        edgevlo.sign(painting, (), "edited")


def test_the_key_is_the_owner_s_alone_and_is_made_once(painting: bytes) -> None:
    edgevlo.sign(painting)
    first = existing()
    edgevlo.sign(painting)

    assert existing() == first
    assert stat.S_IMODE(folder().stat().st_mode) == 0o700
    assert stat.S_IMODE((folder() / "key.pem").stat().st_mode) == 0o600
    assert [one.name for one in folder().parent.iterdir()] == ["identity"], "no leftovers"


def test_the_certificates_hold_by_x509_s_rules_and_name_no_host(painting: bytes) -> None:
    edgevlo.sign(painting)
    device = existing()
    assert device is not None
    leaf, authority = x509.load_pem_x509_certificates(device.chain.encode())

    leaf.verify_directly_issued_by(authority)
    authority.verify_directly_issued_by(authority)
    assert leaf.public_key() == load_pem_private_key(device.key, None).public_key()
    assert authority.public_key() != leaf.public_key(), "the authority's key was thrown away"
    assert os.uname().nodename not in leaf.subject.rfc4514_string()
    assert leaf.not_valid_before_utc.year == 2026
    assert leaf.not_valid_after_utc.year == 9999


def test_processes_that_start_at_once_share_one_identity(fresh_home: Path) -> None:
    program = "from edgevlo.runtime.c2pa.device import identity; print(identity().chain)"
    running = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(3)]

    assert len({one.communicate()[0] for one in running}) == 1
    assert [one.name for one in fresh_home.iterdir()] == ["identity"]


def test_a_damaged_identity_is_an_error_in_words(painting: bytes) -> None:
    edgevlo.sign(painting)
    (folder() / "key.pem").write_bytes(b"x")

    with pytest.raises(OutputError, match="identity is damaged; remove it"):
        edgevlo.sign(painting)


def test_a_clock_that_was_never_set_is_left_out() -> None:
    from datetime import UTC, datetime

    told = [manifest.definition("painted", "x", 0, "1", datetime(year, 1, 1, tzinfo=UTC)) for year in (1970, 2026)]

    when = [one["assertions"][0]["data"]["actions"][0].get("when") for one in told]
    assert when == [None, "2026-01-01T00:00:00Z"]


def test_marks_of_a_source_stand_in_its_description() -> None:
    said = manifest.ingredient(0, "edited", Origin(source_type="digitalCapture", label={"Label": "2"}))

    assert said["description"] == "digital source type digitalCapture; AIGC label Label 2"


def test_the_command_line_signs_and_inspects(edgevlo_run: Run) -> None:
    assert edgevlo_run("paint", "a red car", "-m", "toy", "--c2pa", "-o", "a.png").code == 0
    assert edgevlo_run("edit", "a.png", "make it blue", "-m", "toy", "--c2pa", "-o", "a.png").code == 0

    assert [one["action"] for one in actions(read(Path("a.png").read_bytes()))] == ["c2pa.opened", "c2pa.edited"]
    told = edgevlo_run("inspect", "a.png").out
    assert "C2PA manifest        intact; c2pa.opened, c2pa.edited (ingredients: 1); signed by EdgeVLo device " in told
    assert "(EdgeVLo, self-signed): this device\n" in told
    assert json.loads(edgevlo_run("inspect", "a.png", "--json").out)["c2pa"]["state"] == "intact"
    assert json.loads(edgevlo_run("inspect", "a.png", "--json").out)["parameters"].startswith("make it blue")
    content = bytearray(Path("a.png").read_bytes())
    content[-30] ^= 1
    Path("b.png").write_bytes(content)
    assert (
        "C2PA manifest        BROKEN: the file was changed after EdgeVLo device " in edgevlo_run("inspect", "b.png").out
    )


def test_maps_and_boxes_are_signed_as_made_from_their_source(edgevlo_run: Run, toy: Path) -> None:
    boxes = {"prompt": [{"field": "images"}, {"field": "text"}], "output": "image", "images": [1, 1]}
    rewritten(toy, Path("both"), lambda tree: tree["abilities"].update(boxes=boxes))
    Image.new("RGB", (20, 16), "red").save("photo.png")

    assert edgevlo_run("segment", "photo.png", "-m", "./both", "--c2pa", "-o", "segments.png").code == 0
    assert edgevlo_run("detect", "photo.png", "-m", "./both", "--c2pa", "-o", "boxes.png").code == 0

    for name in ("segments.png", "boxes.png"):
        store = read(Path(name).read_bytes())
        assert store["validation_state"] == "Valid"
        assert [one["action"] for one in actions(store)] == ["c2pa.created"]
        assert [one["relationship"] for one in active(store)["ingredients"]] == ["inputTo"]


def test_codes_are_signed_as_a_painting(edgevlo_run: Run) -> None:
    edgevlo_run("paint", "a red car", "-m", "toy", "--codes", "codes.npy", "-o", "a.png")

    assert edgevlo_run("decode", "codes.npy", "-m", "toy", "--c2pa", "-o", "b.png").code == 0

    store = read(Path("b.png").read_bytes())
    assert store["validation_state"] == "Valid"
    assert [one["action"] for one in actions(store)] == ["c2pa.created"]
    assert "ingredients" not in active(store)
    assert "intact; c2pa.created" in edgevlo_run("inspect", "b.png").out


@pytest.mark.parametrize("photo", [[], ["photo.png"]])
def test_pictures_in_a_text_are_signed(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch, photo: list[str]) -> None:
    Image.new("RGB", (20, 16), "red").save("photo.png")

    def told(self: Model, prompt: str, pictures: Any, **_: Any) -> Iterator[Any]:
        return chain(["A car:"], self.paint_rows(prompt), self.paint_rows(prompt))

    monkeypatch.setattr(Model, "interleave_rows", told)

    ran = edgevlo_run("interleave", *photo, "a red car", "-m", "toy", "--c2pa", "-o", "a.png")

    assert ran.out == "A car:\na-1.png\na-2.png\n"
    for name in ("a-1.png", "a-2.png"):
        store = read(Path(name).read_bytes())
        assert store["validation_state"] == "Valid"
        assert [one["relationship"] for one in active(store).get("ingredients", [])] == ["inputTo"] * len(photo)


def test_the_environment_signs_too(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEVLO_C2PA", "1")
    assert edgevlo_run("paint", "a red car", "-m", "toy", "-o", "a.png").code == 0

    assert marks_of(Path("a.png").read_bytes(), "a.png").c2pa


def test_without_the_extra_files_are_marked_unchecked_and_signing_says_what_to_install(
    edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edgevlo_run("paint", "a red car", "-m", "toy", "--c2pa", "-o", "a.png").code == 0
    monkeypatch.setitem(sys.modules, "c2pa", None)

    assert "C2PA manifest        there, not checked; to check it: pip install " in edgevlo_run("inspect", "a.png").out
    fails(
        edgevlo_run("paint", "a red car", "-m", "toy", "--c2pa", "-o", "b.png"), "extra 'c2pa', which is not installed"
    )
    assert not Path("b.png").exists()
