"""Whatever comes in: an error in OpenAI's form with the right status, and the next client is served."""

import io
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from serving_fixtures import Answered, Server, data_uri, png

EDITS, GENERATIONS = "/v1/images/edits", "/v1/images/generations"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def next_client_is_served(server: Server) -> Iterator[None]:
    """Paint after every test, whatever it did."""
    yield
    assert server.post(GENERATIONS, {"prompt": "a", "size": "4x4"}).status == 200


def edit(server: Server, picture: str) -> Answered:
    return server.post(EDITS, {"prompt": "a", "image": picture})


def raw(server: Server, sent: bytes, *, then: bytes = b"", pause_s: float = 0) -> bytes:
    """Send bytes as they are and return everything that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(sent)
        if then:
            time.sleep(pause_s)
            connection.sendall(then)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
            head, _, body = answer.partition(b"\r\n\r\n")
            if (length := _length(head)) is not None and len(body) >= length:
                break
        return answer


def _length(head: bytes) -> int | None:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return None


def error_of(answer: bytes) -> tuple[int, str]:
    """Return status and message of a raw answer that is an error of the right form."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/json" in head.lower()
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return int(head.split()[1]), error["message"]


def bomb(width: int, height: int) -> bytes:
    """Return a PNG that says it has so many pixels, and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def animation(frames: int) -> bytes:
    buffer = io.BytesIO()
    pictures = [Image.new("RGB", (16, 16), (number % 256, number // 256, 9)) for number in range(frames)]
    pictures[0].save(buffer, "WEBP", save_all=True, append_images=pictures[1:], duration=10, method=0)
    return buffer.getvalue()


# Pictures.


@pytest.mark.parametrize("address", [
    "http://127.0.0.1/a.png", "https://example.com/a.png", "http:\\\\127.0.0.1\\a", "file:///etc/passwd", "/etc/passwd",
    "ftp://a/b", "//a/b", "gopher://a", "", "data", "DATA:IMAGE/PNG;BASE64,AAAA", "http://[::1]/", "a.png",
])  # fmt: skip
def test_addresses_and_paths_are_never_followed(server: Server, address: str) -> None:
    refused = edit(server, address)

    assert refused.status == 400
    assert refused.error["param"] == "image"


@pytest.mark.parametrize("picture", [
    "data:text/html;base64,PHNjcmlwdD4=", "data:image/svg+xml;base64,PHN2Zy8+", "data:image/png,raw",
    "data:image/png;base64,not base64!", "data:image/png;base64,", data_uri(b"%PDF-1.7"), data_uri(b"\x89PNG"),
    "data:image/gif;base64,R0lGODlhAQABAAAAACw=", data_uri(b"RIFF\x00\x00\x00\x00WAVE"),
])  # fmt: skip
def test_what_is_no_picture_is_refused(server: Server, picture: str) -> None:
    refused = edit(server, picture)

    assert (refused.status, refused.error["code"]) == (400, "invalid_image")


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (0, 5), (5, 0), (1, 100_000), (2**31, 1)])
def test_decompression_bombs_and_empty_pictures_are_refused_before_they_are_decoded(
    server: Server, size: tuple[int, int]
) -> None:
    server.post("/v1/images/generations", {"prompt": "a"})  # opens the model
    time.sleep(0.6)  # until the worker has said its size
    before = server.health()["models"][0]["resident_bytes"]
    refused = edit(server, data_uri(bomb(*size)))

    assert (refused.status, refused.error["param"]) == (400, "image")
    time.sleep(0.6)  # until the worker has said its size again
    assert server.health()["models"][0]["resident_bytes"] < before + 50_000_000


def test_degenerate_pictures_are_read(server: Server) -> None:
    for size in ((1, 1), (1, 300), (300, 1)):
        assert edit(server, data_uri(png(*size))).status == 200


def test_of_many_frames_the_first_is_read(server: Server) -> None:
    answer = server.post("/v1/ask", {"question": "where is it", "image": data_uri(animation(300), "webp")})

    assert answer.status == 200
    assert any("animated" in note for note in answer.json["notes"])


def test_damaged_pictures_are_refused_and_nothing_of_memory_is_told(server: Server) -> None:
    whole = png(64, 64)
    for damaged in (whole[:40], whole[:33] + bytes(40), whole[:20] + b"\xff" * 200, b"\xff\xd8\xff" + bytes(100)):
        refused = edit(server, data_uri(damaged))
        assert refused.status == 400, damaged
        assert "0x" not in refused.error["message"]


# Bodies.


@pytest.mark.parametrize("body", [
    b"", b"{", b"null", b"[]", b'"a"', b"5", b"\xff\xfe", b'{"prompt": NaN}', b'{"prompt": "a", "top_p": NaN}',
    b'{"prompt": "a", "temperature": Infinity}', b'{"prompt": "a", "temperature": 1e400}', b'{"prompt": "\xc3"}',
    b'{"prompt": "\\ud800"}', b'{"prompt": "a"} trailing', b'{"prompt": "a", "seed": 1e30}', b'{"prompt": ["a"]}',
    b'{"prompt": "a", "seed": 99999999999999999999999999}', b'{"prompt": {"a": 1}}', b'{"prompt": 1}', b'{"n": 1}',
    b'{"prompt": "a", "n": true}', b'{"prompt": "a", "n": 1.5}', b'{"prompt": "a", "stream": "yes"}',
    b'{"prompt": "a", "size": [4, 4]}', b'{"prompt": "a", "__proto__": {}}', b'{"prompt": "a", "": 1}',
    b"[" * 100_000, b'{"a":' * 50_000, b'{"prompt": "a", "model": ""}', b'{"prompt": "a", "size": "4x4x4"}',
    b'{"prompt": "a", "size": "-4x4"}', b'{"prompt": "a", "size": "9999999999x1"}', b'{"prompt": "a", "top_k": -1}',
])  # fmt: skip
def test_bodies_that_are_wrong_in_any_way(server: Server, body: bytes) -> None:
    refused = server.request("POST", GENERATIONS, body, JSON)

    assert refused.status in (400, 404)  # 404: a model of that name is not there
    assert refused.error["message"]


@pytest.mark.parametrize("name", ["a", "", "a`b", "a` - at `$.b", "a\nb", "x" * 10_000])
def test_unknown_fields_are_named_wherever_they_stand(server: Server, name: str) -> None:
    refused = server.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "a", name: 1}]})

    assert (refused.status, refused.error["code"]) == (400, "unknown_parameter")
    assert refused.error["param"].startswith("messages[0].")
    assert len(refused.error["message"]) < 200


@pytest.mark.parametrize("model", ["../toy", "/etc/passwd", "toy/../toy", "..%2ftoy", "toy\x00", "~", ".", "a" * 256])
def test_models_are_names_and_never_paths(server: Server, model: str) -> None:
    refused = server.post(GENERATIONS, {"prompt": "a", "model": model})

    assert (refused.status, refused.error["code"]) == (404, "model_not_found")
    assert server.get(f"/v1/models/{model.encode().hex()}").status == 404


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp", "text/json"]
)
def test_json_has_to_say_that_it_is(server: Server, kind: str) -> None:
    refused = server.request("POST", GENERATIONS, b'{"prompt": "a"}', {"Content-Type": kind})

    assert refused.status == 415
    assert refused.error


MULTIPART = "multipart/form-data; boundary=edge"
PART = b'--edge\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\r\n'
FILE = b'--edge\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'


@pytest.mark.parametrize(("kind", "body"), [
    ("multipart/form-data", PART), ("multipart/form-data; boundary=", PART), (MULTIPART, b""), (MULTIPART, b"nothing"),
    (MULTIPART, PART), (MULTIPART, PART + FILE + png()), (MULTIPART, PART * 100 + b"--edge--\r\n"),
    (MULTIPART, (FILE + png() + b"\r\n") * 17 + PART + b"--edge--\r\n"), (MULTIPART, PART * 2 + b"--edge--\r\n"),
    (MULTIPART, b"--edge\r\nContent-Disposition: form-data\r\n\r\na\r\n--edge--\r\n"),
    (MULTIPART, b"--edge\r\n" + b"X: y\r\n" * 5000 + b"\r\na\r\n--edge--\r\n"),
    (MULTIPART, b"--edge\r\nX: " + b"y" * 200_000 + b"\r\n\r\na\r\n--edge--\r\n"),
    (MULTIPART, PART.replace(b"a\r\n", b"y" * 2_000_000 + b"\r\n") + b"--edge--\r\n"),
    (MULTIPART, PART + PART.replace(b"prompt", b"image").replace(b"a\r\n", b"http://a/b\r\n") + b"--edge--\r\n"),
    (MULTIPART, PART + FILE + b"no picture\r\n--edge--\r\n"), (MULTIPART, PART + FILE + b"\r\n--edge--\r\n"),
    ("multipart/form-data; boundary=" + "e" * 300, PART),
    ("multipart/form-data; boundary=edge; charset=nothing", b"\xff"),
    ("multipart/form-data; " + "a=b; " * 2000 + "boundary=edge", PART),
])  # fmt: skip
def test_malformed_forms(server: Server, kind: str, body: bytes) -> None:
    refused = server.request("POST", EDITS, body, {"Content-Type": kind})

    assert refused.status in (400, 413)
    assert refused.error["message"]


def test_fields_of_forms_are_as_strict_as_json(server: Server) -> None:
    for name, value in (("n", "x"), ("seed", "1.5"), ("top_p", "nan"), ("stream", "maybe"), ("temperature", "inf")):
        field = f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        body = PART + field + FILE + png() + b"\r\n--edge--\r\n"
        refused = server.request("POST", EDITS, body, {"Content-Type": MULTIPART})
        assert (refused.status, refused.error["param"]) == (400, name)


def form(*parts: bytes) -> bytes:
    return b"".join(b"--edge\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--edge--\r\n"


PROMPT, IMAGE = b'name="prompt"\r\n', b'name="image"; filename="a.png"\r\n\r\n' + png()


@pytest.mark.parametrize(("body", "param"), [
    (form(PROMPT + b"\r\nein M\xe4dchen", IMAGE), "prompt"), (form(PROMPT + b"\r\n\xff\xfea\0", IMAGE), "prompt"),
    (form(PROMPT + b"\r\n\xed\xa0\x80", IMAGE), "prompt"),
    (form(PROMPT + b"\r\na", b'name="n"\r\n\r\n\xb2', IMAGE), "n"),
    (form(PROMPT + b"Content-Type: text/plain; charset=utf-16\r\n\r\na\0", IMAGE), "prompt"),
    (form(PROMPT + b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a" * 500_000, IMAGE), "prompt"),
    (form(PROMPT + b"Content-Type: text/plain; charset=us-ascii\r\n\r\n\xe4", IMAGE), "prompt"),
    (form(PROMPT + b"\r\na", b'name="image"\r\n\r\n' + png()), "image"),
])  # fmt: skip
def test_fields_that_are_not_in_their_charset_are_refused_by_name(server: Server, body: bytes, param: str) -> None:
    refused = server.request("POST", EDITS, body, {"Content-Type": MULTIPART})

    assert (refused.status, refused.error["param"], refused.error["code"]) == (400, param, "invalid_encoding")


@pytest.mark.parametrize("charset", ["nothing", "utf-16", "zlib", "idna", "undefined", "'"])
def test_a_form_in_a_charset_that_is_not_read_is_refused(server: Server, charset: str) -> None:
    body = form(PROMPT + b"\r\na", IMAGE)
    refused = server.request("POST", EDITS, body, {"Content-Type": f"{MULTIPART}; charset={charset}"})

    assert (refused.status, refused.error["code"]) == (400, "invalid_encoding")


def test_fields_are_read_in_the_charset_that_they_say(server: Server) -> None:
    said = (
        PROMPT + "\r\nmake it blue, Mädchen".encode(),
        PROMPT + "Content-Type: text/plain; charset=ISO-8859-1\r\n\r\nmake it blue, Mädchen".encode("latin-1"),
    )
    painted = [
        server.request("POST", EDITS, form(one, b'name="seed"\r\n\r\n3', IMAGE), {"Content-Type": MULTIPART}).json
        for one in said
    ]
    assert painted[0]["data"] == painted[1]["data"]


@pytest.mark.parametrize("body", [
    form(PROMPT + b"\r\na", IMAGE)[:-10], form(IMAGE, PROMPT + b"\r\na", b'name="seed"\r\n\r\n3')[:-10],
    form(IMAGE, PROMPT + b"\r\na") .removesuffix(b"--edge--\r\n"), form(IMAGE, PROMPT + b"\r\na")[:-4],
])  # fmt: skip
def test_a_form_that_breaks_off_is_refused(server: Server, body: bytes) -> None:
    refused = server.request("POST", EDITS, body, {"Content-Type": MULTIPART})

    assert refused.status == 400
    assert "breaks off" in refused.error["message"]


@pytest.mark.parametrize("body", [
    form(PROMPT + b"\r\na", IMAGE)[:-2], form(PROMPT + b"\r\na", IMAGE) + b"more" * 1000,
])  # fmt: skip
def test_what_follows_a_form_does_not_matter(server: Server, body: bytes) -> None:
    assert server.request("POST", EDITS, body, {"Content-Type": MULTIPART}).status == 200


@pytest.mark.parametrize("kind", [
    "multipart/form-data; boundary=\"edge", "multipart/form-data; boundary=ed ge", "multipart/mixed; boundary=edge",
    "multipart/form-data; boundary*=utf-8''edge", "multipart/form-data; boundary=edge; boundary=other",
])  # fmt: skip
def test_boundaries_that_are_none(server: Server, kind: str) -> None:
    refused = server.request("POST", EDITS, form(PROMPT + b"\r\na", IMAGE), {"Content-Type": kind})

    assert refused.status in (400, 415)
    assert refused.error["message"]


@pytest.mark.parametrize("part", [
    b"name*=utf-8''prompt\r\n\r\na", b'name=""\r\n\r\na', b'name="a\0b"\r\n\r\na', b'name="\xff"\r\n\r\na',
    b'name="prompt"; filename="p.txt"\r\n\r\na', b'name="svg[model]"\r\n\r\na', b'name="images"\r\n\r\n[]',
    b'name="mask"; filename=""\r\n\r\n', b'name="image"; filename=""\r\n\r\n',
    b'name="image"; filename="a.png"\r\nContent-Transfer-Encoding: base64\r\n\r\naGFsbG8=',
    b'name="image"\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\na\r\n--in--',
    b'name="image"; filename="a.png"\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na',
    b'name="a"\r\n' + b"X" * 20_000 + b": y\r\n\r\na", b'name="a"\r\nX: ' + b"y" * 20_000 + b"\r\n\r\na",
])  # fmt: skip
def test_parts_that_are_not_what_they_should_be(server: Server, part: bytes) -> None:
    body = form(PROMPT + b"\r\na", IMAGE, part)
    refused = server.request("POST", EDITS, body, {"Content-Type": MULTIPART})

    assert refused.status == 400
    assert refused.error["message"]


def test_a_picture_may_be_a_long_field(server: Server) -> None:
    noise = Image.effect_noise((900, 900), 100)
    buffer = io.BytesIO()
    noise.save(buffer, "PNG", compress_level=0)
    uri = data_uri(buffer.getvalue()).encode()
    body = form(PROMPT + b"\r\na", b'name="image"\r\n\r\n' + uri)

    assert len(uri) > 1_000_000
    assert server.request("POST", EDITS, body, {"Content-Type": MULTIPART}).status == 200


def test_a_body_that_says_it_is_too_large_is_not_waited_for(server: Server) -> None:
    head = b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    status, message = error_of(raw(server, head + b"Content-Length: 10000000000\r\n\r\n{"))

    assert status == 413
    assert "at most 64 MB" in message


def test_a_body_without_end_is_cut_off(server: Server) -> None:
    head = b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(80):
                connection.sendall(piece)
        except OSError:
            pass  # the server has had enough, and what it said is read below or lost with the connection
        try:
            answer = connection.recv(65536)
        except OSError:
            answer = b""
    assert not answer or error_of(answer)[0] == 413


# JSON.


@pytest.mark.parametrize(("body", "param"), [
    (b'{"prompt": "a", "temperature": 1e400}', "temperature"), (b'{"prompt": "a", "top_p": -1e400}', "top_p"),
    (b'{"prompt": "a", "seed": 1e400}', "seed"), (b'{"prompt": "a", "seed": ' + b"9" * 5000 + b"}", "seed"),
    (b'{"prompt": "a", "prompt": "b"}', "prompt"), (b'{"prompt": "a", "n": 1, "\\u006e": 2}', "n"),
    (b'{"prompt": "a", "model": "toy", "model": "toy"}', "model"),
    (b'{"prompt": ' + b"[" * 200_000, "prompt"), (b'{"prompt": "a", "x": ' + b'{"a":' * 100_000, "x"),
    (b'{"prompt": "\\ud800"}', None), (b'{"prompt": "a", "user": "\\udfff"}', None), (b'{"\\ud800": 1}', None),
    (b'{"prompt": "\xed\xa0\x80"}', None), ('{"prompt": "a"}'.encode("utf-16"), None), (b'{"prompt": "a"} b', None),
    (b'{"prompt": "a"}{"prompt": "b"}', None), (b"", None), (b"\xef\xbb\xbf", None), (b"null", None),
    (b'{"prompt": "a", "temperature": NaN}', None), (b"{'prompt': 'a'}", None), (b'{"prompt": "a"/**/}', None),
])  # fmt: skip
def test_json_that_cannot_be(server: Server, body: bytes, param: str | None) -> None:
    refused = server.request("POST", GENERATIONS, body, JSON)

    assert (refused.status, refused.error["param"]) == (400, param)


def test_a_field_that_is_given_twice_is_refused_wherever_it_stands(server: Server) -> None:
    body = b'{"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "text": "b"}]}]}'
    refused = server.request("POST", "/v1/chat/completions", body, JSON)

    assert (refused.status, refused.error["message"]) == (400, "'text' is given twice; send it once.")


def test_a_byte_order_mark_is_no_part_of_json(server: Server) -> None:
    assert server.request("POST", GENERATIONS, b'\xef\xbb\xbf{"prompt": "a", "size": "4x4"}', JSON).status == 200


# HTTP itself.


@pytest.mark.parametrize(("sent", "status"), [
    (b"nonsense\r\n\r\n", 400), (b"GET\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100_000, 431),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", 431),
    (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", 400),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\na", 501),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
     b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404), (b"TRACE /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n", 404), (b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"DELETE /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"GET //v1//models HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /v1/paintings/a/pictures/" + b"9" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /v1/sessions/a/turns/" + b"9" * 5000 + b"/picture HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /health\r\n\r\n", 400),
    (b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
    (b"GET http://evil.example/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
    (b"GET http:///v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
    (b"GET http://localhost:80:80/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
    (b"GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET ftp://localhost/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"OPTIONS /v1/ask HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nOrigin: http://a\r\n\r\n", 400),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n\r\n", 400),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Type: application/json\r\n\r\n", 400),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", 415),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n", 413),
    (b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n", 404),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: +1\r\n\r\na", 400),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
    (b"GET /v1/models/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /v1/responses/%00-0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /v1/paintings/..%2f..%2fetc HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /v1/responses/a?%00=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /v1/mod\0els HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 200_000, 431),
    (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 20_000, 431),
])  # fmt: skip
def test_whatever_is_said_in_http_has_an_answer_of_the_same_form(server: Server, sent: bytes, status: int) -> None:
    assert error_of(raw(server, sent))[0] == status


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "[::2]",
        "192.168.1.7",
        "",
        "a b",
        "@",
        "localhost@evil",
        "localhost:80@evil",
        "localhost:80:80",
        "localhost:x",
        "localhost:999999",
        "[::1]evil.example",
        "[::1",
        "[localhost]",
    ],
)
def test_a_name_that_is_not_ours_is_refused(server: Server, host: str) -> None:
    sent = f"GET /v1/models HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    status, message = error_of(raw(server, sent))

    assert status in (400, 403)
    assert status == 400 or "--allow-host" in message


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]:80", "[::1]"])
def test_our_own_names_are_answered(server: Server, host: str) -> None:
    assert server.get("/v1/models", Host=host).status == 200


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"}, {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "file://"},
    {"Origin": "https://127.0.0.1.evil.example"},
])  # fmt: skip
def test_pages_of_other_sites_are_refused(server: Server, headers: dict[str, str]) -> None:
    refused = server.post(GENERATIONS, {"prompt": "a"}, **headers)

    assert (refused.status, refused.error["code"]) == (403, "origin_not_allowed")


BODY = b'{"prompt": "a", "size": "4x4"}'
POST = b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SIZED = POST + b"Content-Length: %d\r\n" % len(BODY)
CHUNKS = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("sent", [
    SIZED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n" + BODY,
    SIZED.replace(b" /v1", b" http://localhost/v1") + b"Connection: close\r\n\r\n" + BODY,
    CHUNKS + b"Trailer: X-A\r\n\r\n%x;a=b\r\n" % len(BODY) + BODY + b"\r\n0\r\nX-A: b\r\nAuthorization: c\r\n\r\n",
    CHUNKS + b"\r\n" + b"".join(b"1\r\n%c\r\n" % letter for letter in BODY) + b"0\r\n\r\n",
    SIZED + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(BODY) + BODY,
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3 + SIZED + b"Connection: close\r\n\r\n" + BODY,
])  # fmt: skip
def test_http_that_is_seldom_spoken_is_understood(server: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(sent)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece

    last = answer[answer.rindex(b"HTTP/1.1") :]
    assert last.startswith(b"HTTP/1.1 200")
    assert b'"b64_json"' in last


def test_a_body_that_was_announced_is_asked_for(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(SIZED + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(BODY)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/v1/models", "/health", "/v1/ask", "/nothing"])
def test_head_is_answered_without_a_body(server: Server, path: str) -> None:
    answer = server.request("HEAD", path)

    assert answer.body == b""
    assert answer.status == server.get(path).status


@pytest.mark.parametrize("path", ["/v1/images/edits", "/v1/responses", "/v1/chat/completions", "/v1/ask"])
def test_a_client_that_leaves_in_any_phase_leaves_nothing_behind(
    start: Callable[..., Server], slow_toy: Path, path: str
) -> None:
    server = start("-m", str(slow_toy))
    picture = data_uri(png())
    part = {"type": "image_url", "image_url": {"url": picture}}
    body = json.dumps({
        "/v1/images/edits": {"prompt": "a", "image": picture, "stream": True, "partial_images": 2},
        "/v1/responses": {"input": "a red car", "tools": [{"type": "image_generation"}], "store": False},
        "/v1/chat/completions": {"messages": [{"role": "user", "content": [part, {"type": "text", "text": "a"}]}]},
        "/v1/ask": {"question": "a", "image": picture},
    }[path]).encode()  # fmt: skip
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    sent = head % (path.encode(), len(body)) + body
    for length, pause_s in (
        (9, 0),
        (len(sent) - len(body), 0),
        (len(sent) - 5, 0.02),
        (len(sent), 0),
        (len(sent), 0.1),
    ):
        for reset in (False, True):
            connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
            for connection in connections:  # one is worked on, and the others wait
                connection.sendall(sent[:length])
            time.sleep(pause_s)
            for connection in connections:
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
    server.wait_until(lambda: server.health()["queue"] | {"places": 0} == {"waiting": 0, "running": 0, "places": 0})

    assert server.post(GENERATIONS, {"prompt": "a", "size": "4x4"}).status == 200
    assert "error" not in [json.loads(line)["level"] for line in server.log.read_text().splitlines()]


def test_pages_and_apps_that_may_call_it_do_and_read_the_answer(
    start: Callable[..., Server], toy: Path, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("a-key")
    app, page = "tauri://localhost", "https://chat.example:8443"
    server = start("-m", str(toy), "--allow-origin", app, "--allow-origin", f"{page}/", "--api-key-file",
                   str(tmp_path / "keys"))  # fmt: skip
    key = {"Authorization": "Bearer a-key", "Sec-Fetch-Site": "cross-site"}
    for origin in (app, page):
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, x-a"}
        before = server.request("OPTIONS", GENERATIONS, headers={"Origin": origin, **asked})
        answer = server.post(GENERATIONS, {"prompt": "a", "size": "4x4"}, Origin=origin, **key)
        refused = server.post(GENERATIONS, {"prompt": "a"}, Origin=origin)

        assert (before.status, before.body) == (204, b"")
        assert before.headers["access-control-allow-headers"] == "authorization, x-a"
        assert "DELETE" in before.headers["access-control-allow-methods"]
        assert (answer.status, refused.status) == (200, 401)
        for one in (before, answer, refused):
            assert (one.headers["access-control-allow-origin"], one.headers["vary"]) == (origin, "origin")
    for origin in ("https://chat.example", "http://localhost.evil", "null", "tauri://localhost.evil"):
        refused = server.request("OPTIONS", GENERATIONS, headers={"Origin": origin, **asked})
        assert (refused.status, refused.error["code"]) == (403, "origin_not_allowed")
        assert "access-control-allow-origin" not in refused.headers
    assert server.request("OPTIONS", GENERATIONS, headers={"Origin": app, "Host": "evil", **asked}).status == 403


@pytest.mark.parametrize("origin", ["*", "chat.example", "https://", "https://a/b", "https://a,https://b", ""])
def test_what_is_no_origin_is_refused(origin: str, capsys: pytest.CaptureFixture[str]) -> None:
    from edgevlo.cli import run

    assert run(["serve", "--port", "0", "--allow-origin", origin]) == 1
    assert "is not an origin" in capsys.readouterr().err


def test_a_method_is_repeated_in_short(server: Server) -> None:
    status, message = error_of(raw(server, b"A" * 3000 + b" /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"))

    assert status == 405
    assert len(message) < 100


def test_whatever_was_sent_the_log_is_lines_of_json_without_a_traceback(
    start: Callable[..., Server], toy: Path
) -> None:
    server = start("-m", str(toy))
    head = b"POST /v1/images/edits HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\nContent-Type: "
    upgrade = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    begun = (head + b"application/json\r\n\r\n{", head + MULTIPART.encode() + b"\r\n\r\n" + PART)
    for sent in (b"nonsense\r\n\r\n", upgrade, *begun):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(sent)
            time.sleep(0.1)
    assert server.post(GENERATIONS, {"prompt": "a"}).status == 200

    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert "traceback" not in json.dumps(lines).lower()
    assert "Invalid HTTP request received." in [line.get("message") for line in lines]


def test_our_own_page_is_answered_and_no_other_may_read_the_answer(server: Server) -> None:
    host = f"localhost:{server.port}"
    answer = server.post(GENERATIONS, {"prompt": "a"}, Host=host, Origin=f"http://{host}")

    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_connections_that_say_nothing_keep_nobody_out(server: Server) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    try:
        for number, connection in enumerate(silent):
            connection.sendall(b"POST /v1/images/generations HTTP/1.1\r\nHost: local"[: number % 50])
        assert server.post(GENERATIONS, {"prompt": "a"}).status == 200
    finally:
        for connection in silent:
            connection.close()


# Keys.


def test_keys_are_asked_for_and_only_the_right_one_opens(
    start: Callable[..., Server], toy: Path, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("first-key\nsecond-key\n", encoding="utf-8-sig")  # as Notepad saves it
    locked = start("-m", str(toy), "--api-key-file", str(tmp_path / "keys"))

    for header in (
        "",
        "Bearer",
        "Bearer ",
        "Bearer first",
        "Bearer first-key2",
        "Basic first-key",
        "first-key",
        "Bearer sécond".encode().decode("latin-1"),
    ):
        refused = locked.post(GENERATIONS, {"prompt": "a"}, Authorization=header)
        assert (refused.status, refused.error["code"]) == (401, "invalid_api_key"), header
        assert refused.headers["www-authenticate"] == "Bearer"
    assert locked.get("/v1/models").status == 401
    for key in ("first-key", "second-key"):
        assert locked.post(GENERATIONS, {"prompt": "a"}, Authorization=f"Bearer {key}").status == 200
        assert locked.post(GENERATIONS, {"prompt": "a"}, Authorization=f"bearer  {key}").status == 200
    assert locked.get("/ready").status == 200
    assert "first-key" not in locked.log.read_text()
