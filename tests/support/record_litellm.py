"""Record what LiteLLM's client sends: `python record_litellm.py URL` in an environment with litellm.

URL is that of a running `edgevlo serve -m tests/support/toy`. Every request goes through this process on its way there
and is written to litellm_requests.json, which a test sends again: LiteLLM brings 60 packages, too many for the suite.
"""

import base64
import http.client
import importlib
import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

RECORDED = Path(__file__).with_name("litellm_requests.json")
KEPT = ("content-type", "accept", "user-agent")
requests: list[dict[str, Any]] = []


class Recorder(BaseHTTPRequestHandler):
    """Writes a request down and passes it on."""

    target = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        kept = {name.lower(): value for name, value in self.headers.items() if name.lower() in KEPT}
        requests.append({"path": self.path, "headers": kept, "body": base64.b64encode(body).decode()})
        connection = http.client.HTTPConnection(self.target)
        connection.request("POST", self.path, body, kept)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("content-type", answer.headers["content-type"])
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Make every call through the recorder and write what was sent."""
    litellm: Any = importlib.import_module("litellm")
    Recorder.target = urlsplit(sys.argv[1]).netloc
    recorder = HTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    to = {"api_base": f"http://127.0.0.1:{recorder.server_port}/v1", "api_key": "any"}
    red = _png()
    uri = f"data:image/png;base64,{base64.b64encode(red).decode()}"
    parts = [{"type": "text", "text": "where is it"}, {"type": "image_url", "image_url": {"url": uri}}]
    asked = {"model": "openai/toy", "messages": [{"role": "user", "content": parts}], **to}
    litellm.image_generation(model="openai/toy", prompt="a red car", n=2, size="20x16", user="somebody", **to)
    litellm.image_generation(model="openai/toy", prompt="a red car", extra_body={"seed": 7}, **to)
    litellm.image_edit(model="openai/toy", image=io.BytesIO(red), prompt="blue", **to)
    litellm.image_edit(model="openai/toy", image=[io.BytesIO(red)] * 2, prompt="blue", n=1, size="20x16", **to)
    litellm.completion(**asked)
    list(litellm.completion(**asked, stream=True, stream_options={"include_usage": True}))
    recorded = {"litellm": version("litellm"), "requests": requests}
    RECORDED.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), (255, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
