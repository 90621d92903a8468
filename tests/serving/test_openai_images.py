"""OpenAI's images API, spoken by OpenAI's own client."""

import base64
import functools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from serving_fixtures import Server, data_uri, opened, png
from toy_reference import CELL

from edgevlo.runtime.model import Model

WIDTH, HEIGHT = 5 * CELL, 4 * CELL


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as opened_client:
        yield opened_client


def test_a_picture_is_the_one_of_the_python_api(client: openai.OpenAI, model: Model) -> None:
    answer = client.images.generate(model="toy", prompt="a red car", extra_body={"seed": 7, "temperature": 0.5})

    assert answer.data is not None
    (picture,) = answer.data
    assert picture.b64_json is not None
    expected = model.paint("a red car", seed=7, temperature=0.5)
    assert np.array_equal(np.asarray(opened(picture.b64_json)), np.asarray(expected))
    assert (answer.size, answer.output_format, answer.background) == (f"{WIDTH}x{HEIGHT}", "png", "opaque")
    assert abs(answer.created - time.time()) < 60


def test_usage_counts_words_and_codes(client: openai.OpenAI) -> None:
    painted = client.images.generate(prompt="a red car", n=2).usage
    edited = client.images.edit(image=("a.png", png()), prompt="blue").usage

    assert painted is not None
    assert edited is not None
    assert (painted.input_tokens, painted.output_tokens, painted.total_tokens) == (3, 40, 43)
    details = edited.input_tokens_details
    assert (details.text_tokens, details.image_tokens, edited.output_tokens) == (1, 12, 12)
    assert edited.output_tokens_details is not None
    assert edited.output_tokens_details.image_tokens == 12


def test_several_pictures_count_their_seeds_up(client: openai.OpenAI, model: Model) -> None:
    answer = client.images.generate(prompt="a red car", n=3, extra_body={"seed": 5})

    assert answer.data is not None
    for seed, picture in zip((5, 6, 7), answer.data, strict=True):
        expected = np.asarray(model.paint("a red car", seed=seed))
        assert np.array_equal(np.asarray(opened(picture.b64_json or "")), expected)


@pytest.mark.parametrize(("size", "expected"), [("auto", (WIDTH, HEIGHT)), ("24x16", (24, 16)), ("16x24", (16, 24))])
def test_sizes(client: openai.OpenAI, size: str, expected: tuple[int, int]) -> None:
    answer = client.images.generate(prompt="a", size=size)

    assert answer.data is not None
    assert opened(answer.data[0].b64_json or "").size == expected
    assert answer.size == "x".join(map(str, expected))


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_formats(client: openai.OpenAI, kind: Any) -> None:
    answer = client.images.generate(prompt="a", output_format=kind)

    assert answer.data is not None
    assert opened(answer.data[0].b64_json or "").format == kind.upper()
    assert answer.output_format == kind


def test_compression_makes_files_smaller(client: openai.OpenAI) -> None:
    sizes = []
    for compression in (100, 20):
        answer = client.images.generate(
            prompt="a", size="40x40", output_format="jpeg", output_compression=compression, extra_body={"seed": 1}
        )
        assert answer.data is not None
        sizes.append(len(answer.data[0].b64_json or ""))

    assert sizes[1] < 0.8 * sizes[0]


@pytest.mark.parametrize("partials", [0, 1, 2, 3])
def test_a_stream_shows_the_picture_on_the_way(client: openai.OpenAI, model: Model, partials: int) -> None:
    stream = client.images.generate(
        prompt="a red car", stream=True, partial_images=partials, extra_body={"seed": 7}, user="me"
    )
    *on_the_way, completed = list(stream)

    whole = np.asarray(model.paint("a red car", seed=7))
    assert completed.type == "image_generation.completed"
    assert np.array_equal(np.asarray(opened(completed.b64_json)), whole)
    assert completed.usage.output_tokens == 20
    assert completed.usage.total_tokens == 23
    assert completed.safety_identifier == "me"
    assert len(on_the_way) == partials
    for index, event in enumerate(on_the_way):
        assert event.type == "image_generation.partial_image"
        assert event.partial_image_index == index
        assert (event.size, event.output_format) == (f"{WIDTH}x{HEIGHT}", "png")
        assert (event.background, event.quality) == ("opaque", "auto")
        assert abs(event.created_at - time.time()) < 60
        pixels, done = np.asarray(opened(event.b64_json)), 4 * (index + 1) // (partials + 1) * CELL
        assert np.array_equal(pixels[:done], whole[:done])
        assert len(np.unique(pixels[done:])) == 1


