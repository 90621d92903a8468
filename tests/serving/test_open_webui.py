"""Open WebUI's requests: pictures as a copy of its `routers/images.py` builds them, chat in OpenAI's form (2026-11)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving_fixtures import Server, data_uri, opened, png, serving

from edgevlo.runtime.model import Model

BOUNDARY = "f8a3e0c2d1b94f7a"  # aiohttp's are 32 hexadecimal digits
SIZE = "512x512"  # Open WebUI's own default


@pytest.fixture(scope="module")
def fitting(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a server as docs/serving.md says it is started for Open WebUI."""
    folder = tmp_path_factory.mktemp("open-webui") / "one"
    with serving(folder, "-m", str(toy), "--fit-sizes") as server:
        yield server


def form(fields: dict[str, str], files: list[tuple[str, str, bytes]]) -> bytes:
    """Return a multipart body as aiohttp writes it: every part with a type and a length of its own."""
    parts = [
        f'Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + value.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'Content-Type: image/png\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'.encode()
        + content
        for name, file, content in files
    ]
    return b"".join(f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def pictures(answer: Any) -> list[Any]:
    """Return the pictures of an answer in the way that Open WebUI reads them: `url` must be missing or empty."""
    assert answer.status == 200, answer.body
    assert not [one for one in answer.json["data"] if one.get("url")]
    return [np.asarray(opened(one["b64_json"])) for one in answer.json["data"]]


HEADERS = {
    "Authorization": "Bearer anything",
    "X-OpenWebUI-User-Name": "A%20Person",
    "X-OpenWebUI-User-Id": "5c0a",
    "X-OpenWebUI-User-Email": "a@example.org",
    "X-OpenWebUI-User-Role": "user",
}


@pytest.mark.parametrize("query", ["", "?api-version=2026-11-01"])
def test_generations(fitting: Server, query: str) -> None:
    body = {"model": "toy", "prompt": "a red car", "n": 2, "size": SIZE, "response_format": "b64_json"}

    answer = fitting.request("POST", f"/v1/images/generations{query}", body, HEADERS)

    first, second = pictures(answer)
    assert first.shape == second.shape
    assert not np.array_equal(first, second)


def test_a_size_left_to_the_model(server: Server) -> None:
    body = {"model": "toy", "prompt": "a red car", "n": 1, "size": "auto", "response_format": "b64_json"}

    (picture,) = pictures(server.request("POST", "/v1/images/generations", body, HEADERS))

    assert picture.shape == (16, 20, 3)


def test_without_fitting_its_default_size_is_refused_with_the_nearest(server: Server) -> None:
    body = {"model": "toy", "prompt": "a red car", "n": 1, "size": SIZE, "response_format": "b64_json"}

    refused = server.request("POST", "/v1/images/generations", body, HEADERS)

    assert (refused.status, refused.error["param"]) == (400, "size")


def test_an_edit_of_one_picture(server: Server, model: Model) -> None:
    fields = {"model": "toy", "prompt": "blue", "response_format": "b64_json", "seed": "3"}
    body = form(fields, [("image", "image.png", png())])
    headers = {**HEADERS, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

    (picture,) = pictures(server.request("POST", "/v1/images/edits", body, headers))

    assert np.array_equal(picture, np.asarray(model.edit(opened(png()), "blue", seed=3)))


def test_an_edit_of_several_pictures(fitting: Server, model: Model) -> None:
    fields = {"model": "toy", "prompt": "both", "n": "1", "size": "20x16", "background": "auto"}
    body = form({**fields, "response_format": "b64_json"}, [("image[]", "image.png", png())] * 2)
    headers = {**HEADERS, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

    (picture,) = pictures(fitting.request("POST", "/v1/images/edits?api-version=2026-11-01", body, headers))

    assert picture.shape == (16, 20, 3)


def test_models_are_listed(server: Server) -> None:
    listed = server.request("GET", "/v1/models", headers=HEADERS).json

    assert listed["object"] == "list"
    assert "toy" in [model["id"] for model in listed["data"]]


def test_a_question_about_an_uploaded_picture(server: Server, model: Model) -> None:
    content = [
        {"type": "text", "text": "where is it"},
        {"type": "image_url", "image_url": {"url": data_uri(png())}},
    ]
    body = {
        "stream": True,
        "model": "toy",
        "messages": [{"role": "user", "content": content}],
        "stream_options": {"include_usage": True},
    }

    answer = server.request("POST", "/v1/chat/completions", body, HEADERS)

    assert answer.status == 200
    assert model.ask(opened(png()), "where is it").encode() in answer.body
    assert answer.body.endswith(b"data: [DONE]\n\n")
