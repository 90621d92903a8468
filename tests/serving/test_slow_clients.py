"""The door's patience, with limits small enough to run out of, in front of an application of a few lines."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from edgevlo.serving.limits import RequestLimits
from edgevlo.serving.web.access import Access
from edgevlo.serving.web.guard import Guard
from edgevlo.serving.web.protocol import protocol

LIMITS = RequestLimits(header_s=0.3, body_s=0.4, body_bytes=1000, body_pieces=20, connections=4, bodies_bytes=1500)
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the whole body and say its length."""
    assert scope["type"] == "http"
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"%4d" % length})


@contextmanager
def listening(limits: RequestLimits) -> Iterator[int]:
    config = uvicorn.Config(
        Guard(echo, Access(), limits), port=0, http=protocol(limits), ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as open_socket:
        thread = threading.Thread(target=server.run, args=([open_socket],))
        thread.start()
        try:
            yield open_socket.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening(LIMITS) as number:
        yield number


def all_of(connection: socket.socket) -> bytes:
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    return answer


def sent(port: int, *pieces: bytes, pause_s: float = 0) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
        connection.shutdown(socket.SHUT_WR)
        return all_of(connection)


def waits(port: int, content: bytes) -> bytes:
    """Send something that is not whole, and wait for what the server does about it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(content)
        return all_of(connection)


def test_a_whole_request_is_answered(port: int) -> None:
    assert sent(port, HEAD + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc").endswith(b"   3")


@pytest.mark.parametrize("begun", [b"", b"G", b"POST / HTTP/1.1\r\nHost: loc", HEAD])
def test_headers_that_never_end_close_the_connection(port: int, begun: bytes) -> None:
    began = time.monotonic()

    assert waits(port, begun) == b""
    assert time.monotonic() - began < 5


def test_headers_that_come_by_drops_close_the_connection_too(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.settimeout(0.02)
        for letter in HEAD + b"X: " + b"y" * 100:
            connection.sendall(bytes([letter]))
            with contextlib.suppress(TimeoutError):
                assert connection.recv(1) == b""
                return
    pytest.fail("the connection stayed open")


def test_headers_of_a_second_request_have_to_end_too(port: int) -> None:
    whole = HEAD + b"Content-Length: 0\r\n\r\n"

    assert waits(port, whole + b"POST / HT").endswith(b"   0")


def test_a_body_that_does_not_come_is_a_408(port: int) -> None:
    answer = waits(port, HEAD + b"Content-Length: 10\r\nConnection: close\r\n\r\nabc")

    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"slow_request"' in answer


@pytest.mark.parametrize(("pieces", "size"), [(1, 2000), (30, 1)])
def test_a_body_of_too_many_bytes_or_pieces_is_a_413(port: int, pieces: int, size: int) -> None:
    body = b"%x\r\n" % size + b"a" * size + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(pieces):
            connection.sendall(body)
            time.sleep(0.005)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code":"request_too_large"' in answer


def test_bodies_of_many_requests_together_are_bounded() -> None:
    head = HEAD + b"Connection: close\r\nContent-Length: 1000\r\n\r\n"
    with listening(replace(LIMITS, body_s=30)) as number:
        with socket.create_connection(("127.0.0.1", number)) as first:
            first.sendall(head + bytes(900))
            time.sleep(0.1)
            refused = waits(number, head + bytes(900))
        time.sleep(0.1)
        answered = waits(number, head + bytes(1000))

    assert refused.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 5" in refused
    assert b'"code":"busy"' in refused
    assert answered.endswith(b"1000")


def test_more_connections_than_there_may_be_are_refused_in_words() -> None:
    with listening(replace(LIMITS, header_s=30)) as number:
        silent = [socket.create_connection(("127.0.0.1", number)) for _ in range(LIMITS.connections)]
        refused = waits(number, b"")
        for connection in silent:
            connection.close()
        time.sleep(0.1)
        answered = sent(number, HEAD + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc")

    assert refused.startswith(b"HTTP/1.1 503")
    assert b'"type":"server_error"' in refused
    assert answered.endswith(b"   3")