def test_an_edit_is_streamed_under_its_own_names(client: openai.OpenAI) -> None:
    stream = client.images.edit(image=("a.png", png()), prompt="blue", stream=True, partial_images=1)

    assert [event.type for event in stream] == ["image_edit.partial_image", "image_edit.completed"]


def test_an_edit_of_several_pictures_reads_all_of_them(client: openai.OpenAI, model: Model) -> None:
    red, blue = png(), png(colour=(0, 0, 255))
    answer = client.images.edit(image=[("a.png", red), ("b.png", blue)], prompt="blue", extra_body={"seed": 4})

    assert answer.data is not None
    expected = model.edit([opened(red), opened(blue)], "blue", seed=4)
    assert np.array_equal(np.asarray(opened(answer.data[0].b64_json or "")), np.asarray(expected))


def test_pictures_come_as_data_uris_too(server: Server, client: openai.OpenAI) -> None:
    by_file = client.images.edit(image=("a.png", png()), prompt="blue", extra_body={"seed": 4})
    assert by_file.data is not None
    common = {"prompt": "blue", "seed": 4}
    for body in (
        {"image": data_uri(png()), **common},
        {"image": [data_uri(png())], **common},
        {"images": [{"image_url": data_uri(png())}], **common},
    ):
        answer = server.post("/v1/images/edits", body)
        assert answer.status == 200, answer.body
        assert answer.json["data"][0]["b64_json"] == by_file.data[0].b64_json


def test_an_alias_is_the_model_it_stands_for(client: openai.OpenAI) -> None:
    seed = {"seed": 1}
    by_alias = client.images.generate(model="gpt-image-1", prompt="a", extra_body=seed)
    by_name = client.images.generate(model="toy", prompt="a", extra_body=seed)

    assert by_alias.data == by_name.data
    assert [one.id for one in client.models.list()] == ["toy", "gpt-image-1"]
    assert client.models.retrieve("toy").owned_by == "edgevlo"


