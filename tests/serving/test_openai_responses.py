"""Painting, changing and asking through OpenAI's Responses API, spoken by OpenAI's own client."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
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


def test_a_deleted_response_is_gone_and_those_after_it_are_not(client: openai.OpenAI) -> None:
    first = create(client, "a red car")
    second = create(client, "make it blue", previous_response_id=first.id)

    client.responses.delete(first.id)

    with pytest.raises(openai.NotFoundError, match="leave previous_response_id out") as gone:
        create(client, "make it blue", previous_response_id=first.id)
    assert (gone.value.param, gone.value.code) == ("previous_response_id", "response_not_found")
    with pytest.raises(openai.NotFoundError, match="nothing left to delete"):
        client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError, match="is not kept here"):
        client.responses.retrieve(first.id)
    assert client.responses.retrieve(second.id).output == second.output
    assert create(client, "make it night", previous_response_id=second.id).output[0].action == "edit"


def test_what_was_sent_for_a_response_is_deleted_with_it(client: openai.OpenAI, server: Server) -> None:
    parts = [{"type": "input_text", "text": "where is it"}, {"type": "input_image", "image_url": data_uri(png())}]
    first = create(client, [{"role": "user", "content": parts}])
    second = create(client, "what colour is it?", previous_response_id=first.id)

    client.responses.delete(first.id)

    assert client.responses.retrieve(second.id).output_text
    with pytest.raises(openai.BadRequestError, match="There is no picture"):
        create(client, "what is it?", {"action": "edit"}, previous_response_id=second.id)
    session = first.id.removeprefix("resp_").rpartition("-")[0]
    client.responses.delete(second.id)
    assert server.get(f"/v1/sessions/{session}").status == 404


def test_a_response_is_told_again_as_it_was(client: openai.OpenAI) -> None:
    more: dict[str, Any] = {"metadata": {"a": "b"}, "user": "me", "instructions": "be brief", "max_output_tokens": 50}
    painted = create(client, "a red car", {"size": "20x16", "output_format": "webp"}, **more)
    answered = create(client, "what colour is it?", previous_response_id=painted.id, temperature=1.5)

    for response in (painted, answered):
        assert client.responses.retrieve(response.id) == response
    assert painted.notes == [
        "instructions of the system or the developer are not read by this model",
        "the picture was painted without what is about answers: max_tokens",
    ]


@pytest.mark.parametrize("words", ["a red car", "what colour is it?"])
def test_the_events_of_a_response_are_told_again_as_they_were(client: openai.OpenAI, words: str) -> None:
    first = create(client, "a blue house")
    events = list(create(client, words, {"partial_images": 2}, stream=True, previous_response_id=first.id))
    name = events[-1].response.id

    assert list(client.responses.retrieve(name, stream=True)) == events
    assert list(client.responses.retrieve(name, stream=True, starting_after=3)) == events[4:]


def test_a_response_that_is_painted_can_be_looked_at(start: Callable[..., Server], slow_toy: Path) -> None:
    server = start("-m", str(slow_toy))
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        responses: Any = client.responses
        with responses.create(input="a red car", tools=[TOOL], stream=True) as stream:
            name = next(iter(stream)).response.id
            assert responses.retrieve(name).status in ("queued", "in_progress")
            with pytest.raises(openai.BadRequestError, match="is not finished"):
                responses.create(input="make it blue", tools=[TOOL], previous_response_id=name)
        server.wait_until(lambda: responses.retrieve(name).status == "cancelled")
        assert responses.retrieve(name).output == []


@pytest.mark.parametrize(("query", "param"), [
    ({"include_obfuscation": "true"}, "include_obfuscation"), ({"stream": "perhaps"}, "stream"),
    ({"starting_after": "x"}, "starting_after"), ({"include": ["message.input_image.image_url"]}, "include[]"),
])  # fmt: skip
def test_what_is_not_told_is_refused_by_name(client: openai.OpenAI, query: dict[str, Any], param: str) -> None:
    first = create(client, "a red car")
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.retrieve(first.id, extra_query=query)

    assert refused.value.param == param


def test_an_answer_is_cut_after_as_many_tokens_as_it_may_have(client: openai.OpenAI, model: Model) -> None:
    first = create(client, "a red car")
    asked: dict[str, Any] = {"previous_response_id": first.id, "max_output_tokens": 2}
    cut = create(client, "what colour is it?", **asked)
    events = list(create(client, "what colour is it?", stream=True, **asked))

    assert cut.output_text == model.ask(picture(first), "what colour is it?", max_tokens=2)
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (cut.output[0].status, cut.usage.output_tokens) == ("incomplete", 2)
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.output_text == cut.output_text
    assert client.responses.retrieve(cut.id) == cut


def test_an_answer_is_drawn_with_a_temperature(client: openai.OpenAI) -> None:
    first = create(client, "a red car")

    answers = [
        create(client, "what colour is it?", previous_response_id=first.id, temperature=2, top_p=1).output_text
        for _ in range(6)
    ]
    assert len(set(answers)) > 1


# What a client sends back.


@pytest.mark.parametrize("how", ["whole", "by its ID", "by a reference", "its result alone"])
@pytest.mark.parametrize("stored", [True, False])
def test_a_picture_that_is_sent_back_is_changed(client: openai.OpenAI, model: Model, how: str, *, stored: bool) -> None:
    first = create(client, "a red car", store=stored)
    (item,) = first.output
    back = {
        "whole": item, "by its ID": {"type": "image_generation_call", "id": item.id},
        "by a reference": {"type": "item_reference", "id": item.id},
        "its result alone": {"type": "image_generation_call", "result": item.result},
    }[how]  # fmt: skip
    history: list[Any] = [{"role": "user", "content": "a red car"}, back]

    def second() -> Any:
        return create(client, [*history, {"role": "user", "content": "make it night"}], store=stored)

    if not stored and how.startswith("by"):
        with pytest.raises(openai.NotFoundError, match="send its picture as the result") as gone:
            second()
        assert (gone.value.param, gone.value.code) == ("input[1].id", "item_not_found")
        return
    changed = second()
    expected = model.edit(picture(first), "make it night", seed=changed.output[0].seed)
    assert np.array_equal(np.asarray(picture(changed)), np.asarray(expected))
    assert "words of earlier turns are not read" in changed.notes[-1]


def test_a_whole_history_is_about_its_newest_picture(client: openai.OpenAI, model: Model) -> None:
    history: list[Any] = []
    for words in ("a red car", "make it night", "what colour is it?", "now make it blue"):
        history.append({"role": "user", "content": words})
        response = create(client, history, store=False)
        history += response.output

    pictures = [opened(one.result) for one in history if getattr(one, "type", "") == "image_generation_call"]
    assert len(pictures) == 3
    expected = model.edit(pictures[1], "now make it blue", seed=response.output[0].seed)
    assert np.array_equal(np.asarray(pictures[2]), np.asarray(expected))


def test_a_picture_beside_one_that_is_sent_back_is_read_too(client: openai.OpenAI, model: Model) -> None:
    first = create(client, "a red car")
    parts = [{"type": "input_text", "text": "both"}, {"type": "input_image", "image_url": data_uri(png())}]

    changed = create(client, [*first.output, {"role": "user", "content": parts}], {"action": "edit"})

    expected = model.edit([picture(first), opened(png())], "both", seed=changed.output[0].seed)
    assert np.array_equal(np.asarray(picture(changed)), np.asarray(expected))


def test_a_question_that_was_asked_aside_leaves_the_picture_what_it_was(client: openai.OpenAI, model: Model) -> None:
    first = create(client, "a red car")
    create(client, "make it blue", previous_response_id=first.id)
    aside = create(client, "what colour is it?", previous_response_id=first.id)

    changed = create(client, "make it green", previous_response_id=aside.id)

    expected = model.edit(picture(first), "make it green", seed=changed.output[0].seed)
    assert np.array_equal(np.asarray(picture(changed)), np.asarray(expected))


def test_a_second_question_is_about_the_same_pictures(client: openai.OpenAI, model: Model) -> None:
    blue = png(colour=(0, 0, 255))
    parts: list[Any] = [{"type": "input_image", "image_url": data_uri(one)} for one in (png(), blue)]
    first = create(client, [{"role": "user", "content": [*parts, {"type": "input_text", "text": "where is it"}]}])

    second = create(client, "what colour is it?", previous_response_id=first.id)
    changed = create(client, "make it green", previous_response_id=second.id)

    assert second.output_text == model.ask([opened(png()), opened(blue)], "what colour is it?")
    expected = model.edit(opened(blue), "make it green", seed=changed.output[0].seed)
    assert np.array_equal(np.asarray(picture(changed)), np.asarray(expected))


CALL = {"type": "image_generation_call"}
ASK = {"role": "user", "content": "make it night"}


@pytest.mark.parametrize(("items", "status", "param"), [
    ([CALL, ASK], 400, "input[0].result"), ([CALL | {"id": "ig_nothing"}, ASK], 404, "input[0].id"),
    ([CALL | {"id": 5}, ASK], 400, "input[0].id"), ([CALL | {"result": "!"}, ASK], 400, "input[0].result"),
    ([CALL | {"result": "aGFsbG8="}, ASK], 400, "input[0].result"),
    ([CALL | {"result": "a", "mask": "b"}, ASK], 400, "input[0].mask"),
    ([{"type": "item_reference"}, ASK], 400, "input[0].id"), ([{"type": "reasoning"}, ASK], 400, "input[0].type"),
    ([{"type": "item_reference", "id": ""}, ASK], 404, "input[0].id"), ([{"type": 5}, ASK], 400, "input[0].type"),
    ([5, ASK], 400, "input[0]"), ([[], ASK], 400, "input[0]"), ([{}], 400, "input[0].role"),
    ([ASK, {"role": "assistant", "content": "a"}], 400, "input"), ([CALL | {"id": "ig_nothing"}], 404, "input[0].id"),
    ([{"role": "user", "content": [{"type": "output_text", "text": "a"}]}], 400, "input[0].content[0].type"),
    ([{"role": "user", "content": [{"type": "input_file"}]}], 400, "input[0].content[0].type"),
])  # fmt: skip
def test_items_that_cannot_be_read_are_refused_by_name(
    client: openai.OpenAI, items: list[Any], status: int, param: str
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        create(client, items)

    assert (refused.value.status_code, refused.value.param) == (status, param)


@pytest.mark.parametrize(("words", "tool", "param"), [
    ("a car", {"size": "1x1"}, "tools[0].size"), ("a car", {"partial_images": 1}, "tools[0].partial_images"),
    ("a car", {"output_compression": 5}, "tools[0].output_compression"), ("a car", {"action": "edit"}, "input"),
    ("a car", {"quality": "high"}, "tools[0].quality"),
    ("a car", {"input_image_mask": {"file_id": "a"}}, "tools[0].input_image_mask"),
    ("a car", {"frame_count": 2}, "tools[0].frame_count"),
    ([{"role": "user", "content": [{"type": "input_image"}]}], {}, "input[0].content[0].image_url"),
    ([{"role": "user", "content": [{"type": "input_text", "text": "a", "image_url": "data:"}]}], {},
     "input[0].content[0].image_url"),
    ([{"role": "assistant", "content": "a"}], {}, "input"), ([{"role": "tool", "content": "a"}], {}, "input[0].role"),
    ("", {}, "input"), ([{"role": "user", "content": [{"type": "input_text", "text": " "}]}], {}, "input"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_name(client: openai.OpenAI, words: Any, tool: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        create(client, words, tool)

    assert refused.value.param == param


@pytest.mark.parametrize("choice", [
    "required", TOOL, {"type": "allowed_tools", "mode": "required", "tools": [TOOL]},
])  # fmt: skip
def test_a_tool_that_has_to_be_used_changes_the_picture_even_for_a_question(client: openai.OpenAI, choice: Any) -> None:
    first = create(client, "a red car", tool_choice=choice)
    second = create(client, "what colour is it?", previous_response_id=first.id, tool_choice=choice)

    assert second.output[0].action == "edit"
    assert second.model_dump()["tool_choice"] == choice


@pytest.mark.parametrize("choice", ["auto", {"type": "allowed_tools", "mode": "auto", "tools": [TOOL]}])
def test_a_tool_that_may_be_used_leaves_questions_to_be_answered(client: openai.OpenAI, choice: Any) -> None:
    first = create(client, "a red car", tool_choice=choice)

    assert create(client, "what colour is it?", previous_response_id=first.id, tool_choice=choice).output_text


def test_a_tool_that_may_not_be_used_paints_nothing(client: openai.OpenAI) -> None:
    first = create(client, "a red car")

    answered = create(client, "what colour is it?", {"action": "edit"}, previous_response_id=first.id,
                      tool_choice="none")  # fmt: skip
    with pytest.raises(openai.BadRequestError) as refused:
        create(client, "make it blue", previous_response_id=first.id, tool_choice="none")

    assert answered.output_text
    assert refused.value.param == "tool_choice"


@pytest.mark.parametrize(("choice", "param"), [
    ("never", "tool_choice"), ({"type": "web_search_preview"}, "tool_choice.type"),
    ({"type": "function", "name": "a"}, "tool_choice.type"), ({"name": "a"}, "tool_choice.type"),
    ({"type": "image_generation", "name": "a"}, "tool_choice.name"), (["auto"], "tool_choice"),
    ({"type": "allowed_tools", "mode": "auto", "tools": []}, "tool_choice.tools"),
    ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function"}]}, "tool_choice.tools[0].type"),
    ({"type": "allowed_tools", "mode": "none", "tools": [TOOL]}, "tool_choice.mode"),
])  # fmt: skip
def test_choices_of_other_tools_are_refused_by_name(client: openai.OpenAI, choice: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        create(client, "a car", tool_choice=choice)

    assert refused.value.param == param


def test_a_choice_needs_the_tool(client: openai.OpenAI) -> None:
    responses: Any = client.responses
    with pytest.raises(openai.BadRequestError, match="a tool that is not there") as refused:
        responses.create(model="toy", input="a car", tool_choice=TOOL)

    assert refused.value.param == "tool_choice"


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_not_stored_is_gone_and_does_not_touch_its_dialogue(client: openai.OpenAI, *, stream: bool) -> None:
    first = create(client, "a red car")

    answer = create(client, "make it blue", previous_response_id=first.id, store=False, stream=stream)
    second = list(answer)[-1].response if stream else answer

    assert (second.store, second.output[0].action) == (False, "edit")
    assert opened(second.output[0].result).size == (20, 16)
    with pytest.raises(openai.NotFoundError):
        create(client, "make it red", previous_response_id=second.id)
    again = create(client, "make it green", previous_response_id=first.id)
    assert again.id.endswith("-1"), "the turn after the first"


def test_what_is_sent_along_comes_back(client: openai.OpenAI) -> None:
    more: dict[str, Any] = {"metadata": {"a": "b"}, "parallel_tool_calls": True, "max_tool_calls": 3}
    same = {
        "truncation": "disabled",
        "service_tier": "auto",
        "background": False,
        "max_output_tokens": 4096,
        "include": [],
        "prompt_cache_key": "a",
        "prompt_cache_retention": "24h",
    }
    response = create(client, "a red car", {"model": "toy"}, text={"format": {"type": "text"}}, **more, **same)

    assert {name: getattr(response, name) for name in more} == more


@pytest.mark.parametrize(("more", "param"), [
    ({"metadata": {"a": 1}}, "metadata"), ({"metadata": {"a" * 65: "b"}}, "metadata"),
    ({"background": True}, "background"),
    ({"max_tool_calls": 0}, "max_tool_calls"), ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"truncation": "auto"}, "truncation"), ({"include": ["reasoning.encrypted_content"]}, "include"),
    ({"conversation": "a"}, "conversation"),
    ({"text": {"format": {"type": "json_object"}}}, "text.format.type"),
    ({"temperature": 3}, "temperature"), ({"reasoning": {"effort": "low"}}, "reasoning"),
])  # fmt: skip
def test_fields_that_do_nothing_are_refused_by_name(client: openai.OpenAI, more: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        create(client, "a car", **more)

    assert refused.value.param is not None
    assert refused.value.param.split("[")[0] == param


def test_a_dialogue_stays_with_its_model(start: Callable[..., Server], toy: Path, slow_toy: Path) -> None:
    server = start("-m", str(toy), "-m", str(slow_toy))
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        first = create(client, "a red car")
        responses: Any = client.responses
        for more, param in (({"model": slow_toy.name}, "model"), ({"tools": [TOOL | {"model": slow_toy.name}]},
                                                                  "tools[0].model")):  # fmt: skip
            with pytest.raises(openai.BadRequestError, match="This dialogue is with") as refused:
                responses.create(**{"input": "blue", "previous_response_id": first.id, "tools": [TOOL], **more})
            assert refused.value.param == param
        with pytest.raises(openai.NotFoundError):
            create(client, "a red car", {"model": "nothing"})


def test_words_that_are_not_read_are_noted(client: openai.OpenAI) -> None:
    messages = [{"role": "user", "content": "a blue house"}, {"role": "user", "content": "a red car"}]

    assert "words of earlier turns are not read" in create(client, messages).notes[-1]
    assert create(client, "a red car").notes == []


def test_without_the_tool_nothing_is_painted(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="toy", input="a red car")

    assert refused.value.param == "tools"


@pytest.mark.parametrize("name", ["resp_x-0", "nothing", "resp_-", "resp_x-٣", "", "{}9", "{}00", "{}-1", "{}"])
def test_a_response_that_is_not_there(client: openai.OpenAI, name: str) -> None:
    first = create(client, "a red car")
    with pytest.raises(openai.NotFoundError):
        create(client, "a", previous_response_id=name.format(first.id.removesuffix("0")))
