"""`/v1/models`: what is served, under every name that a request may give."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..app_state import site_of
from ..engine.models import Served
from ..web.errors import json_response


async def list_models(request: Request) -> Response:
    """List the models, the default one first."""
    site = site_of(request)
    return json_response({"object": "list", "data": [_described(site.find(name), name) for name in site.names()]})


async def show_model(request: Request) -> Response:
    """Describe one model."""
    name = request.path_params["model"]
    return json_response(_described(site_of(request).find(name), name))


def _described(served: Served, name: str) -> dict[str, Any]:
    manifest = served.manifest
    rows, columns = manifest.grid.default
    cell = manifest.codes.cell
    return {
        "id": name,
        "object": "model",
        "created": served.created,
        "owned_by": "edgevlo",
        "alias_of": None if name == served.name else served.name,
        "family": manifest.family,
        "licence": manifest.source.licence,
        "abilities": sorted(manifest.abilities),
        "default_size": f"{columns * cell}x{rows * cell}",
        "loaded": served.is_open,
    }
