"""What the kinds are called: every kind in both languages, each name one kind's, with its article, plural and emoji."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from edgevlo.picturebook.exercises import text_tokenizer
from edgevlo.picturebook.language import plain, words
from edgevlo.picturebook.language.lexicon import emoji, lexicon, meant, strange_emoji
from edgevlo.picturebook.language.noise import simplified
from edgevlo.picturebook.language.nouns import measures, nouns
from edgevlo.picturebook.language.plain import Wanted
from edgevlo.picturebook.language.speaker import Speaker
from edgevlo.picturebook.requests import relabel
from edgevlo.picturebook.requests.lines import parsed
from edgevlo.picturebook.vocabulary import names
from edgevlo.picturebook.world.scene import CLIPART, IS_A, KINDS, PLACES, STYLES


def kinds(text: str, language: str) -> list[str]:
    return [span.name.value for span in lexicon(language).spans(text) if span.name.attribute == "kind"]


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_kind_has_names_and_each_name_is_one_kinds(language: str) -> None:
    called = nouns(language)
    assert set(called) == set(KINDS) == set(measures())
    assert all(len(some) >= 4 for some in called.values())
    owners = Counter(noun.text.lower() for some in called.values() for noun in some)
    assert [name for name, count in owners.items() if count > 1] == []
    canonical = [name for some in words.KIND[language].values() for name in some]
    assert len(canonical) == len(set(canonical))


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_what_is_known_is_not_called_unknown(language: str) -> None:
    names_of = lexicon(language)
    known = {noun.text.lower() for some in nouns(language).values() for noun in some}
    known |= {name.lower() for (attribute, _, value), some in names_of.said.items() for name in some
              if attribute in ("place", "style")}  # fmt: skip
    outside = {name.lower() for sort in ("thing", "rare", "place", "style") for name in names_of.outside.get(sort, ())}
    assert known & outside == set()
    assert set(strange_emoji()) & {one for some in emoji().values() for one in some} == set()
    for kind in CLIPART:  # a name of it is found as it
        assert kinds(f"{nouns(language)[kind][0].text}", language) in ([kind], []), kind


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_places_and_styles_have_all_their_words(language: str) -> None:
    said = lexicon(language).said
    assert all(said["place", form, place] for form in ("adv", "noun") for place in PLACES)
    assert all(said["style", "noun", style] for style in STYLES)
    assert set(words.PLACE[language]) == set(words.PLACE_NOUN[language]) == set(PLACES) == set(plain.PLACE)
    assert set(words.STYLE[language]) == set(words.STYLE_WORDS[language]) == set(STYLES) == set(plain.STYLE)


def test_articles() -> None:
    spoken = (
        "an owl", "a ufo", "a unicorn", "an umbrella", "an hour", "a horse", "an x-ray", "a one-eyed cat",
        "some popcorn", "some blue bread", "a loaf of bread", "a cup of coffee", "french fries", "cute grapes", "books",
        "a stack of books", "a dress", "a bus", "mountains", "an ice cream", "a t-rex", "an 8-bit hero", "a sheep",
    )  # fmt: skip
    for phrase in spoken:
        bare = phrase.split(" ", 1)[1] if phrase.split(" ")[0] in ("a", "an", "some") else phrase
        assert words.with_article(bare) == phrase


def test_plurals() -> None:
    by_hand = {
        "sheep": "sheep", "fish": "fish", "mouse": "mice", "cherry": "cherries", "police officer": "police officers",
        "french fries": "portions of french fries", "loaf of bread": "loaves of bread", "wolf": "wolves",
        "person": "people", "fireman": "firemen", "octopus": "octopuses", "tomato": "tomatoes", "t-rex": "t-rexes",
        "cactus": "cacti", "statue of liberty": "statues of liberty", "fluffy goose": "fluffy geese", "knife": "knives",
        "sunglasses": "sunglasses", "human": "humans", "watch": "watches", "butterfly": "butterflies",
    }  # fmt: skip
    assert {noun: words.plural(noun) for noun in by_hand} == by_hand


def test_every_kind_has_an_emoji_that_is_found() -> None:
    shown = emoji()
    assert all(kinds(f"a {shown['kind', kind][0]}!", "en") == [kind] for kind in KINDS)
    pictures = [one for (attribute, _), some in shown.items() if attribute == "kind" for one in some]
    assert len(pictures) == len(set(pictures))


def test_a_colour_makes_a_narrower_name_the_broader_kind() -> None:
    assert meant("owl", coloured=False) == "owl"
    assert meant("owl", coloured=True) == "bird"
    assert meant("elephant", coloured=True) == "elephant"
    assert (meant("farmer", coloured=False, hatted=True), meant("girl", coloured=False, hatted=True)) == (
        "person",
        "girl",
    )
    rng, english = Random(0), lexicon("en")
    narrower = {noun.text for kind, general in IS_A.items() if general == "bird" for noun in nouns("en")[kind]}
    bare = {english.pick_kind(rng, "bird") for _ in range(3000)}
    coloured = {english.pick_kind(rng, "bird", coloured=True) for _ in range(3000)}
    assert not narrower & bare
    assert {"owl", "penguin", "sparrow"} <= coloured


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_what_a_speaker_says_of_clip_art_is_found_as_it(language: str) -> None:
    rng, found, asked = Random(1), 0, 0
    for kind in CLIPART:
        for _ in range(8):
            speaker = Speaker(rng, language)
            if speaker.other or speaker.pictures or speaker.looks:
                continue
            asked += 1
            found += kind in kinds(speaker.thing(Wanted(kind)), language)
    assert found / asked > 0.93


def test_names_inside_other_words_are_none() -> None:
    assert kinds("what does the dog do", "en") == ["dog"]
    assert kinds("okay computer, a cat at school", "en") == ["cat"]
    assert kinds("delete掉那棵树", "zh") == ["tree"]
    assert kinds("马上想象一条马路，画一匹马", "zh") == ["horse"]


def test_lines_of_the_smaller_world_are_told_anew() -> None:
    def told(line: str, language: str = "en") -> object:
        new = relabel.relabelled(parsed(line), language)
        return new and (new.task, [(one.kind, one.colour) for one in new.result.things], new.result.place, new.unknown)

    assert told("outside | bare | a dragon and a red dog | - | dog red | dragon") == (
        "paint", [("dragon", None), ("dog", "red")], None, (),
    )  # fmt: skip
    assert told("outside | bare | a car in the desert | - | car | desert") == ("paint", [("car", None)], "desert", ())
    assert told("outside | bare | a sword | - | - | sword") == ("outside", [], None, ("sword",))
    assert told("outside | bare | add a dragon | dog red @left | - | dragon") is None
    assert told("paint | bare | an owl | bird") == ("paint", [("owl", None)], None, ())
    assert told("paint | bare | a blue owl | bird blue") == ("paint", [("bird", "blue")], None, ())
    assert told("paint | bare | 两只猫头鹰 | bird; bird", "zh") == ("paint", [("owl", None)] * 2, None, ())
    assert told("paint | bare | an owl and a bird | bird; bird") is None


def test_new_names_are_whole_words() -> None:
    for kind in CLIPART:
        name = words.KIND["zh"][kind][0]
        simple = "".join(simplified().get(letter, letter) for letter in name)
        assert len(name) == 1 or len(name) > names.LONGEST_CHINESE or simple in names.chinese(), name
        assert all(word in names.english() for word in names.english_words(kind)), kind
    whole = len({*names.english(), *names.chinese(), *names.pictures()})
    assert whole > 17_000
    assert text_tokenizer.PIECES + whole <= text_tokenizer.TEXT_TOKENS
