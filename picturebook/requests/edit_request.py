"""Changes as people ask for them: one or several in a sentence, with what is said around them."""

from __future__ import annotations

from random import Random

from ..language import plain
from ..world.scene import Scene, Thing
from . import changes, groups
from .editor import Change, Changed, Editor

_ALIKE: dict[Change, Change] = {changes.everything: changes.recolour, changes.hats: changes.hat}
IN_GROUPS = 0.4  # of requests: of several things at once
AROUND = {"before": 0.13, "untouched": 0.06, "rest": 0.05, "instead_of": 0.05}
Asked = tuple[Scene, str, str, tuple[str, ...]]


def _drawn(rng: Random) -> tuple[list[Change], int]:
    """Changes to try one after the other, and how many are asked for."""
    count = rng.choices((1, 2, 3), (0.78, 0.17, 0.05))[0]
    if rng.random() < IN_GROUPS:
        several = rng.choices(list(groups.WEIGHTS), list(groups.WEIGHTS.values()), k=1)
        return [*several, changes.setting, changes.setting], min(count, 2)
    return rng.choices(list(changes.CHANGES), list(changes.CHANGES.values()), k=count * 3), count


def asked(rng: Random, language: str, scene: Scene) -> Asked | None:
    """A change in somebody's words: the new scene, the text, the change in plain words, words for what is not."""
    editor, (chosen, count) = Editor(rng, language, scene), _drawn(rng)
    said, plainly, used = list[str](), list[str](), set[Change]()
    touched = set[Thing]()
    for change in chosen:
        kind = _ALIKE.get(change, change)
        if (kind in used and change not in (changes.setting, changes.vague)) or (change in groups.WEIGHTS and said):
            continue
        before, strangers = editor.scene, len(editor.speaker.unknown)
        made = change(editor)
        if not made or touched & (set(before.things) - set(made[0].things)):
            del editor.speaker.unknown[strangers:]
            if change in groups.WEIGHTS:
                return None
            continue
        pairs = plain.matched(before, made[0])
        touched |= {other for one, other in pairs if one != other and other}
        words = plain.change(before, made[0], pairs) if before != made[0] else ""
        if words is None:
            return None
        editor.scene = made[0]
        used.add(kind)
        said.append(made[1])
        plainly += [words] if words else []
        if len(said) == count:
            break
    if not said:
        return None
    joint = rng.choice(
        (" and ", ", ", ", and ", ", then ", " plus ", ". ", " & ")
        if language == "en"
        else ("，", "，再", "，然后", "，还有", "。", "、", " ")
    )
    text = _around(editor, scene, joint.join(said))
    return editor.scene, text, ", ".join(plainly) or "change nothing", tuple(editor.speaker.unknown)


def _around(editor: Editor, old: Scene, text: str) -> str:
    """The request with what people say before or behind it."""
    way = editor.rng.choices([*AROUND, ""], [*AROUND.values(), 1 - sum(AROUND.values())])[0]
    if way == "rest":
        return text + editor.rng.choice((", ", ". ", "; ") if editor.english else ("，", "。")) + editor.say("rest")
    if way == "untouched":
        kept = [thing for thing in old.things if thing in editor.scene.things]
        if len(old.things) < 2 or not kept:
            return text
        speaker = Editor(editor.rng, editor.language, old)
        name = speaker.name(editor.rng.choice(kept))
        return editor.say("untouched", n=name[0], x=text) if name else text
    if way == "instead_of":
        other = _only_said(Editor(editor.rng, editor.language, old))
        return editor.say("instead_of", b=other[1], x=text) if other else text
    return editor.say("before", x=text) if way == "before" else text


def _only_said(editor: Editor) -> Changed | None:
    """A change that is spoken of and not wanted."""
    change = editor.rng.choice((changes.recolour, changes.swapped, changes.add, changes.remove, changes.setting))
    return change(editor)
