"""Lines of the log: one JSON object each, whoever wrote what it says."""

import io
import json
import logging

import pytest

from edgevlo.serving.log import Log, library_lines


def test_what_libraries_log_is_written_in_our_form_and_no_longer_than_we_serve() -> None:
    stream, handlers = io.StringIO(), list(logging.getLogger().handlers)
    with library_lines(Log(stream)):
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").warning("nobody's")
    (line,) = map(json.loads, stream.getvalue().splitlines())

    assert (line["event"], line["source"]) == ("library", "uvicorn.error")
    assert line["message"] == "Invalid HTTP request received."
    assert logging.getLogger().handlers == handlers


def test_a_log_that_cannot_be_written_ends_no_thread_of_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # would print a traceback
    stream = io.StringIO()
    with library_lines(Log(stream)):
        stream.close()
        logging.getLogger("asyncio").warning("unknown child process")
