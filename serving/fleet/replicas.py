"""The deployments of Ray Serve: engines, and doors that reach them by a handle."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ray import serve
from ray.exceptions import RayActorError, TaskCancelledError, WorkerCrashedError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, ReplicaUnavailableError
from ray.serve.handle import DeploymentHandle
from starlette.types import ASGIApp, Message

from edgevlo.runtime.c2pa.sign import prepare

from ..api.metrics import page
from ..api.status import describe
from ..app import make_routes
from ..app_state import Answers, Site
from ..engine.engine import Engine
from ..engine.journal import Journals
from ..engine.metrics import Metrics
from ..engine.models import Keeping, Models
from ..limits import EngineLimits
from ..log import Log
from ..web.access import Access
from .answer_messages import answering
from .door import BusyError, ReplicaLostError, make_door
from .request_message import Asked

_LOST: Final = (RayActorError, WorkerCrashedError, ReplicaUnavailableError, DeploymentUnavailableError)
_TICK_S: Final = 0.2
_START_S: Final = 30.0  # from an engine's taking up what another left to being reached


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What each engine takes. `folders` is called where the engine is: bundles may lie elsewhere on another node."""

    folders: Callable[[], Mapping[str, Path]]
    aliases: Mapping[str, str] = field(default_factory=dict)
    journal: Path | None = None  # a folder that all nodes share
    version: str = ""
    quiet: bool = False
    limits: EngineLimits = field(default_factory=EngineLimits)
    keeping: Keeping = field(default_factory=Keeping)
    answers: Answers = field(default_factory=Answers)


class EngineReplica:
    """One engine with its models; it counts as started when the first of them is open."""

    async def __init__(self, settings: EngineSettings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._name: str = serve.get_replica_context().replica_id.unique_id
        if settings.answers.c2pa:
            prepare()  # each node signs with a key of its own
        log = Log(quiet=settings.quiet)
        journals = None if settings.journal is None else Journals(settings.journal, log)
        models = Models(settings.folders(), settings.aliases, settings.keeping)
        self._engine = Engine(models, settings.limits, Metrics(log), journals, owner=self._name)
        self._site = Site(
            engine=self._engine,
            access=Access(),
            answers=settings.answers,
            version=settings.version,
            instance=self._name,
        )
        self._app = make_routes(self._site)
        await models.ready(models.default)
        self._engine.start()

    async def answer(self, asked: Asked, *, owner: str | None = None) -> AsyncGenerator[Message]:
        """Yield the answer to a request; the router has read the owner."""
        async for message in answering(self._app, asked, self._name):
            yield message

    # What follows is asked by the door; not coroutines would run on other threads than the engine.

    async def has(self, name: str) -> tuple[str | None, bool]:
        """Return this engine's name if it has a painting, taking up one that was left; and whether anybody has it."""
        if self._engine.find(name) is None:
            self._engine.take_up(name)
        return (None if self._engine.find(name) is None else self._name), self._engine.is_somewhere(name)

    async def health(self) -> dict[str, Any]:
        """Return what the engine is doing."""
        return {**describe(self._site), "ready": self._engine.is_ready}

    async def metrics(self) -> tuple[str, str]:
        """Return the engine's name and its metrics."""
        return self._name, page(self._engine)

    async def __del__(self) -> None:
        """End, when everything that was taken is over; Ray waits for `graceful_shutdown_timeout_s`."""
        while self._engine.waiting or self._engine.running:
            await asyncio.sleep(_TICK_S)
        await self._engine.close()


class RayFleet:
    """The engines behind a deployment's handle."""

    def __init__(self, engines: DeploymentHandle) -> None:
        self._engines = engines
        self._finishing: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked, owner: str | None) -> AsyncGenerator[Message]:
        """Yield what an engine answers; the call goes on behind the answer, until the engine's work is over."""
        call = self._engines.options(stream=True).answer.remote(asked, owner=owner)
        whole = False
        try:
            async for message in call:
                whole = message["type"] == "http.response.body" and not message.get("more_body", False)
                yield message
                if whole:
                    return
        except BackPressureError as error:
            raise BusyError from error
        except _LOST as error:
            raise ReplicaLostError from error
        finally:
            if whole:
                self._finish(call)
            else:
                call.cancel()
        if not whole:
            raise ReplicaLostError

    async def holder(self, name: str) -> str | None:
        """Return the engine that has a painting now, after letting each take it up; wait for one that only starts."""
        until = time.monotonic() + _START_S
        while True:
            said = await self._each("has", name)
            found = next((holder for holder, _ in said if holder is not None), None)
            if found is not None or not any(is_somewhere for _, is_somewhere in said) or time.monotonic() > until:
                return found
            await asyncio.sleep(_TICK_S)

    async def health(self) -> list[dict[str, Any]]:
        """Return what each engine is doing."""
        return await self._each("health")

    async def metrics(self) -> Mapping[str, str]:
        """Return the metrics of each engine, by its name."""
        return dict(await self._each("metrics"))

    async def _each(self, method: str, *arguments: object) -> list[Any]:
        """Return what those engines say that are there."""
        said = await self._engines.broadcast(method, *arguments).results_async(return_exceptions=True)
        for one in said:
            if isinstance(one, BaseException) and not isinstance(one, _LOST):
                raise one
        return [one for one in said if not isinstance(one, BaseException)]

    def _finish(self, call: Any) -> None:
        async def rest() -> None:
            try:
                async for _ in call:
                    pass
            except (*_LOST, TaskCancelledError):  # the answer is given
                return

        task = asyncio.ensure_future(rest())
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)


@serve.ingress()
class DoorReplica:
    """A door, behind Ray's own HTTP server; there is one on each node."""

    def __init__(self, engines: DeploymentHandle, access: Access) -> None:
        self._fleet = RayFleet(engines)
        self._access = access

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Return the application; Ray calls this."""
        return make_door(self._fleet, self._access)
