"""The application: routes, how errors leave it, and the door in front."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from .api import chat, images, kiosk, metrics, models, openapi, paintings, perception, sessions, status
from .api.responses import routes as responses
from .app_state import Site
from .web import numbers
from .web.errors import HANDLERS
from .web.guard import OPEN_PATHS, Guard


def make_app(site: Site) -> ASGIApp:
    """Return the application of a server behind its door; its lifespan starts and ends the engine."""
    page = () if site.answers.kiosk is None else kiosk.OPEN_PATHS
    return Guard(make_routes(site), site.access, site.limits, open_paths=OPEN_PATHS + page)


def make_routes(site: Site) -> ASGIApp:
    """Return the application without a door in front, for whoever has one."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        site.engine.start()
        try:
            yield {}
        finally:
            await site.engine.close()

    numbers.register()
    page = [] if site.answers.kiosk is None else kiosk.routes(site.answers.kiosk)
    app = Starlette(
        routes=[
            Route("/v1/images/generations", images.generations, methods=["POST"]),
            Route("/v1/images/edits", images.edits, methods=["POST"]),
            Route("/v1/paintings", paintings.create, methods=["POST"]),
            Route("/v1/paintings/{job}", paintings.show, methods=["GET"]),
            Route("/v1/paintings/{job}", paintings.delete, methods=["DELETE"]),
            Route("/v1/paintings/{job}/events", paintings.events),
            Route("/v1/paintings/{job}/pictures/{number:number}", paintings.picture),
            Route("/v1/responses", responses.create, methods=["POST"]),
            Route("/v1/responses/{response}", responses.retrieve, methods=["GET"]),
            Route("/v1/responses/{response}", responses.delete, methods=["DELETE"]),
            Route("/v1/sessions", sessions.begin, methods=["POST"]),
            Route("/v1/sessions/{session}", sessions.show, methods=["GET"]),
            Route("/v1/sessions/{session}", sessions.end, methods=["DELETE"]),
            Route("/v1/sessions/{session}/turns", sessions.say, methods=["POST"]),
            Route("/v1/sessions/{session}/turns/{number:number}/picture", sessions.picture),
            Route("/v1/ask", perception.ask, methods=["POST"]),
            Route("/v1/detect", perception.detect, methods=["POST"]),
            *(
                Route(f"/v1/{name}", perception.perceiving(name), methods=["POST"], name=name)
                for name in perception.PAINTED
            ),
            Route("/v1/models", models.list_models),
            Route("/v1/models/{model:path}", models.show_model),
            Route("/v1/chat/completions", chat.completions, methods=["POST"]),
            Route("/openapi.json", openapi.openapi),
            Route("/metrics", metrics.metrics),
            Route("/health", status.health),
            Route("/ready", status.ready),
            *page,
        ],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )
    app.state.site = site
    return app