def test_an_unknown_model_is_not_found_and_the_others_are_named(client: openai.OpenAI) -> None:
    with pytest.raises(
        openai.NotFoundError, match=r"'gpt-9' does not exist here; there are toy, gpt-image-1\."
    ) as found:
        client.images.generate(model="gpt-9", prompt="a")

    assert (found.value.code, found.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")


# Every field of the client's own methods that does nothing here, and values of those that do.
REFUSED: list[tuple[str, Any]] = [
    ("quality", "high"), ("background", "transparent"), ("style", "vivid"), ("response_format", "url"),
    ("moderation", "high"), ("output_format", "gif"), ("output_format", "svg"), ("complexity", "low"),
    ("frame_count", 3), ("frame_duration_ms", 10), ("svg", {"model": "a"}), ("n", 0), ("n", 11), ("size", "17x16"),
    ("size", "4096x4096"), ("size", "big"), ("size", "0x0"), ("output_compression", 101), ("output_compression", 50),
    ("partial_images", 2), ("prompt", "x" * 32_001), ("prompt", ""), ("prompt", "  "),
]  # fmt: skip
REFUSED_EXTENSIONS: list[tuple[str, Any]] = [
    ("seed", -1), ("seed", 2**32), ("seed", 1.5), ("seed", "1"), ("guidance_scale", 101), ("temperature", -0.1),
    ("top_k", -1), ("top_p", 0), ("top_p", 1.5), ("steps", 20), ("cfg_scale", 7), ("image_guidance_scale", 2),
    ("negative_prompt", 5), ("mask", "data:image/png;base64,AAAA"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_does_nothing_is_refused_by_name(client: openai.OpenAI, name: str, value: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(**{"prompt": "a", name: value})

    assert refused.value.param == name


@pytest.mark.parametrize(("name", "value"), REFUSED_EXTENSIONS)
def test_extensions_are_checked_by_name(client: openai.OpenAI, name: str, value: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(prompt="a", extra_body={name: value})

    assert refused.value.param == name


@pytest.mark.parametrize("name", ["mask", "markup"])
def test_masks_are_refused_by_name(client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.edit(image=("a.png", png()), prompt="a", **{name: ("m.png", png())})  # type: ignore[call-overload]

    assert refused.value.param == name


def test_a_stream_holds_one_picture(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(prompt="a", n=2, stream=True)

    assert refused.value.param == "n"


def test_what_only_the_model_can_refuse_has_a_status_even_in_a_stream(client: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match="does nothing at guidance scale") as refused:
            client.images.generate(
                prompt="a", stream=stream, extra_body={"negative_prompt": "ugly", "guidance_scale": 1}
            )
        assert refused.value.param == "negative_prompt"
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.edit(image=("a.png", png()[:50]), prompt="a")
    assert (refused.value.param, refused.value.code) == ("image", "invalid_image")


def test_a_prompt_that_the_model_has_no_room_for_is_the_client_s_mistake(client: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match="at most 378 fit") as refused:
            client.images.generate(prompt="0" * 1000, stream=stream)
        assert refused.value.param == "prompt"


def test_a_client_that_leaves_stops_the_painting(start: Callable[..., Server], slow_toy: Path) -> None:
    server = start("-m", str(slow_toy))
    for stream in (False, True):
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
            options: dict[str, Any] = {"prompt": "a", "size": "40x40", "n": 1 if stream else 10}
            if stream:
                with client.images.generate(stream=True, partial_images=3, **options) as events:
                    next(iter(events))
            else:
                with pytest.raises(openai.APITimeoutError):
                    client.images.generate(timeout=1, **options)
        server.wait_until(lambda: server.health()["queue"]["running"] == 0)

    assert [job["state"] for job in server.logged("job")] == ["cancelled", "cancelled"]


def _queue_is(server: Server, expected: dict[str, int]) -> bool:
    return bool(server.health()["queue"] == expected)


def test_a_full_queue_is_a_429_that_the_client_retries(start: Callable[..., Server], slow_toy: Path) -> None:
    server = start("-m", str(slow_toy), "--queue", "1")
    large = {"prompt": "a", "size": "40x40"}
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as impatient,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=50) as patient,
        ThreadPoolExecutor(2) as threads,
    ):
        answers = []
        for waiting in (0, 1):
            answers.append(threads.submit(server.post, "/v1/images/generations", large))
            expected = {"running": 1, "waiting": waiting, "places": 1}
            server.wait_until(functools.partial(_queue_is, server, expected))
        with pytest.raises(openai.RateLimitError) as refused:
            impatient.images.generate(prompt="a")
        assert refused.value.code == "queue_full"
        assert int(refused.value.response.headers["Retry-After"]) >= 1
        assert patient.images.generate(prompt="a").data
        assert [answer.result().status for answer in answers] == [200, 200]


def test_an_error_in_a_stream_is_raised_by_the_client(start: Callable[..., Server], slow_toy: Path) -> None:
    server = start("-m", str(slow_toy), "--deadline", "0.1")
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        stream = client.images.generate(prompt="a", size="40x40", stream=True, partial_images=3)
        with pytest.raises(openai.APIError, match="deadline") as failed:
            list(stream)

    assert failed.value.code == "timeout"


def test_a_waiting_stream_is_kept_alive(start: Callable[..., Server], slow_toy: Path) -> None:
    server = start("-m", str(slow_toy), "--comment-every", "0.1")
    answer = server.post("/v1/images/generations", {"prompt": "a", "size": "40x40", "stream": True})

    comments = [line for line in answer.body.splitlines() if line.startswith(b":")]
    assert len(comments) >= 2
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_prompts_are_in_neither_files_nor_logs(start: Callable[..., Server], toy: Path) -> None:
    server = start("-m", str(toy), "--embed-prompt")
    answer = server.post("/v1/images/generations", {"prompt": "a red car", "user": "somebody-known"})

    assert b"a red car" in base64.b64decode(answer.json["data"][0]["b64_json"])
    assert "red car" not in server.log.read_text()
    assert "somebody-known" not in server.log.read_text()


def test_sizes_are_fitted_where_the_server_was_told_to(start: Callable[..., Server], toy: Path) -> None:
    server = start("-m", str(toy), "--fit-sizes")

    assert server.post("/v1/images/generations", {"prompt": "a", "size": "1024x1024"}).json["size"] == "40x40"
