"""`/metrics`: what the engine counted and timed, in Prometheus's text format."""

from collections.abc import Iterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from ..app_state import site_of
from ..engine.engine import Engine


async def metrics(request: Request) -> Response:
    """Answer with every metric."""
    return Response(page(site_of(request).engine), media_type="text/plain; version=0.0.4")


def page(engine: Engine) -> str:
    """Return every metric of an engine."""
    return "\n".join(_lines(engine)) + "\n"


def _lines(engine: Engine) -> Iterator[str]:
    kept = engine.metrics
    gauges = {
        "edgevlo_queue_waiting": ("Requests that wait.", engine.waiting),
        "edgevlo_queue_places": ("Requests that may wait.", engine.limits.queue),
        "edgevlo_running": ("Requests that are being carried out.", len(engine.running)),
    }
    counters = {
        "edgevlo_refused_total": ("Requests refused because the queue was full.", kept.refused.value),
        "edgevlo_workers_lost_total": ("Workers that were killed or stuck.", kept.lost.value),
        "edgevlo_pictures_total": ("Finished pictures.", kept.pictures.value),
        "edgevlo_rows_total": ("Finished rows.", kept.rows.value),
        "edgevlo_codes_total": ("Image codes of finished pictures.", kept.codes.value),
    }
    histograms = {
        "edgevlo_queue_seconds": ("From being taken to being begun.", kept.queued),
        "edgevlo_first_row_seconds": ("From being begun to the first row.", kept.first_row),
        "edgevlo_row_seconds": ("From row to row.", kept.each_row),
        "edgevlo_request_seconds": ("What the model took for a request.", kept.each_job),
    }
    for kind, values in (("gauge", gauges), ("counter", counters)):
        for name, (meaning, value) in values.items():
            yield from (f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", f"{name} {value}")
    yield from ("# HELP edgevlo_requests_total Ended requests.", "# TYPE edgevlo_requests_total counter")
    for end, counter in kept.ends.items():
        yield f'edgevlo_requests_total{{end="{end}"}} {counter.value}'
    yield from ("# HELP edgevlo_resident_bytes Memory of each process.", "# TYPE edgevlo_resident_bytes gauge")
    yield f'edgevlo_resident_bytes{{process="server"}} {_own_bytes()}'
    for served in engine.models.served.values():
        if served.worker is not None:
            yield f'edgevlo_resident_bytes{{process="worker",model="{served.name}"}} {served.worker.resident}'
    for name, (meaning, histogram) in histograms.items():
        yield from (f"# HELP {name} {meaning}", f"# TYPE {name} histogram", *histogram.lines(name))


def _own_bytes() -> int:
    """Return this process's resident bytes, 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)
