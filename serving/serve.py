"""Run a server until it is told to stop: sockets, signals, and a note for `edgevlo ps` that it is there."""

import asyncio
import secrets
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvicorn

from edgevlo.runtime.errors import RequestError

from . import running_servers
from .api.kiosk import address
from .app import make_app
from .app_state import Answers, Site
from .engine.engine import Engine
from .engine.journal import Journals
from .engine.metrics import Metrics
from .engine.models import Keeping, Models
from .garbage import leave_out_what_is_there
from .limits import HEADER_BYTES, EngineLimits
from .log import Log, library_lines
from .web.access import Access
from .web.protocol import protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that `edgevlo serve` takes. `folders` are the bundles by their names, the default one first."""

    folders: Mapping[str, Path]
    aliases: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 11435
    grace_s: float = 30.0
    version: str = ""
    quiet: bool = False
    journal: Path | None = None  # a folder
    access: Access = field(default_factory=Access)
    limits: EngineLimits = field(default_factory=EngineLimits)
    keeping: Keeping = field(default_factory=Keeping)
    answers: Answers = field(default_factory=Answers)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; what is being painted then is finished, within the grace.

    Raises `RequestError` when the port cannot be had, `BundleError` when a bundle is not one.
    """
    models = Models(settings.folders, settings.aliases, settings.keeping)
    listening = _listen(settings.host, settings.port)
    port = listening.getsockname()[1]
    log = Log(quiet=settings.quiet)
    journals = None if settings.journal is None else Journals(settings.journal, log)
    instance = secrets.token_hex(8)
    note = running_servers.Note(instance=instance, host=settings.host, port=port)

    async def run() -> None:
        answers = _with_address(settings.answers, settings.host, port)
        engine = Engine(models, settings.limits, Metrics(log), journals)
        site = Site(engine=engine, access=settings.access, answers=answers, version=settings.version, instance=instance)
        config = uvicorn.Config(
            make_app(site),
            http=protocol(site.limits),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=round(settings.grace_s),
            h11_max_incomplete_event_size=HEADER_BYTES,
        )
        server = _Server(config)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
        leave_out_what_is_there()
        with running_servers.noted(note):
            log.info("serving", host=settings.host, port=port, models=list(models.served), instance=instance)
            await server.serve(sockets=[listening])
        log.info("stopped", instance=instance)

    with listening, library_lines(log), asyncio.Runner() as runner:
        runner.run(run())


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn's own server raises them again when it has stopped, and ends the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _with_address(answers: Answers, host: str, port: int) -> Answers:
    """Return the answers with the address that the kiosk shows to phones, unless it was given one."""
    if answers.kiosk is None or answers.kiosk.share is not None:
        return answers
    return replace(answers, kiosk=replace(answers.kiosk, share=address(host, port)))


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise `RequestError` when there cannot be one."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise RequestError(
            f"{host}:{port} cannot be served ({error.strerror}); choose another --port, or --host."
        ) from error
    return listening
