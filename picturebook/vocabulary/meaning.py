"""What a new token starts as: near the usual name of what it says, so that `dachshund` is heard as a sort of `dog`.

Words of several names that agree on a value, `retriever`, start near it as well; what the world does not have starts as
the sum of its own random vector and one that all such words share, which is all that is needed to copy it.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from ..language.lexicon import OUTSIDE, lexicon
from .names import SPACE, english_words, pictures, said

AGREEMENT = 0.8  # of the names that hold a word, to take their value for its own
NEAR, OWN = 0.75, 0.65  # shares of the value's vector and of a random one
USUAL_FORM = {"kind": "one", "colour": "adj", "hat": "emoji"}


def meanings() -> dict[str, tuple[str, str]]:
    """Word -> (attribute, value) for all words that say one thing; (`outside`, ``) for what the world does not have."""
    says: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    names = [(english_words(name), meant) for name, meant in said("en").items()]
    for words, meant in names:
        says.update((word, says[word] + Counter([meant])) for word in words)
    agreed = {word: meant for word, some in says.items() for meant, count in some.most_common(1)
              if count >= AGREEMENT * some.total()}  # fmt: skip
    agreed |= {words[0]: meant for words, meant in names if len(words) == 1}
    bare = {word.removeprefix(SPACE): meant for word, meant in agreed.items()}
    return agreed | bare | dict(said("zh")) | pictures()


def usual_name(attribute: str, value: str, language: str) -> str | None:
    """The name by which a value is called most; None where no word by itself says it."""
    names = lexicon(language).said
    for form in (USUAL_FORM.get(attribute, "noun"), "short", "noun", "adv", "one"):
        if (attribute, form, value) in names:
            name = names[attribute, form, value][0]
            return f" {name}" if language == "en" else name
    return None


def starting_rows(words: list[str], old: Tokenizer, table: torch.Tensor, seed: int) -> torch.Tensor:
    """First embeddings of new words, (words, width), from a tokenizer without them and its embeddings, (old, width)."""
    generator = torch.Generator().manual_seed(seed)
    size = float(table.norm(dim=1).median())

    def random() -> torch.Tensor:
        vector = torch.randn(table.shape[1], generator=generator)
        return functional.normalize(vector, dim=0) * size

    def spelt(text: str) -> torch.Tensor:
        return functional.normalize(table[old.encode(text, add_special_tokens=False).ids].mean(0), dim=0) * size

    known, shared = meanings(), random()
    rows = []
    for word in words:
        attribute, value = known.get(word.replace(" ", SPACE), ("", ""))
        language = "zh" if "\u4e00" <= word[0] <= "\u9fff" else "en"
        name = usual_name(attribute, value, language) if value else None
        near = spelt(name) if name else shared if attribute == OUTSIDE else spelt(word)
        rows.append(NEAR * near + OWN * random())
    return torch.stack(rows)
