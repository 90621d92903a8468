"""How the server is: alive, ready, and what its models do."""

import os
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..app_state import Site, site_of
from ..web.errors import json_response


async def health(request: Request) -> Response:
    """Say that the server answers, which one it is, and what it is doing: what `edgevlo ps` prints."""
    return json_response({"status": "ok", **describe(site_of(request))})


async def ready(request: Request) -> Response:
    """Say whether the default model was opened: 503 until then, and while the server stops."""
    site = site_of(request)
    return json_response({"ready": site.engine.is_ready}, status=200 if site.engine.is_ready else 503)


def describe(site: Site) -> dict[str, Any]:
    """Return the state of the server."""
    engine = site.engine
    return {
        "version": site.version,
        "instance": site.instance,
        "pid": os.getpid(),
        "queue": {"waiting": engine.waiting, "running": len(engine.running), "places": engine.limits.queue},
        "models": [
            {
                "name": served.name,
                "loaded": served.is_open,
                "resident_bytes": served.worker.resident if served.worker is not None else 0,
                "pid": served.worker.pid if served.worker is not None else None,
                "restarts": served.restarts,
            }
            for served in engine.models.served.values()
        ],
    }
