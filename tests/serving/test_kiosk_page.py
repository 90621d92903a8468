"""The page for visitors over HTTP: its files, its rules, its settings; what it does in a browser is next door."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from serving_fixtures import ROOT, Server, serving, streaming

from edgevlo.serving.api.kiosk import address

KIOSK = ROOT / "serving" / "kiosk"


@pytest.fixture(scope="module")
def kiosk(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    with serving(tmp_path_factory.mktemp("kiosk") / "one", "-m", str(toy), "--kiosk", "--kiosk-idle", "33") as server:
        yield server


def test_there_is_no_page_unless_it_was_asked_for(server: Server) -> None:
    assert server.get("/").status == 404
    assert server.get("/kiosk/main.js").status == 404


def test_everything_that_the_page_names_is_there(kiosk: Server) -> None:
    page = kiosk.get("/")
    named = re.findall(r'(?:src|href)="([^"#]+)"', page.body.decode())
    for script in KIOSK.glob("*.js"):
        named += [f"kiosk/{name}" for name in re.findall(r'from "\./([\w.]+)"', script.read_text())]

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert len(named) > 8
    for name in named:
        assert kiosk.get(f"/{name}").status == 200, name


def test_nothing_comes_from_anywhere_else(kiosk: Server) -> None:
    policy = kiosk.get("/").headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    for file in KIOSK.iterdir():
        if file.suffix in (".html", ".css", ".js"):
            addresses = re.findall(r"https?://[^\s\"'`)]+", file.read_text())
            assert set(addresses) <= {"http://www.w3.org/2000/svg"}, file.name


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "__init__.py", "presets", "%2e%2e/app_state.py", "nothing.js", ""]
)
def test_only_the_pages_own_files_are_served(kiosk: Server, name: str) -> None:
    assert kiosk.get(f"/kiosk/{name}").status == 404


def test_the_page_knows_its_model(kiosk: Server) -> None:
    config = kiosk.get("/kiosk/config.json").json

    assert config["model"] == "toy"
    assert config["abilities"] == ["ask", "detect", "edit", "paint", "segment"]
    assert config["labels"] == {"segment": {"car": [255, 0, 0]}}
    assert (config["default_size"], config["idle_s"], config["share"]) == ("20x16", 33, None)


def test_both_languages_say_the_same_things() -> None:
    words = json.loads((KIOSK / "words.json").read_text())
    page = (KIOSK / "page.html").read_text()
    used = set(re.findall(r'data-words(?:-label|-title)?="(\w+)"', page))

    assert words["en"].keys() == words["zh"].keys() >= used
    for name in words["en"]:
        fields = [sorted(re.findall(r"\{\w+\}", words[language][name])) for language in ("en", "zh")]
        assert fields[0] == fields[1], name


def test_whatever_picturebook_finds_has_a_chinese_name() -> None:
    manifest = json.loads((ROOT / "src" / "edgevlo" / "bundles" / "picturebook" / "manifest.json").read_text())
    presets = json.loads((KIOSK / "presets" / "picturebook.json").read_text())

    assert presets["names"].keys() >= manifest["abilities"]["segment"]["labels"].keys()
    assert all(re.fullmatch(r"[\u4e00-\u9fff]+", name) for name in presets["names"].values())


def test_presets_come_from_a_file_and_a_broken_one_is_said(
    start: Callable[..., Server], toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgevlo.cli import run

    presets = tmp_path / "presets.json"
    presets.write_text('{"paint": [{"en": "a red car", "zh": "一辆红车"}]}')
    server = start("-m", str(toy), "--kiosk", "--kiosk-presets", str(presets), "--no-kiosk-label")
    config = server.get("/kiosk/config.json").json
    assert config["presets"]["paint"][0]["zh"] == "一辆红车"
    assert config["label"] is False

    for wrong in ('{"paint": [{"en": "a red car"}]}', '{"names": ["car"]}', '{"names": {"car": 5}}'):
        presets.write_text(wrong)
        assert run(["serve", "--port", "0", "-m", str(toy), "--kiosk", "--kiosk-presets", str(presets)]) == 1
        assert "does not hold presets" in capsys.readouterr().err


def test_a_picture_is_shared_by_its_own_name_and_needs_no_key(
    start: Callable[..., Server], toy: Path, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("secret")
    server = start("-m", str(toy), "--kiosk", "--host", "0.0.0.0", "--api-key-file", str(tmp_path / "keys"))
    key = {"Authorization": "Bearer secret"}
    job = server.post("/v1/paintings", {"prompt": "a"}, **key).json["id"]
    with streaming(server, "GET", f"/v1/paintings/{job}/events", headers=key) as events:
        list(events)

    share = server.get("/kiosk/config.json").json["share"]
    assert share is None or re.fullmatch(rf"http://[\d.]+:{server.port}", share)
    assert server.get("/").status == server.get(f"/share/{job}").status == 200
    assert server.get(f"/share/{job}/picture").headers["content-type"] == "image/png"
    assert server.get("/share/nothing/picture").status == 404
    assert server.get("/v1/models").status == 401
    if share:
        assert server.get(f"/kiosk/qr.svg?painting={job}").headers["content-type"] == "image/svg+xml"
    assert server.get("/kiosk/qr.svg?painting=nothing").status == 404


@pytest.mark.parametrize(("host", "expected"), [
    ("127.0.0.1", None), ("localhost", None), ("::1", None), ("192.168.1.5", "http://192.168.1.5:80"),
    ("fd00::5", "http://[fd00::5]:80"), ("box.local", "http://box.local:80"),
])  # fmt: skip
def test_phones_get_an_address_only_where_they_reach_it(host: str, expected: str | None) -> None:
    assert address(host, 80) == expected
