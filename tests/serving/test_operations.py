"""What operators read: metrics by Prometheus's rules, and an OpenAPI document that the server keeps to."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from serving_fixtures import Server, data_uri, png

from edgevlo.runtime import errors
from edgevlo.runtime.errors import EdgevloError
from edgevlo.serving.api.openapi import document
from edgevlo.serving.app import make_app
from edgevlo.serving.engine.messages import Failed
from edgevlo.serving.engine.metrics import Histogram
from edgevlo.serving.web.errors import of_failed


def metrics(server: Server) -> dict[str, float]:
    answer = server.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    values = {}
    for line in answer.body.decode().splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+', line), line
            name, _, value = line.rpartition(" ")
            values[name] = float(value)
    return values


def test_what_was_painted_is_counted_and_timed(server: Server) -> None:
    before = metrics(server)
    server.post("/v1/images/generations", {"prompt": "a", "n": 2})
    after = metrics(server)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}

    assert grown["edgevlo_pictures_total"] == 2
    assert grown["edgevlo_rows_total"] == 8
    assert grown["edgevlo_codes_total"] == 40
    assert grown['edgevlo_requests_total{end="done"}'] == 1
    assert grown["edgevlo_first_row_seconds_count"] == 1
    assert grown["edgevlo_row_seconds_count"] == 7
    assert grown["edgevlo_request_seconds_count"] == grown["edgevlo_queue_seconds_count"] == 1
    assert after['edgevlo_resident_bytes{process="server"}'] > 10_000_000


def test_a_histogram_counts_each_time_in_every_bucket_that_holds_it() -> None:
    histogram = Histogram()
    for seconds in (0.005, 0.01, 0.2, 1000):
        histogram.observe(seconds)

    lines = list(histogram.lines("h"))
    assert lines[0] == 'h_bucket{le="0.01"} 2'
    assert 'h_bucket{le="0.3"} 3' in lines
    assert lines[-3:] == ['h_bucket{le="+Inf"} 4', "h_sum 1000.215000", "h_count 4"]


def test_every_route_is_in_the_document(server: Server) -> None:
    document = server.get("/openapi.json").json
    described = {(path, method.upper()) for path, operations in document["paths"].items() for method in operations}
    source = Path(sys.modules[make_app.__module__].__file__ or "").read_text()

    for path in re.findall(r'Route\("(/[^"]*)"', source):
        plain = re.sub(r":\w+\}", "}", path)
        if plain != "/openapi.json":
            assert plain in {one for one, _ in described}, path
    assert ("/v1/paintings/{job}", "DELETE") in described
    assert ("/v1/segment", "POST") in described
    fields = document["components"]["schemas"]["Generation"]["properties"]
    assert fields["n"]["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 10}


def test_every_error_of_the_runtime_has_a_status_of_the_document() -> None:
    documented = document("1")["paths"]["/v1/paintings"]["post"]["responses"]
    kinds = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, EdgevloError)]

    statuses = {kind: of_failed(Failed(job="job", kind=kind, text="why")).status for kind in kinds}

    assert {str(status) for status in statuses.values()} <= set(documented)
    wrong = {"RequestError", "RoomError", "ArgumentError", "PictureError", "AbilityError"}
    assert {kind for kind, status in statuses.items() if status == 400} == wrong


@pytest.mark.slow
@pytest.mark.parametrize("known", [False, True], ids=["names by lot", "names that exist"])
def test_thousands_of_requests_by_the_document_meet_no_other_status_than_its_own(
    server: Server, tmp_path: Path, known: bool
) -> None:
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "schemathesis.toml"), "run",
               f"{server.url}/openapi.json", "--checks", checks, "--max-examples", "60",
               "--phases", "examples,coverage,fuzzing", "--seed", "1", "--header", "Host: localhost"]  # fmt: skip
    named = {}
    if known:
        named = {"session": server.post("/v1/sessions", {}).json["id"], "number": 0,
                 "job": server.post("/v1/paintings", {"prompt": "a"}).json["id"]}  # fmt: skip
        turns = f"/v1/sessions/{named['session']}/turns"
        assert server.post(turns, {"image": data_uri(png())}).status == 201
        command += ["--exclude-method", "DELETE"]
    lines = [f'"path.{name}" = {json.dumps(value)}\n' for name, value in named.items()]
    (tmp_path / "schemathesis.toml").write_text("[parameters]\n" + "".join(lines))

    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)

    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    if known:
        said = server.get(f"/v1/sessions/{named['session']}").json["turns"]
        assert len(said) > 1, "some turns were taken"
