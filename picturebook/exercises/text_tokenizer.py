"""The text tokenizer: byte-level BPE trained on the world's own sentences, widened by the whole words of the lexicon.

Any text can be encoded (byte fallback). Digits, the characters of a quoted sign word, and Chinese characters outside
the lexicon's words stand alone, so a phrase is split the same way wherever it occurs. A sign's word in capitals
(`a sign that says LEO`) is read as a quoted one: nobody can tell the letters of a word that is one token. A word in
Latin letters is the same token after a space, a mark or a Chinese character, and at the start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from ..language.common_words import CHINESE, ENGLISH
from ..language.forms import REQUESTS
from ..language.noise import simplified
from ..language.words import LANGUAGES
from ..vocabulary import names
from ..world.atlas import CODES
from .tasks import TASKS, Mix, Sample, sample

SPECIALS = (
    "<pad>",
    "<bos>",
    "<eos>",
    "<image>",
    "<|image start|>",
    "<|image end|>",
    "<|image token|>",
    "<|extra_200|>",  # end of a row
    "<|extra_201|>",  # end of the picture
    "<|answer|>",  # a text answer follows
)
PAD, BOS, EOS, IMAGE, IMAGE_START, IMAGE_END, IMAGE_TOKEN, ROW_END, PICTURE_END, ANSWER = range(len(SPECIALS))
PIECES = 1536  # tokens of byte-level BPE
TEXT_TOKENS = 20_480  # with the whole words; visual tokens follow
VOCABULARY = TEXT_TOKENS + CODES
FORMS_EVERY, WORDS_EVERY = 1000, 4000  # samples for each time that all forms, all common words are seen
QUOTED = 12  # characters after an opening quote that are split one by one
BEFORE_A_SIGN = ("says", "say", "saying", "said", "sign", "sign:", "sign to", "reads", "read", "reading", "word",
                 "words", "text", "letters", "written", "writing", "label", "labelled", "labeled", "saying:", "says:",
                 "word:", "text:")  # fmt: skip
BEFORE_A_CHINESE_SIGN = "写着上是字叫成为牌作个：:"
# where a word begins without a space, though not in quotes nor within a word: "red,cat", "画一只cat"
UNSPACED = r"(?<=[^\s\p{Latin}\p{N}'\"-]|[a-z][a-z]-)(?=[a-z])"
NO_WORD = r"\A (?![a-z])"  # the space that was put before a text which does not begin with a word


def _quotes_around_sign_words() -> list[normalizers.Replace]:
    """Quote the words in capitals that a sign is to say; a mark stands for the opening quote until all are closed."""
    before = [f"{word} " for word in BEFORE_A_SIGN] + [f"[{BEFORE_A_CHINESE_SIGN}]", f"[{BEFORE_A_CHINESE_SIGN}] "]
    word = f"[A-Z][A-Z0-9]{{1,{QUOTED - 1}}}(?![A-Za-z0-9])"
    marked = "|".join(f"\ue001[A-Z0-9]{{{length}}}" for length in range(2, QUOTED + 1))
    return [
        normalizers.Replace(Regex(f"(?<={'|'.join(before)})(?={word})"), "\ue001"),
        normalizers.Replace(Regex(f"(?<={marked})(?![A-Z0-9])"), '"'),
        normalizers.Replace("\ue001", '"'),
    ]


def new_tokenizer(whole: list[str] | None = None) -> Tokenizer:
    """The untrained tokenizer, which keeps some words without spaces between them whole, the longest first."""
    tokenizer = Tokenizer(models.BPE())
    quotes = [normalizers.Replace(quote, '"') for quote in "“”「」『』《》"]
    quotes += [normalizers.Replace(quote, "'") for quote in "‘’"]
    simple = [normalizers.Replace(old, new) for old, new in simplified().items()]
    # a full-width comma survives NFKC, so that Chinese answers keep theirs
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace("，", "\ue000"), *quotes, normalizers.NFKC(), *_quotes_around_sign_words(),
         normalizers.Lowercase(), normalizers.Replace("\ue000", "，"), normalizers.Replace(Regex(names.SHADES), ""),
         *simple, normalizers.Replace(Regex(r"\s+"), " "), normalizers.Prepend(" "),
         normalizers.Replace(Regex(UNSPACED), " "), normalizers.Replace(Regex(NO_WORD), "")]
    )  # fmt: skip
    after_quote = "|".join('^"' + "." * length for length in range(QUOTED))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex('"[^"]*"'), "isolated"),
            pre_tokenizers.Split(Regex(f"(?<={after_quote})."), "isolated"),
            pre_tokenizers.Split(Regex("|".join([*([names.any_of(whole)] if whole else []), r"\p{Han}"])), "isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def corpus(samples: int, seed: int) -> Iterator[str]:
    """Training sentences of every task in both languages, every form, and common words that no form holds."""
    rng = Random(seed)
    mix = Mix(dict.fromkeys(TASKS, 1.0) | {"paint": 4.0, "edit": 3.0, "ask": 3.0}, (0.05, 0.6, 0.35), empty=0.0)
    for _ in range(samples):
        made: Sample = sample(rng, mix)
        yield made.instruction
        yield made.answer or ""
    for _ in range(samples // FORMS_EVERY):
        for one in REQUESTS.values():
            yield from (re.sub(r"{\w+}", "", form) for language in LANGUAGES for form in one.forms(language))
    for _ in range(samples // WORDS_EVERY):
        yield ENGLISH
        yield CHINESE


def train(samples: int = 40_000, seed: int = 1) -> Tokenizer:
    """Train on the corpus and widen; text ids are 0 .. TEXT_TOKENS - 1."""
    tokenizer = new_tokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES,
        min_frequency=2,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(samples, seed), trainer)
    return widened(tokenizer)


def widened(pieces: Tokenizer) -> Tokenizer:
    """The tokenizer with a token for each whole word beside its pieces, whose ids stay; how it reads is today's."""
    whole = [*names.pictures(), *names.chinese()]
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words = [*names.english(), *(as_bytes.pre_tokenize_str(word)[0][0] for word in whole)]
    made, new = json.loads(pieces.to_str()), json.loads(new_tokenizer(whole).to_str())
    vocabulary = made["model"]["vocab"]
    for word in words if len(vocabulary) < TEXT_TOKENS else ():
        vocabulary.setdefault(word, len(vocabulary))
    if len(vocabulary) > TEXT_TOKENS:
        raise ValueError(f"more words than TEXT_TOKENS: make it {len(vocabulary)}, and train anew")
    while len(vocabulary) < TEXT_TOKENS:  # room for the names of later worlds
        vocabulary[f"<|free {len(vocabulary)}|>"] = len(vocabulary)
    made["model"]["ignore_merges"] = True  # a word that has a token is one
    made |= {part: new[part] for part in ("normalizer", "pre_tokenizer")}
    return Tokenizer.from_str(json.dumps(made, ensure_ascii=False))


