"""Asking, detecting and perceiving over HTTP: what the Python API says, in JSON."""

from typing import Any

import numpy as np
import pytest
from serving_fixtures import Server, data_uri, opened, png

from edgevlo.runtime.model import Model

PICTURE = data_uri(png())


def form(fields: dict[str, str], content: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a multipart body and its header."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts.append(b'--edge\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + content)
    return b"".join(parts) + b"\r\n--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


def test_a_question_is_answered(server: Server, model: Model) -> None:
    expected = model.ask(opened(png()), "where is it")

    assert server.post("/v1/ask", {"question": "where is it", "image": PICTURE}).json["answer"] == expected
    by_form = server.request("POST", "/v1/ask", *form({"question": "where is it"}, png()))
    assert by_form.json["answer"] == expected


def test_objects_are_found_and_notes_are_passed_on(server: Server) -> None:
    answer = server.post("/v1/detect", {"objects": ["car"], "image": PICTURE}).json

    assert answer["objects"] == []  # the toy's weights are random: what it says names no box
    assert "names no box" in answer["notes"][0]


def test_segments_come_with_what_their_colours_mean(server: Server, model: Model) -> None:
    answer = server.post("/v1/segment", {"image": PICTURE}).json

    assert np.array_equal(np.asarray(opened(answer["b64_json"])), np.asarray(model.segment(opened(png()))))
    assert answer["labels"] == {"car": [255, 0, 0]}
    assert (answer["size"], answer["output_format"]) == ("16x12", "png")


@pytest.mark.parametrize("ability", ["edges", "boxes", "depth", "normals", "pose"])
def test_what_the_model_lacks_is_said_with_what_it_has(server: Server, ability: str) -> None:
    refused = server.post(f"/v1/{ability}", {"image": PICTURE})

    assert (refused.status, refused.error["code"]) == (400, "unsupported_ability")
    assert "Supported: ask, detect, edit, paint, segment." in refused.error["message"]


@pytest.mark.parametrize(("path", "body", "param"), [
    ("/v1/ask", {"question": "a"}, "image"), ("/v1/ask", {"image": PICTURE}, "question"),
    ("/v1/ask", {"image": PICTURE, "question": ""}, "question"), ("/v1/detect", {}, "image"),
    ("/v1/detect", {"images": [{"image_url": PICTURE}] * 2}, "image"), ("/v1/segment", {"image": 5}, "image"),
    ("/v1/segment", {"image": PICTURE, "objects": ["car"]}, "objects"),
    ("/v1/detect", {"image": PICTURE, "objects": ["x" * 201]}, "objects[0]"),
])  # fmt: skip
def test_what_is_missing_or_wrong_is_named(server: Server, path: str, body: dict[str, Any], param: str) -> None:
    refused = server.post(path, body)

    assert (refused.status, refused.error["param"]) == (400, param)
