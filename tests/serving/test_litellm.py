"""What LiteLLM's client sends, as `support/record_litellm.py` recorded it, and what it needs to find in the answers."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving_fixtures import Server, opened

from edgevlo.runtime.model import Model

RECORDED = json.loads((Path(__file__).parents[1] / "support" / "litellm_requests.json").read_text(encoding="utf-8"))
GENERATIONS, EDITS, CHAT = "/v1/images/generations", "/v1/images/edits", "/v1/chat/completions"


def sent(path: str) -> list[dict[str, Any]]:
    return [request for request in RECORDED["requests"] if request["path"] == path]


def answers(server: Server, path: str) -> list[Any]:
    """Send the recorded requests of a path; return what comes back."""
    found = [
        server.request("POST", path, base64.b64decode(request["body"]), request["headers"]) for request in sent(path)
    ]
    assert found
    assert [answer.status for answer in found] == [200] * len(found), found
    return found


def test_every_route_was_recorded() -> None:
    assert {request["path"] for request in RECORDED["requests"]} == {GENERATIONS, EDITS, CHAT}
    assert len(RECORDED["requests"]) == 6


def test_generations(server: Server, model: Model) -> None:
    several, seeded = answers(server, GENERATIONS)

    assert len(several.json["data"]) == 2
    assert several.json["usage"]["output_tokens"] == 2 * 20
    picture = np.asarray(opened(seeded.json["data"][0]["b64_json"]))
    assert np.array_equal(picture, np.asarray(model.paint("a red car", seed=7)))


def test_edits(server: Server) -> None:
    for answer in answers(server, EDITS):
        (picture,) = answer.json["data"]
        assert opened(picture["b64_json"]).size in ((16, 12), (20, 16))


@pytest.mark.parametrize("number", [0, 1])
def test_chat_whole_and_streamed(server: Server, number: int) -> None:
    answer = answers(server, CHAT)[number]

    if number == 0:
        assert answer.json["choices"][0]["message"]["content"]
        assert answer.json["usage"]["prompt_tokens"] > 0
    else:
        chunks = [json.loads(line[6:]) for line in answer.body.splitlines() if line.startswith(b"data: {")]
        assert "".join(one["delta"].get("content", "") for chunk in chunks for one in chunk["choices"])
        assert chunks[-1]["usage"]["total_tokens"] > 0
        assert answer.body.endswith(b"data: [DONE]\n\n")