def as_text(tokenizer: Tokenizer, token: str) -> str:
    """What a token of the vocabulary stands for."""
    text: str = tokenizer.decoder.decode([token])
    return text


def spelling(tokenizer: Tokenizer, dropout: float | None = None) -> Tokenizer:
    """The same tokenizer without whole words: every word in pieces, as one that is misspelt.

    With `dropout`, a merge of two pieces is left out in this share of the cases, so that a word is met in many
    spellings (BPE-dropout: Provilkov et al., 2020, arXiv:1910.13267).
    """
    made = json.loads(tokenizer.to_str())
    made["model"] |= {"ignore_merges": False, "dropout": dropout}
    made["pre_tokenizer"] = json.loads(new_tokenizer().to_str())["pre_tokenizer"]
    return Tokenizer.from_str(json.dumps(made, ensure_ascii=False))


def visual_token(code: int) -> str:
    """Name of a code in the vocabulary."""
    return f"<|visual token {code:06d}|>"


def vocabulary_map(tokenizer: Tokenizer) -> dict[str, int]:
    """Every name -> id, visual tokens included, as Emu3's config wants it."""
    vocabulary: dict[str, int] = dict(sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]))
    return vocabulary | {visual_token(code): TEXT_TOKENS + code for code in range(CODES)}


def load(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint folder."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
