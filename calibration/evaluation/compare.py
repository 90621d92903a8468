"""Two bundles at the same requests, compared draw by draw and pixel by pixel.

The reference goes first, greedily; its codes and tokens are what both bundles are fed, so that one draw that differs
does not make all that follow differ. `Reference` keeps what it brought to light, so that several candidates can be held
against it; `Comparison` adds up the differences.
"""

import math
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from PIL import Image

from edgevlo.runtime.arrays import Codes, Floats, Progress
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.generate.stroke import Stroke
from edgevlo.runtime.manifest.schema import Manifest
from edgevlo.runtime.model import Model

from .cases import Case
from .layers import SeeingOpener, layer_names, open_seeing, unseen_layers
from .metrics import Energies, PictureDifferences, divergence
from .teacher_forcing import ForcedEngine, Notes

# Told what is being done, how much of it is done, and how much there is.
Figures: TypeAlias = dict[str, Any]  # what JSON holds; None for a ratio without any error

DECIDED: Final = math.log(2)  # logits: a code or token twice as likely as any other

# What two bundles of one model have in common, whatever their precision.
_SAME: Final = ("family", "codes", "grid", "image_block", "guidance", "answer", "preprocess", "abilities")


def check_comparable(reference: Bundle, candidate: Bundle) -> None:
    """Raise `BundleError` naming what differs unless both bundles hold the same model, whatever its precision."""
    ours, theirs = reference.manifest, candidate.manifest
    differing = [name for name in _SAME if getattr(ours, name) != getattr(theirs, name)]
    if _tokens(ours) != _tokens(theirs):
        differing.append("vocabulary")
    shapes = [(one.backbone.layers, one.backbone.hidden_size) for one in (ours, theirs)]
    if shapes[0] != shapes[1]:
        differing.append("backbone")
    if differing:
        raise BundleError(
            f"{candidate.folder} is not {reference.folder} in another precision: {', '.join(differing)} differ. "
            "Compare bundles of one checkpoint."
        )


def _tokens(manifest: Manifest) -> tuple[int, str]:
    return manifest.token_embedding.shape[0], manifest.files[manifest.tokenizer].sha256


class Opened:
    """A bundle that carries out requests, under a teacher or left alone."""

    def __init__(self, bundle: Bundle, layers: Sequence[str] = (), open_graph: SeeingOpener = open_seeing) -> None:
        self.bundle = bundle
        self._engine = ForcedEngine(bundle, layers, open_graph)
        self.model = Model(bundle, self._engine)

    def taught(self, case: Case, pictures: Sequence[Path | Image.Image], teacher: Notes | None = None) -> Notes:
        """Carry a request out under a teacher, or as its own, and return what it brought to light."""
        self._engine.begin(teacher)
        notes = self._engine.notes
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what an answer says, and whether a picture fits, is not looked at here
            if case.ability == "ask":
                self.model.ask(list(pictures), case.text)
            elif case.ability == "detect":
                self.model.detect(pictures[0], _objects(case.text))
            else:
                notes.shape = self._last_stroke(case, pictures).codes.shape
        return notes

    def free(self, case: Case, pictures: Sequence[Path | Image.Image]) -> Image.Image:
        """Return the picture that a user gets: drawn by the model's own sampling, with the case's seed."""
        self._engine.leave_alone()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._last_stroke(case, pictures).preview

    def _last_stroke(self, case: Case, pictures: Sequence[Path | Image.Image]) -> Stroke:
        scale, seed = case.guidance_scale, case.seed
        if case.ability == "paint":
            strokes = self.model.paint_rows(case.text, seed=seed, guidance_scale=scale)
        elif case.ability == "edit":
            strokes = self.model.edit_rows(list(pictures), case.text, seed=seed, guidance_scale=scale)
        else:
            names = _objects(case.text)
            strokes = self.model.perceive_rows(case.ability, pictures[0], names, seed=seed, guidance_scale=scale)
        *_, last = strokes
        return last


