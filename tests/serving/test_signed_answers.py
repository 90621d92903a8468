"""With `--c2pa` every finished picture that a server gives is signed, however it was asked for."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import c2pa
import pytest
from serving_fixtures import Server, data_uri, png, serving

Ask = Callable[[Server], bytes]

PHOTOGRAPH = data_uri(png())


@pytest.fixture(scope="module")
def signing(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("signing") / "server", "-m", str(toy), "--c2pa") as running:
        yield running


def inline(path: str, **body: Any) -> Ask:
    """Return how a picture that stands in an answer is asked for."""

    def ask(server: Server) -> bytes:
        answer = server.post(path, body)
        assert answer.status == 200, answer
        return base64.b64decode(
            answer.json["data"][0]["b64_json"] if "data" in answer.json else answer.json["b64_json"]
        )

    return ask


def download(**body: Any) -> Ask:
    """Return how the file of a painting is asked for."""

    def ask(server: Server) -> bytes:
        painting = server.post("/v1/paintings", body).json["id"]
        server.wait_until(lambda: server.get(f"/v1/paintings/{painting}").json["status"] == "done")
        return server.get(f"/v1/paintings/{painting}/pictures/0").body

    return ask


def turn(*turns: dict[str, Any]) -> Ask:
    """Return how the file of the last of some turns is asked for."""

    def ask(server: Server) -> bytes:
        session = server.post("/v1/sessions", {}).json["id"]
        for number, said in enumerate(turns):
            server.post(f"/v1/sessions/{session}/turns", said)
            address = f"/v1/sessions/{session}/turns/{number}/picture"
            server.wait_until(lambda address=address: server.get(address).status == 200)  # type: ignore[misc]
        return server.get(address).body

    return ask


def response(server: Server) -> bytes:
    body = {"input": "a red car", "tools": [{"type": "image_generation"}]}
    answer = server.post("/v1/responses", body)
    assert answer.status == 200, answer
    (picture,) = (one for one in answer.json["output"] if one["type"] == "image_generation_call")
    return base64.b64decode(picture["result"])


@pytest.mark.parametrize(("ask", "made", "sources"), [
    pytest.param(inline("/v1/images/generations", prompt="a car"), ["c2pa.created"], [], id="generations"),
    pytest.param(inline("/v1/images/edits", prompt="blue", images=[{"image_url": PHOTOGRAPH}]),
                 ["c2pa.opened", "c2pa.edited"], ["parentOf"], id="edits"),
    pytest.param(inline("/v1/segment", image=PHOTOGRAPH), ["c2pa.created"], ["inputTo"], id="segment"),
    pytest.param(download(prompt="a car"), ["c2pa.created"], [], id="painting"),
    pytest.param(download(ability="segment", image=PHOTOGRAPH), ["c2pa.created"], ["inputTo"], id="painted map"),
    pytest.param(turn({"say": "a car"}), ["c2pa.created"], [], id="turn"),
    pytest.param(turn({"say": "a car"}, {"say": "blue", "ability": "edit"}), ["c2pa.opened", "c2pa.edited"],
                 ["parentOf"], id="edit in a session"),
    pytest.param(turn({"say": "a car"}, {"ability": "segment"}), ["c2pa.created"], ["inputTo"], id="map in a session"),
    pytest.param(response, ["c2pa.created"], [], id="response"),
])  # fmt: skip
def test_the_library_finds_every_picture_valid(signing: Server, ask: Ask, made: list[str], sources: list[str]) -> None:
    with c2pa.Reader("image/png", io.BytesIO(ask(signing))) as reader:
        store = json.loads(reader.json())

    active = store["manifests"][store["active_manifest"]]
    actions = [one["action"] for item in active["assertions"] if "actions" in item["label"]
               for one in item["data"]["actions"]]  # fmt: skip
    assert store["validation_state"] == "Valid"
    assert actions == made
    assert [one["relationship"] for one in active.get("ingredients", [])] == sources


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_maps_of_other_formats_are_signed_too(signing: Server, kind: str) -> None:
    content = inline("/v1/segment", image=PHOTOGRAPH, output_format=kind)(signing)

    with c2pa.Reader(f"image/{kind}", io.BytesIO(content)) as reader:
        assert reader.get_validation_state() == "Valid"
