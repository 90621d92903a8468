"""Painting, changing and asking through OpenAI's Responses API, spoken by OpenAI's own client."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import openai
import pytest
from serving_fixtures import Server, data_uri, opened, png

from edgevlo.runtime.model import Model

TOOL = {"type": "image_generation"}


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as opened_client:
        yield opened_client


def create(client: openai.OpenAI, words: Any, tool: dict[str, Any] | None = None, **more: Any) -> Any:
    responses: Any = client.responses
    return responses.create(model="toy", input=words, tools=[TOOL | (tool or {})], **more)


def picture(response: Any) -> Any:
    (item,) = response.output
    assert (item.type, item.status) == ("image_generation_call", "completed")
    return opened(item.result)


def test_a_dialogue_needs_no_picture_to_be_sent_again(client: openai.OpenAI, model: Model) -> None:
    first = create(client, "a red car", {"size": "20x16"})
    second = create(client, "now make it night", previous_response_id=first.id)
    third = create(client, "what colour is it?", previous_response_id=second.id)

    seed = first.output[0].seed
    assert np.array_equal(np.asarray(picture(first)), np.asarray(model.paint("a red car", size="20x16", seed=seed)))
    assert second.output[0].action == "edit"
    edited = model.edit(picture(first), "now make it night", seed=second.output[0].seed)
    assert np.array_equal(np.asarray(picture(second)), np.asarray(edited))
    assert third.output_text == model.ask(edited, "what colour is it?")
    assert third.previous_response_id == second.id
    assert first.usage.output_tokens == 20


def test_a_response_goes_on_from_the_picture_that_it_had_and_not_a_later_one(
    client: openai.OpenAI, model: Model
) -> None:
    first = create(client, "a red car")
    create(client, "make it blue", previous_response_id=first.id)

    again = create(client, "make it green", previous_response_id=first.id)

    expected = model.edit(picture(first), "make it green", seed=again.output[0].seed)
    assert np.array_equal(np.asarray(picture(again)), np.asarray(expected))


def test_events_of_a_picture(client: openai.OpenAI) -> None:
    events = list(create(client, "a red car", {"partial_images": 2, "output_format": "webp"}, stream=True))

    call = "response.image_generation_call"
    assert [event.type for event in events] == [
        "response.created", "response.in_progress", "response.output_item.added", f"{call}.in_progress",
        f"{call}.generating", f"{call}.partial_image", f"{call}.partial_image", f"{call}.completed",
        "response.output_item.done", "response.completed",
    ]  # fmt: skip
    assert [event.sequence_number for event in events] == list(range(10))
    partial = events[6]
    assert (partial.partial_image_index, partial.output_format) == (1, "webp")
    assert opened(partial.partial_image_b64).size == (20, 16)
    assert events[-1].response.output[0].result == events[-2].item.result
    assert opened(events[-2].item.result).format == "WEBP"


def test_events_of_an_answer(client: openai.OpenAI, model: Model) -> None:
    parts = [{"type": "input_text", "text": "where is it"}, {"type": "input_image", "image_url": data_uri(png())}]

    responses: Any = client.responses
    events = list(responses.create(model="toy", input=[{"role": "user", "content": parts}], stream=True))

    (delta,) = (event.delta for event in events if event.type == "response.output_text.delta")
    assert delta == model.ask(opened(png()), "where is it") == events[-1].response.output_text


def test_a_picture_that_is_sent_is_changed(client: openai.OpenAI, model: Model) -> None:
    parts = [{"type": "input_text", "text": "blue"}, {"type": "input_image", "image_url": data_uri(png())}]

    response = create(client, [{"role": "user", "content": parts}], {"action": "edit"})

    expected = model.edit(opened(png()), "blue", seed=response.output[0].seed)
    assert np.array_equal(np.asarray(picture(response)), np.asarray(expected))
    assert b"compositeWithTrainedAlgorithmicMedia" in base64.b64decode(response.output[0].result)


def test_deleting_a_response_deletes_its_dialogue(client: openai.OpenAI) -> None:
    first = create(client, "a red car")

    client.responses.delete(first.id)

    with pytest.raises(openai.NotFoundError, match="no such response"):
        create(client, "make it blue", previous_response_id=first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.delete(first.id)


@pytest.mark.parametrize(("words", "tool", "param"), [
    ("a car", {"size": "1x1"}, "size"), ("a car", {"action": "edit"}, "input"),
    ("a car", {"quality": "high"}, "tools[0].quality"),
    ("a car", {"input_image_mask": {"file_id": "a"}}, "tools[0].input_image_mask"),
    ("", {}, "input"), ([{"role": "user", "content": [{"type": "input_text", "text": " "}]}], {}, "input"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_name(client: openai.OpenAI, words: Any, tool: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        create(client, words, tool)

    assert refused.value.param == param


def test_without_the_tool_nothing_is_painted(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="toy", input="a red car")

    assert refused.value.param == "tools"


@pytest.mark.parametrize("name", ["resp_x-0", "nothing", "resp_-", "resp_x-٣", ""])
def test_a_response_that_is_not_there(client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError):
        create(client, "a", previous_response_id=name)