def _objects(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the reference did with one request; the pictures are None for an answer."""

    case: Case
    notes: Notes
    picture: Image.Image | None  # of the codes it painted greedily
    free: Image.Image | None  # painted as users have it painted, if that was asked for


class Reference:
    """The bundle that others are held against. What it does with a request is kept.

    `open_graph` opens its graphs, and those of the others.
    """

    def __init__(
        self,
        bundle: Bundle,
        listed: Sequence[Case],
        *,
        layers: bool = True,
        free: bool = True,
        open_graph: SeeingOpener = open_seeing,
    ) -> None:
        self.why_no_layers = unseen_layers(bundle, open_graph) if layers else "they were not asked for"
        self.opened = Opened(bundle, () if self.why_no_layers else layer_names(bundle), open_graph)
        self.open_graph = open_graph
        self.cases = tuple(listed)
        self._free = free
        self._seen: dict[int, Seen] = {}

    def pictures(self, case: Case) -> list[Path | Image.Image]:
        """Return the pictures that a case shows: files, or what the reference painted for another case."""
        shown: list[Path | Image.Image] = []
        for one in case.pictures:
            picture = one if isinstance(one, Path) else self.seen(self.cases[one]).picture
            assert picture is not None  # `cases` has nothing read but files and paintings
            shown.append(picture)
        return shown

    def seen(self, case: Case) -> Seen:
        """Return what the reference does with a case, done at the first call."""
        if case.number not in self._seen:
            pictures = self.pictures(case)
            notes = self.opened.taught(case, pictures)
            picture = self.opened.model.decode(grid(notes)) if notes.codes else None
            free = self.opened.free(case, pictures) if notes.codes and self._free else None
            self._seen[case.number] = Seen(case=case, notes=notes, picture=picture, free=free)
        return self._seen[case.number]


def grid(notes: Notes) -> Codes:
    """Return the codes that a bundle found likeliest, (rows, columns)."""
    return np.array(notes.codes, dtype=np.int32).reshape(notes.shape)


def decided(reference: Notes, candidate: Notes) -> Codes:
    """Return the candidate's codes (rows, columns), but the reference's where that found several as likely."""
    ahead = [np.subtract(*np.partition(logits, -2)[:-3:-1]) for logits in reference.logits]
    return np.where(np.reshape(ahead, reference.shape) >= DECIDED, grid(candidate), grid(reference))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What reference and candidate made of one request that is painted, for people to look at."""

    case: Case
    reference: Image.Image
    candidate: Image.Image
    agreement: float  # of codes, under the same teacher
    colour: float  # CIEDE2000, 95th percentile


@dataclass(slots=True)
class _Draws:
    """Draws of codes, of one row of all pictures or of several."""

    agreed: list[bool] = field(default_factory=list)
    decided: list[bool] = field(default_factory=list)  # the reference's likeliest code was clearly the likeliest
    divergences: list[float] = field(default_factory=list)

    def add(self, reference: Floats, candidate: Floats) -> None:
        """Add one draw by its logits (codes,)."""
        second, first = np.partition(reference, -2)[-2:]
        self.agreed.append(int(reference.argmax()) == int(candidate.argmax()))
        self.decided.append(bool(first - second >= DECIDED))
        self.divergences.append(divergence(reference, candidate))

    def figures(self) -> Figures:
        """Return agreement of all codes and of those that were decided, mean and 99th percentile of divergences."""
        clear = [same for same, decided in zip(self.agreed, self.decided, strict=True) if decided]
        return {
            "cells": len(self.agreed),
            "agreement": float(np.mean(self.agreed)),
            "decided": len(clear),
            "decided_agreement": float(np.mean(clear)) if clear else None,
            "kl_mean": float(np.mean(self.divergences)),
            "kl_p99": float(np.percentile(self.divergences, 99)),
        }


def _pooled(rows: Iterable[_Draws]) -> _Draws:
    pool = _Draws()
    for row in rows:
        pool.agreed += row.agreed
        pool.decided += row.decided
        pool.divergences += row.divergences
    return pool


@dataclass(slots=True)
class Comparison:
    """The differences between a reference and one candidate, added up request by request."""

    rows: dict[int, _Draws] = field(default_factory=lambda: defaultdict(_Draws))
    hidden: Energies = field(default_factory=Energies)
    layers: dict[str, Energies] = field(default_factory=lambda: defaultdict(Energies))
    decoder: PictureDifferences = field(default_factory=PictureDifferences)  # the same codes
    forced: PictureDifferences = field(default_factory=PictureDifferences)  # the candidate's decided codes, one teacher
    free: PictureDifferences = field(default_factory=PictureDifferences)  # each bundle on its own
    answers: list[list[bool]] = field(default_factory=list)  # token by token
    sure: list[bool] = field(default_factory=list)  # the tokens of which the reference was sure
    read: list[bool] = field(default_factory=list)  # code by code of the pictures that were read
    features: Energies = field(default_factory=Energies)

    def add(self, seen: Seen, ours: Notes) -> None:
        """Add what a candidate noted of a request that the reference taught it."""
        theirs = seen.notes
        for first, second in zip(theirs.grids, ours.grids, strict=True):
            self.read += np.equal(first, second).ravel().tolist()
        for one, other in zip(theirs.features, ours.features, strict=True):
            self.features.add(one, other)
        if theirs.tokens:
            same = [one == other for one, other in zip(theirs.tokens, ours.tokens, strict=True)]
            self.answers.append(same)
            self.sure += [one for one, ahead in zip(same, theirs.margins, strict=True) if ahead >= DECIDED]
        columns = max(theirs.shape[1], 1)
        for draw, (one, other) in enumerate(zip(theirs.logits, ours.logits, strict=True)):
            self.rows[draw // columns].add(one, other)
        for state, other_state in zip(theirs.hidden, ours.hidden, strict=True):
            self.hidden.add(state, other_state)
        for name, states in ours.layers.items():
            self.layers[name].add(np.stack(theirs.layers[name]), np.stack(states))

    def figures(self) -> Figures:
        """Return everything that was measured, as JSON holds it."""
        return {
            "codes": self._codes(),
            "hidden_sqnr_db": self.hidden.decibels if self.rows else None,
            "layer_sqnr_db": {name: energies.decibels for name, energies in self.layers.items()},
            "decoder": self.decoder.figures(),
            "pictures": self.forced.figures(),
            "free_pictures": self.free.figures(),
            "answers": self._answers(),
            "reading": {
                "codes": len(self.read),
                "agreement": float(np.mean(self.read)) if self.read else None,
                "feature_sqnr_db": self.features.decibels if self.features.signal else None,
            },
        }

    def _codes(self) -> Figures | None:
        if not self.rows:
            return None
        rows = [{"row": number, **row.figures()} for number, row in sorted(self.rows.items())]
        return {**_pooled(self.rows.values()).figures(), "rows": rows}

    def _answers(self) -> Figures | None:
        if not self.answers:
            return None
        tokens = [same for answer in self.answers for same in answer]
        return {
            "answers": len(self.answers),
            "exact": float(np.mean([all(answer) for answer in self.answers])),
            "tokens": len(tokens),
            "token_agreement": float(np.mean(tokens)),
            "decided": len(self.sure),
            "decided_agreement": float(np.mean(self.sure)) if self.sure else None,
        }


def compare(
    reference: Reference, candidate: Bundle, *, free: bool = True, progress: Progress | None = None
) -> tuple[Figures, list[Pair]]:
    """Hold a bundle against the reference at all its cases; return the figures, and pictures to look at.

    Raises `BundleError` when the two do not hold the same model. With `free` both also paint on their own, with the
    same seeds, and those pictures are returned; without it, the ones that were painted under the reference's hand.
    """
    tell = progress or (lambda _what, _done, _all: None)
    check_comparable(reference.opened.bundle, candidate)
    opened = Opened(candidate, _shared_layers(reference, candidate), reference.open_graph)
    comparison, pairs = Comparison(), list[Pair]()
    for done, case in enumerate(reference.cases):
        tell(f"{case.ability}, case {done + 1}", done, len(reference.cases))
        pictures, seen = reference.pictures(case), reference.seen(case)
        notes = opened.taught(case, pictures, seen.notes)
        comparison.add(seen, notes)
        if seen.picture is not None:
            pairs.append(_pair(comparison, opened, seen, notes, pictures if free else None))
    tell("done", len(reference.cases), len(reference.cases))
    return comparison.figures(), pairs


def _shared_layers(reference: Reference, candidate: Bundle) -> tuple[str, ...]:
    if reference.why_no_layers or unseen_layers(candidate, reference.open_graph):
        return ()
    ours = set(layer_names(reference.opened.bundle))
    return tuple(name for name in layer_names(candidate) if name in ours)


def _pair(
    comparison: Comparison,
    opened: Opened,
    seen: Seen,
    notes: Notes,
    pictures: Sequence[Path | Image.Image] | None,
) -> Pair:
    """Compare what both make of a painted request; with `pictures`, also what they paint on their own."""
    assert seen.picture is not None
    theirs = grid(seen.notes)
    with np.errstate(invalid="ignore"):  # NaN becomes black, and is found out
        comparison.decoder.add(seen.picture, opened.model.decode(theirs))
        first, second, differences = seen.picture, opened.model.decode(decided(seen.notes, notes)), comparison.forced
        differences.add(first, second)
        if pictures is not None and seen.free is not None:
            first, second, differences = seen.free, opened.free(seen.case, pictures), comparison.free
            differences.add(first, second)
    return Pair(
        case=seen.case,
        reference=first,
        candidate=second,
        agreement=float(np.mean(theirs == grid(notes))),
        colour=float(np.percentile(differences.colours[-1], 95)),
    )
