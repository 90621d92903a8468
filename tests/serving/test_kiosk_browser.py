"""The page in a real browser, with everything but the loopback address blocked. Needs Chromium."""

import base64
import io
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import c2pa
import pytest
from PIL import Image
from serving_fixtures import ROOT, Server, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium"),
]
PICTUREBOOK = str(ROOT / "src" / "edgevlo" / "bundles" / "picturebook")
SIZES = [(1080, 1920), (800, 480)]


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("kiosk") / "one"
    with serving(folder, "-m", PICTUREBOOK, "--kiosk", "--kiosk-idle", "120") as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        yield opened
        opened.close()


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def page(request: pytest.FixtureRequest, browser: Any, kiosk: Server) -> Iterator[Any]:
    """Give the loaded page; whatever it complains about, or asks of other machines, fails the test."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US", has_touch=True)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("request", lambda asked: complaints.append(asked.url) if not _is_local(asked.url) else None)
    opened.goto(kiosk.url)
    opened.wait_for_selector("body[data-loaded]")
    yield opened
    context.close()
    assert complaints == []


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def begin(page: Any) -> None:
    page.tap("#begin")
    page.wait_for_selector("body[data-mode=studio]")


def paint(page: Any, words: str, pictures: int) -> None:
    page.fill("#words", words)
    page.press("#words", "Enter")
    page.wait_for_selector(f"#gallery > li:nth-child({pictures}) [aria-current=true]")
    page.wait_for_selector("#wish .primary:not(:disabled)")


def pixels(page: Any, canvas: str = "picture") -> bytes:
    """Return what stands on a canvas."""
    url = page.evaluate(f"() => document.getElementById('{canvas}').toDataURL()")
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB").tobytes()


def last_painting(page: Any) -> str:
    """Return the path of the events of the painting that the page asked for last."""
    names = page.evaluate("() => performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")
    return [str(name) for name in names if name.endswith("/events")][-1]


def session_of(page: Any) -> str:
    """Return the path of the session that the page spoke in last."""
    names = page.evaluate("() => performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")
    return str([name for name in names if name.endswith("/turns")][-1]).removesuffix("/turns")


def test_it_paints_for_itself_and_says_that_an_ai_does_before_anybody_touches_it(page: Any) -> None:
    assert "An AI paints these pictures" in page.inner_text("footer")
    page.wait_for_function("() => document.getElementById('caption').textContent.length > 5")
    assert page.is_visible("#begin")
    assert page.is_hidden("#wish")


def test_paint_change_undo_redo_and_compare(page: Any) -> None:
    begin(page)
    paint(page, "a red car on the beach", 1)
    first = pixels(page)
    assert len(set(first)) > 30
    assert page.get_attribute("#kind-edit", "aria-checked") == "true"
    paint(page, "make it night", 2)
    second = pixels(page)
    assert second != first

    page.tap("#undo")
    page.wait_for_selector("#redo:not(:disabled)")
    assert pixels(page) == first
    page.tap("#redo")
    page.wait_for_selector("#redo:disabled")
    page.wait_for_selector("#undo:not(:disabled)")
    assert pixels(page) == second
    page.dispatch_event("#compare", "pointerdown")
    page.wait_for_timeout(200)
    assert pixels(page) == first
    page.dispatch_event("#compare", "pointerup")
    page.wait_for_timeout(200)
    assert pixels(page) == second


def test_rows_appear_one_by_one_and_the_first_at_once(page: Any) -> None:
    begin(page)
    page.evaluate(
        """() => {
        window.seen = [];
        const draw = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (...all) {
          const isRow = this.canvas.id === "picture" && all.length === 9 && all[4] === 16;
          if (isRow) seen.push([performance.now(), all[6]]);
          return draw.apply(this, all);
        };
        const fetched = window.fetch;
        window.fetch = (...all) => {
          if (String(all[0]).startsWith("data:")) window.first ??= performance.now();
          return fetched(...all);
        };
        }"""
    )
    paint(page, "a red car on the beach", 1)
    seen, arrived = page.evaluate("() => [window.seen, window.first]")

    assert [top for _, top in seen] == [0, 16, 32, 48, 64, 80]
    assert seen[0][0] - arrived < 300
    assert all(later - earlier > 50 for (earlier, _), (later, _) in itertools.pairwise(seen))


def test_asking_and_overlays(page: Any) -> None:
    begin(page)
    paint(page, "a red car on the beach", 1)
    page.tap("#kind-ask")
    page.fill("#words", "what colour is the car?")
    page.press("#words", "Enter")
    page.wait_for_selector("#caption.answer:has-text('red')")

    page.tap("#boxes-button")
    page.wait_for_selector("#boxes i b:text('car')")
    page.tap("#segments-button")
    page.wait_for_selector("#segments-button[aria-pressed=true]")
    assert page.locator("#boxes i").count() == 0
    assert "car" in page.inner_text("#legend")
    assert len(set(pixels(page, "overlay"))) > 2
    page.tap("#edges-button")
    page.wait_for_selector("#edges-button[aria-pressed=true]")
    page.tap("#edges-button")
    page.wait_for_selector("#overlay:not(.shown)", state="attached")


def test_chinese(page: Any) -> None:
    page.tap("#language")
    assert page.get_attribute("html", "lang") == "zh-Hans"
    begin(page)
    page.tap("#presets button >> nth=0")
    page.wait_for_selector("#gallery > li")
    page.wait_for_selector("#caption:has-text('完成')")
    assert page.inner_text("#made-by-ai") == "AI生成"
    paint(page, "一辆红色的汽车", 2)
    page.tap("#boxes-button")
    page.wait_for_selector("#boxes i b:text('汽车')")
    page.tap("#segments-button")
    page.wait_for_selector("#legend li:has-text('汽车')")


def test_a_picture_from_the_camera_is_changed(page: Any) -> None:
    begin(page)
    page.tap("#camera")
    page.wait_for_selector("#shoot:not(:disabled)")
    page.wait_for_function("() => document.getElementById('video').videoWidth > 0")
    page.tap("#shoot")
    page.wait_for_selector("#gallery > li")
    page.wait_for_selector("#camera-view", state="hidden")
    assert "as a mosaic" in page.inner_text("#caption")
    paint(page, "make it night", 2)


def test_a_saved_picture_is_labelled_and_keeps_its_marks(page: Any, tmp_path: Path) -> None:
    begin(page)
    paint(page, "a red car on the beach", 1)
    with page.expect_download() as saved:
        page.tap("#save")
    path = tmp_path / "saved.png"
    saved.value.save_as(path)

    content = path.read_bytes()
    assert b"trainedAlgorithmicMedia" in content
    assert b"AIGC" in content
    assert b"red car" not in content
    image = Image.open(path)
    image.verify()
    assert image.width == 1024


def test_what_is_saved_without_the_label_is_signed_and_an_edit_names_its_source(browser: Any, tmp_path: Path) -> None:
    options = ("-m", PICTUREBOOK, "--kiosk", "--no-kiosk-label", "--c2pa")
    with serving(tmp_path / "signing", *options) as signing:
        page = browser.new_page(has_touch=True)
        page.goto(signing.url)
        page.wait_for_selector("body[data-loaded]")
        begin(page)
        made = []
        for number, words in enumerate(["a red car on the beach", "make it night"], start=1):
            paint(page, words, number)
            with page.expect_download() as saved:
                page.tap("#save")
            saved.value.save_as(tmp_path / "saved.png")
            with c2pa.Reader("image/png", io.BytesIO((tmp_path / "saved.png").read_bytes())) as reader:
                assert reader.get_validation_state() == "Valid"
                store = json.loads(reader.json())
            active = store["manifests"][store["active_manifest"]]
            made.append([one["relationship"] for one in active.get("ingredients", [])])
        page.close()

    assert made == [[], ["parentOf"]]


def test_overlays_are_turns_of_the_session_and_are_deleted_with_it(page: Any, kiosk: Server) -> None:
    begin(page)
    paint(page, "a red car on the beach", 1)
    for name in ("segments", "edges"):
        page.tap(f"#{name}-button")
        page.wait_for_selector(f"#{name}-button[aria-pressed=true]")
        page.wait_for_selector("#overlay.shown")
    paint(page, "make it night", 2)  # "it" is the picture, not the last map
    session = session_of(page)
    turns = kiosk.get(session).json["turns"]

    assert [one["ability"] for one in turns] == ["paint", "segment", "edges", "edit"]
    assert [one["about"] for one in turns] == [[], [0], [0], [0]]
    painted, *maps, changed = (one["picture"] for one in turns)
    assert maps == [None, None], "the page has them, so the server needs them no more"
    assert [kiosk.get(one).status for one in (painted, changed)] == [200, 200]
    page.goto("about:blank")
    kiosk.wait_until(lambda: kiosk.get(session).status == 404)
    assert [kiosk.get(one).status for one in (painted, changed)] == [404, 404]


def test_nobody_there_is_asked_once_and_then_everything_is_deleted(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path / "hasty", "-m", PICTUREBOOK, "--kiosk", "--kiosk-idle", "8") as hasty:
        page = browser.new_page(has_touch=True)
        page.goto(hasty.url)
        page.wait_for_selector("body[data-loaded]")
        begin(page)
        paint(page, "a red car on the beach", 1)
        job = last_painting(page)
        assert hasty.get(job).status == 200
        page.wait_for_selector("#idle[open]")
        page.tap("#stay")
        page.wait_for_selector("#idle", state="hidden")
        page.wait_for_selector("body[data-mode=attract]", timeout=30_000)

        assert page.locator("#gallery > li").count() == 0
        hasty.wait_until(lambda: hasty.get(job).status == 404)
        page.close()


def test_a_page_that_is_left_deletes_what_was_made(page: Any, kiosk: Server) -> None:
    begin(page)
    paint(page, "a red car on the beach", 1)
    job = last_painting(page)
    page.goto("about:blank")
    kiosk.wait_until(lambda: kiosk.get(job).status == 404)


def test_every_control_is_large_enough_named_and_reached_by_keyboard(page: Any) -> None:
    begin(page)
    paint(page, "a red car on the beach", 1)
    controls = page.evaluate(
        """() => [...document.querySelectorAll("button, input:not([type=file]), canvas[role]")]
        .filter((one) => one.checkVisibility())
        .map((one) => {
          const { width, height } = one.getBoundingClientRect();
          const inside = one.textContent.trim() || one.querySelector("img")?.alt;
          const name = one.getAttribute("aria-label") || inside || "";
          return { name, side: Math.min(width, height), html: one.outerHTML };
        })"""
    )
    assert [one["html"] for one in controls if one["side"] < 43] == []
    assert [one["html"] for one in controls if not one["name"]] == []
    reached = set()
    page.focus("#language")
    for _ in range(40):
        reached.add(page.evaluate("() => document.activeElement.id"))
        page.keyboard.press("Tab")
    assert {"language", "leave", "again", "words", "boxes-button", "camera", "save", "kind-edit"} <= reached


# What goes wrong is said in the visitor's language, and leads nowhere from which there is no way back.


def test_words_that_the_model_does_not_know_are_named_and_stay(page: Any) -> None:
    begin(page)
    paint(page, "a red car next to a windmill", 1)
    assert 'I do not know "windmill", so I painted the rest.' in page.inner_text("#caption")
    paint(page, "make it night", 2)
    assert "windmill" not in page.inner_text("#caption")
    page.tap("#undo")
    page.wait_for_selector("#caption:has-text('windmill')")
    page.tap("#language")
    page.tap("#redo")
    page.tap("#undo")
    page.wait_for_selector("#caption:has-text('我不认识“windmill”，只画了其余的部分。')")


def test_a_picture_that_is_stopped_gives_way_to_the_one_before(page: Any) -> None:
    begin(page)
    paint(page, "a red car on the beach", 1)
    before = pixels(page)
    page.evaluate(
        """() => {
        const stop = document.getElementById("stop");
        const seen = new MutationObserver(() => {
          if (stop.hidden) return;
          seen.disconnect();
          stop.click();
        });
        seen.observe(stop, { attributes: true });
        }"""
    )
    page.fill("#words", "make it night")
    page.press("#words", "Enter")
    page.wait_for_selector("#caption:has-text('Stopped.')")

    assert page.is_hidden("#stop")
    assert page.is_visible("#camera")
    assert pixels(page) == before
    paint(page, "make it night", 2)


def test_a_picture_that_fails_gives_way_to_the_one_before(page: Any) -> None:
    begin(page)
    paint(page, "a red car on the beach", 1)
    before = pixels(page)
    said = {"error": {"message": "the model's process ended twice", "type": "server_error", "param": None,
                      "code": "worker_lost"}}  # fmt: skip
    page.route("**/events", lambda route: route.fulfill(
        status=200, content_type="text/event-stream", body=f"event: error\ndata: {json.dumps(said)}\n\n"
    ))  # fmt: skip
    page.tap("#language")
    page.fill("#words", "夜晚")
    page.press("#words", "Enter")
    page.wait_for_selector("#caption.problem:has-text('没有成功，请再试一次。')")
    page.unroute("**/events")

    assert pixels(page) == before
    paint(page, "改成夜晚", 2)


def test_a_file_that_is_no_picture_is_refused_in_words(page: Any) -> None:
    begin(page)
    page.set_input_files("#chosen", {"name": "a.png", "mimeType": "image/png", "buffer": b"nothing"})
    page.wait_for_selector("#caption.problem:has-text('cannot be read as a picture')")
    assert page.is_enabled("#file")


def test_a_server_that_is_begun_anew_is_found_again(browser: Any, tmp_path: Path) -> None:
    options = ("-m", PICTUREBOOK, "--kiosk")
    page = browser.new_page(has_touch=True)
    with serving(tmp_path / "first", *options) as first:
        page.goto(first.url)
        page.wait_for_selector("body[data-loaded]")
        begin(page)
        paint(page, "a red car on the beach", 1)
    page.fill("#words", "make it night")
    page.press("#words", "Enter")
    page.wait_for_selector("#caption.problem:has-text('The machine does not answer.')")
    with serving(tmp_path / "second", *options, "--port", str(first.port)):
        paint(page, "make it night", 2)
        page.evaluate("() => { window.isOld = true; }")
        page.tap("#leave")
        page.wait_for_function("() => !window.isOld", timeout=30_000)
        page.wait_for_selector("body[data-loaded]")
    page.close()
