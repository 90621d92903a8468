"""The kiosk: the page and its files, what it has to know, and a picture's way to a phone on the same network."""

import io
import json
import socket
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edgevlo.runtime.errors import RequestError

from ..app_state import site_of
from ..engine.models import Served
from ..kiosk.settings import Kiosk
from ..web.errors import ApiError, json_response
from . import paintings

_TYPES: Final = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".svg": "image/svg+xml",
}  # fmt: skip
_LABELS: Final = {"en": "AI", "zh": "AI生成"}
# Nothing but this server, no code but its files; pictures are also made by the page itself.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
    "connect-src 'self' data: blob:; media-src 'self' blob:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-cache",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
OPEN_PATHS: Final = ("/kiosk/", "/share/")  # the page itself holds nothing that a key protects


def routes(kiosk: Kiosk) -> list[Route]:
    """Return the routes of the page; raise `RequestError` when its presets cannot be read."""
    contents = {
        one.name: one.read_bytes()
        for one in files("edgevlo.serving.kiosk").iterdir()
        if Path(one.name).suffix in _TYPES
    }
    given = None if kiosk.presets is None else _presets(kiosk.presets)

    def asset(name: str) -> Response:
        if name not in contents:
            raise ApiError(404, "There is nothing at this path.")
        return Response(contents[name], media_type=_TYPES[Path(name).suffix], headers=_HEADERS)

    async def page(_: Request) -> Response:
        return asset("page.html")

    async def file(request: Request) -> Response:
        return asset(request.path_params["name"])

    async def config(request: Request) -> Response:
        site = site_of(request)
        known = _config(site.find(None), kiosk, given) | {"instance": site.instance}
        return json_response(known, headers={"Cache-Control": "no-store"})

    async def share_config(_: Request) -> Response:
        return json_response({"label": _LABELS if kiosk.label else None})

    async def qr(request: Request) -> Response:
        job = site_of(request).engine.find(request.query_params.get("painting", ""))
        if job is None or kiosk.share is None:
            raise ApiError(404, "There is no such painting to share.", code="painting_not_found")
        image = io.BytesIO()
        segno.make(f"{kiosk.share}/share/{job.id}", error="m").save(image, kind="svg", scale=8, border=2)
        return Response(image.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})

    async def share(_: Request) -> Response:
        return asset("share.html")

    async def shared(request: Request) -> Response:
        request.path_params["number"] = 0
        return await paintings.picture(request)

    return [
        Route("/", page),
        Route("/kiosk/config.json", config),
        Route("/kiosk/share.json", share_config),
        Route("/kiosk/qr.svg", qr),
        Route("/kiosk/{name}", file),
        Route("/share/{job}", share),
        Route("/share/{job}/picture", shared),
    ]


def _config(served: Served, kiosk: Kiosk, presets: dict[str, Any] | None) -> dict[str, Any]:
    manifest = served.manifest
    (rows, columns), cell = manifest.grid.default, manifest.codes.cell
    if presets is None:
        own = files("edgevlo.serving.kiosk").joinpath("presets", f"{manifest.name}.json")
        presets = json.loads(own.read_text(encoding="utf-8")) if own.is_file() else {}
    return {
        "model": served.name,
        "licence": manifest.source.licence,
        "abilities": sorted(manifest.abilities),
        "labels": {name: one.labels for name, one in manifest.abilities.items() if one.labels},
        "domain": manifest.domain is not None,  # and other pictures are read as the nearest of it
        "default_size": f"{columns * cell}x{rows * cell}",
        "presets": presets,
        "idle_s": kiosk.idle_s,
        "label": kiosk.label,
        "share": kiosk.share,
    }


def _presets(path: Path) -> dict[str, Any]:
    try:
        presets = json.loads(path.read_bytes())
        for kind in ("paint", "edit", "ask"):
            for one in presets.get(kind, ()):
                _ = one["en"], one["zh"]
        _ = [len(name) for name in presets.get("names", {}).values()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RequestError(
            f"{path} does not hold presets ({error}); write them like serving/kiosk/presets/picturebook.json."
        ) from error
    return dict(presets)


def address(host: str, port: int) -> str | None:
    """Return the address by which a phone reaches this server, None where it only listens to this machine."""
    if host in ("127.0.0.1", "localhost", "::1"):
        return None
    if host in ("0.0.0.0", "::"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # nothing is sent; it asks which way would be taken
                host = probe.getsockname()[0]
            except OSError:
                return None
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
