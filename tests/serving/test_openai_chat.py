"""Questions about pictures through OpenAI's chat API, spoken by OpenAI's own client."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from serving_fixtures import Server, data_uri, opened, png

from edgevlo.runtime.model import Model

QUESTION = "where is it"
PICTURE = {"type": "image_url", "image_url": {"url": data_uri(png())}}
TEXT = {"type": "text", "text": QUESTION}


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as opened_client:
        yield opened_client


def ask(client: openai.OpenAI, messages: list[Any], **options: Any) -> Any:
    return client.chat.completions.create(model="toy", messages=messages, **options)


def test_a_question_about_a_picture_is_answered(client: openai.OpenAI, model: Model) -> None:
    answer = ask(client, [{"role": "user", "content": [TEXT, PICTURE]}])

    assert answer.choices[0].message.content == model.ask(opened(png()), QUESTION)
    assert answer.choices[0].finish_reason == "length"  # no answer of the toy's is longer
    assert answer.usage.prompt_tokens == 3 + 12
    assert answer.usage.total_tokens == 15 + answer.usage.completion_tokens


def test_pictures_of_earlier_turns_are_seen_and_what_is_not_read_is_said(client: openai.OpenAI, model: Model) -> None:
    blue = data_uri(png(colour=(0, 0, 255)))
    messages = [
        {"role": "user", "content": [PICTURE, {"type": "text", "text": "a red car"}]},
        {"role": "assistant", "content": "it is"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": blue}}, TEXT]},
    ]
    answer = ask(client, messages)

    both = [opened(png()), opened(png(colour=(0, 0, 255)))]
    assert answer.choices[0].message.content == model.ask(both, QUESTION)
    assert "words of earlier turns are not read" in answer.notes[-1]


def test_a_streamed_answer_is_the_same_answer(client: openai.OpenAI, model: Model) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(ask(client, [{"role": "user", "content": [TEXT, PICTURE]}], **options))

    words = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert words == model.ask(opened(png()), QUESTION)
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage.prompt_tokens == 15


def test_an_answer_can_be_sent_back_as_the_client_gave_it(client: openai.OpenAI, model: Model) -> None:
    messages: list[Any] = [{"role": "user", "content": [PICTURE, TEXT]}]
    messages.append(ask(client, messages).choices[0].message)
    messages.append({"role": "user", "content": QUESTION})

    assert ask(client, messages).choices[0].message.content == model.ask(opened(png()), QUESTION)


def test_a_streamed_answer_says_what_was_not_read(client: openai.OpenAI) -> None:
    chunks = list(
        ask(client, [{"role": "user", "content": [PICTURE]}, {"role": "user", "content": QUESTION}], stream=True)
    )

    assert "words of earlier turns are not read" in chunks[-1].notes[-1]


@pytest.mark.parametrize("options", [
    {"max_tokens": 2}, {"max_completion_tokens": 2}, {"max_tokens": 2, "max_completion_tokens": 3},
])  # fmt: skip
def test_an_answer_is_cut_after_as_many_tokens_as_it_may_have(
    client: openai.OpenAI, model: Model, options: dict[str, int]
) -> None:
    messages = [{"role": "user", "content": [TEXT, PICTURE]}]
    answer = ask(client, messages, **options)
    *_, last, counted = ask(client, messages, stream=True, stream_options={"include_usage": True}, **options)

    assert answer.choices[0].message.content == model.ask(opened(png()), QUESTION, max_tokens=2)
    assert answer.choices[0].finish_reason == last.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == counted.usage.completion_tokens == 2


def test_an_answer_that_the_model_ended_is_whole(client: openai.OpenAI) -> None:
    drawn: dict[str, Any] = {"temperature": 2, "seed": 4}  # a seed with which the toy comes to its end
    answer = ask(client, [{"role": "user", "content": [TEXT, PICTURE]}], **drawn)
    cut = ask(client, [{"role": "user", "content": [TEXT, PICTURE]}], max_tokens=8, **drawn)

    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("stop", 8)
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 8)


def test_with_a_temperature_an_answer_is_that_of_its_seed(client: openai.OpenAI, model: Model) -> None:
    def drawn(seed: int | None) -> str:
        content = ask(client, [{"role": "user", "content": [TEXT, PICTURE]}], temperature=1.9, top_p=0.9, seed=seed)
        return str(content.choices[0].message.content)

    assert drawn(3) == model.ask(opened(png()), QUESTION, temperature=1.9, top_p=0.9, seed=3)
    assert drawn(-5) == model.ask(opened(png()), QUESTION, temperature=1.9, top_p=0.9, seed=2**32 - 5)
    assert len({drawn(None) for _ in range(6)}) > 1


def test_instructions_are_not_followed_and_that_is_said(client: openai.OpenAI, model: Model) -> None:
    system = {"role": "system", "content": "Be brief."}
    answer = ask(client, [system, {"role": "user", "content": [TEXT, PICTURE]}])
    *_, last = ask(client, [system, {"role": "user", "content": [TEXT, PICTURE]}], stream=True)

    assert answer.choices[0].message.content == model.ask(opened(png()), QUESTION)
    assert answer.notes == last.notes == ["instructions of the system or the developer are not read by this model"]


def test_a_long_conversation_is_about_as_many_pictures_as_the_model_reads(client: openai.OpenAI, model: Model) -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    parts = [{"type": "image_url", "image_url": {"url": data_uri(png(colour=one))}} for one in colours]
    turns = [{"role": "user", "content": [part, TEXT]} for part in parts]

    answer = ask(client, turns)
    with pytest.raises(openai.BadRequestError, match="ask takes"):
        ask(client, [{"role": "user", "content": [*parts, TEXT]}])

    newest = [opened(png(colour=one)) for one in colours[1:]]
    assert answer.choices[0].message.content == model.ask(newest, QUESTION)
    assert "only the last 2 pictures were read" in answer.notes


def test_what_changes_nothing_may_be_said(client: openai.OpenAI, model: Model) -> None:
    detail = {"type": "image_url", "image_url": {"url": data_uri(png()), "detail": "original"}}
    answer = ask(
        client, [{"role": "user", "content": [detail, TEXT]}], seed=-5, top_p=0.5, temperature=0, store=False,
        frequency_penalty=0, presence_penalty=0.0, logprobs=False, max_tokens=4096, max_completion_tokens=12,
        response_format={"type": "text"}, modalities=["text"], service_tier="default", n=1, tools=[],
        tool_choice="auto", parallel_tool_calls=True, stop=None, prompt_cache_key="a", logit_bias=None,
    )  # fmt: skip

    assert answer.choices[0].message.content == model.ask(opened(png()), QUESTION)


@pytest.mark.parametrize(("messages", "options", "param"), [
    ([{"role": "user", "content": [PICTURE, TEXT], "name": "me"}], {}, "messages[0].name"),
    ([{"role": "user", "content": [PICTURE, {**TEXT, "image_url": {"url": "data:"}}]}], {},
     "messages[0].content[1].image_url"),
    ([{"role": "user", "content": [{**PICTURE, "text": "a"}, TEXT]}], {}, "messages[0].content[0].text"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"stream_options": {"include_usage": True}}, "stream_options"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"max_completion_tokens": 0}, "max_completion_tokens"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"logprobs": True}, "logprobs"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"store": True}, "store"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"presence_penalty": 0.1}, "presence_penalty"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"response_format": {"type": "json_object"}},
     "response_format.type"),
    ([], {}, "messages"), ([{"role": "user", "content": QUESTION}], {}, "messages"),
    ([{"role": "user", "content": [PICTURE]}], {}, "messages"),
    ([{"role": "user", "content": [PICTURE, TEXT]}, {"role": "assistant", "content": "a"}], {}, "messages"),
    ([{"role": "tool", "content": "a"}], {}, "messages[0].role"),
    ([{"role": "system", "content": "a"}], {}, "messages"),
    ([{"role": "user", "content": [{"type": "image_url"}]}], {}, "messages[0].content[0].image_url"),
    ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://a/b"}}]}], {},
     "messages[0].content[0].image_url.url"),
    ([{"role": "user", "content": [{"type": "input_audio"}]}], {}, "messages[0].content[0].type"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"temperature": 2.1}, "temperature"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"top_p": 0}, "top_p"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"seed": 2**63}, "seed"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"stop": "a"}, "stop"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"reasoning_effort": "low"}, "reasoning_effort"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"n": 2}, "n"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"max_tokens": -5}, "max_tokens"),
    ([{"role": "user", "content": [PICTURE, TEXT]}], {"tools": [{"type": "function"}]}, "tools[0]"),
])  # fmt: skip
def test_what_does_nothing_is_refused_by_name(
    client: openai.OpenAI, messages: list[Any], options: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, messages, **options)

    assert refused.value.param is not None
    assert refused.value.param.replace("[...]", "[0]") == param
