"""Requests that bundles are compared at: what is read from files, in which order, and what is refused."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image
from toy_bundle import rewritten

from edgevlo.calibration.evaluation.cases import SHIPPED, cases, digest, read_requests
from edgevlo.runtime.errors import PictureError, RequestError
from edgevlo.runtime.manifest.schema import Manifest, read_manifest


@pytest.fixture(scope="module")
def manifest(toy: Path) -> Manifest:
    return read_manifest(toy)


def written(folder: Path, text: str) -> Path:
    path = folder / "requests.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_requests_that_ship_are_in_two_languages_and_of_every_kind() -> None:
    lines = list(read_requests(SHIPPED))
    assert {"paint", "edit", "ask", "segment", "detect"} <= {line.ability for line in lines}
    foreign = [line for line in lines if not line.text.isascii()]
    assert len(foreign) >= 8
    assert all(line.gloss.isascii() and line.gloss for line in foreign)
    assert len({(line.ability, line.text) for line in lines}) == len(lines)


def test_a_file_of_ones_own(manifest: Manifest, tmp_path: Path) -> None:
    path = written(tmp_path, "# a comment\n\na red car\nedit: 红 car  # red\ndetect:\nsegment\nask:where is it\n")

    listed = cases(manifest, path, None, 20)

    assert [(case.ability, case.text, case.english) for case in listed] == [
        ("paint", "a red car", ""),
        ("paint", "segment", ""),  # without a colon it is painted
        ("edit", "红 car", "edit: red"),
        ("detect", "", ""),
        ("ask", "where is it", ""),
    ]
    assert [case.pictures for case in listed] == [(), (), (0,), (1,), (0,)]
    assert [case.caption for case in listed][2:4] == ["edit: 红 car", "detect"]


def test_the_first_ones_are_counted(manifest: Manifest, tmp_path: Path) -> None:
    path = written(tmp_path, "a\nb\nc\n")
    assert [case.text for case in cases(manifest, path, None, 2)] == ["a", "b"]
    assert len(cases(manifest, path, None, 99)) == 3


def test_every_second_painting_weighs_all_branches(tmp_path: Path, toy: Path, manifest: Manifest) -> None:
    def unguided(tree: dict[str, Any]) -> None:
        tree["guidance"]["default_scale"] = 1.0

    path = written(tmp_path, "a\nb\nask: c\n")
    other = read_manifest(rewritten(toy, tmp_path / "unguided", unguided))
    assert [case.guidance_scale for case in cases(other, path, None, 3)] == [None, 1.5, None]
    assert [case.guidance_scale for case in cases(manifest, path, None, 3)] == [None, None, None]


def test_abilities_that_a_model_lacks_are_left_out_of_what_ships(tmp_path: Path, toy: Path) -> None:
    def painter(tree: dict[str, Any]) -> None:
        tree["abilities"] = {"paint": tree["abilities"]["paint"]}

    only = read_manifest(rewritten(toy, tmp_path / "painter", painter))
    assert {case.ability for case in cases(only, None, None, 99)} == {"paint"}
    with pytest.raises(RequestError, match="requests to edit, which toy lacks; remove them"):
        cases(only, written(tmp_path, "edit: a\n"), None, 1)


def test_interleaved_answers_are_not_compared(manifest: Manifest, tmp_path: Path) -> None:
    paints = manifest.abilities["paint"]
    mixed = msgspec.structs.replace(manifest, abilities={"interleave": paints, **manifest.abilities})
    with pytest.raises(RequestError, match="requests to interleave, which are not compared; remove them"):
        cases(mixed, written(tmp_path, "interleave: how to fold a boat\n"), None, 1)


def test_pictures_of_a_folder_take_turns(manifest: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("b.png", "a.PNG"):
        Image.new("RGB", (16, 16)).save(folder / name)
    (folder / "notes.txt").write_text("no picture")

    listed = cases(manifest, written(tmp_path, "ask: a\nask: b\nask: c\n"), folder, 9)

    assert [case.pictures[0] for case in listed] == [folder / "a.PNG", folder / "b.png", folder / "a.PNG"]


def test_where_nothing_is_painted_pictures_that_ship_are_read(manifest: Manifest, tmp_path: Path) -> None:
    listed = cases(manifest, written(tmp_path, "ask: a\nask: b\nask: c\nask: d\n"), None, 9)
    names = [one.name for case in listed for one in case.pictures if isinstance(one, Path)]
    assert names == ["picture-1.png", "picture-2.png", "picture-3.png", "picture-1.png"]
    assert digest(listed)  # they are there


def test_the_digest_tells_requests_and_pictures_apart(manifest: Manifest, tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    path = written(tmp_path, "a\nask: b\n")
    first = digest(cases(manifest, path, tmp_path, 2))
    assert digest(cases(manifest, path, tmp_path, 2)) == first
    assert digest(cases(manifest, path, tmp_path, 1)) != first
    Image.new("RGB", (16, 16), "red").save(tmp_path / "a.png")
    assert digest(cases(manifest, path, tmp_path, 2)) != first


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no requests; write one per line"),
        (b"# only a comment\n", "has no requests; write one per line"),
        ("ask: où\n".encode("latin-1"), "it is not UTF-8 text.*Name a text file in UTF-8"),
        ("a car\n".encode("utf-16-le"), "it is not UTF-8 text"),  # without its mark
        (b"a\0car\n", "it is not UTF-8 text"),
        (b"\xff\xfe\x00", r"requests\.txt cannot be read as requests \(it is not UTF-8 text\)"),
        (b"a\nedit:\n", r"requests\.txt, line 2: edit needs words"),
        (b"depth:\n", "requests to depth, which toy lacks"),
    ],
)
def test_requests_that_cannot_be_used(manifest: Manifest, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "requests.txt").write_bytes(content)
    with pytest.raises(RequestError, match=reason):
        cases(manifest, tmp_path / "requests.txt", None, 5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_requests_are_read_as_other_editors_save_them(tmp_path: Path, encoding: str, end: str) -> None:
    lines = ["# words", "", "一辆红色的车", "ask: 哪里？", "Ask : a", "ask：左边：b", "\u3000edit:\u00a0x",
             "a\u2028b: c", "\ufeffask: of a second file", "\ufeff", "ratio 16:9"]  # fmt: skip
    mark = "\ufeff" if encoding.endswith("e") else ""
    (tmp_path / "requests.txt").write_bytes((mark + end.join(lines)).encode(encoding))  # no end of the last line

    assert [(one.ability, one.text) for one in read_requests(tmp_path / "requests.txt")] == [
        ("paint", "一辆红色的车"), ("ask", "哪里？"), ("ask", "a"), ("ask", "左边：b"), ("edit", "x"),
        ("paint", "a\u2028b: c"), ("ask", "of a second file"), ("paint", "ratio 16:9"),
    ]  # fmt: skip


def test_files_that_are_not_there(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"none\.txt cannot be read as requests \(No such file or directory\)"):
        cases(manifest, tmp_path / "none.txt", None, 5)
    with pytest.raises(PictureError, match="none is not a folder"):
        cases(manifest, None, tmp_path / "none", 5)
    with pytest.raises(PictureError, match="has no pictures"):
        cases(manifest, None, tmp_path, 5)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"bad\.png is not a picture"):
        cases(manifest, None, tmp_path, 5)


def test_a_count_of_nothing(manifest: Manifest) -> None:
    with pytest.raises(RequestError, match="`count=0` is too small; at least one request is needed"):
        cases(manifest, None, None, 0)
