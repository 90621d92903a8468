"""Two bundles at the same requests, compared draw by draw and pixel by pixel.

Both are fed the reference's codes and tokens (`teacher_forcing.py`); `Comparison` adds up the differences.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
from PIL import Image

from edgevlo.runtime.arrays import Codes, Floats, Progress
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.abilities import Ability, AbilityName
from edgevlo.runtime.manifest.schema import Manifest

from .cases import Case
from .hidden_states import layer_names, why_no_layers
from .metrics import Energies, PictureDifferences, divergence
from .reference import Performer, Pictures, Reference, ReferenceResult, Subject, grid
from .teacher_forcing import Trace

Figures: TypeAlias = dict[str, Any]  # as in JSON; None for a ratio without any error

DECIDED: Final = math.log(2)  # logits: a code or token twice as likely as any other

# What two bundles of one model share, whatever their precision.
_SAME: Final = ("family", "codes", "grid", "image_block", "guidance", "answer", "preprocess")


def check_comparable(reference: Bundle, candidate: Bundle) -> None:
    """Raise `BundleError` naming what differs unless both bundles hold the same model, whatever its precision."""
    ours, theirs = reference.manifest, candidate.manifest
    differing = [name for name in _SAME if getattr(ours, name) != getattr(theirs, name)]
    if _abilities(ours) != _abilities(theirs):
        differing.append("abilities")
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


def _abilities(manifest: Manifest) -> dict[AbilityName, Ability]:
    """Return the abilities without their sampling, which GPU bundles may lack a part of."""
    return {name: msgspec.structs.replace(ability, sampling=None) for name, ability in manifest.abilities.items()}


def _tokens(manifest: Manifest) -> tuple[int, str]:
    return manifest.token_embedding.shape[0], manifest.files[manifest.tokenizer].sha256


def decided(reference: Trace, candidate: Trace) -> Codes:
    """Return the candidate's codes (rows, columns), but the reference's where that found several as likely."""
    ahead = [np.subtract(*np.partition(logits, -2)[:-3:-1]) for logits in reference.logits]
    return np.where(np.reshape(ahead, reference.shape) >= DECIDED, grid(candidate), grid(reference))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The pictures that reference and candidate painted for one request, for people to look at."""

    case: Case
    reference: Image.Image
    candidate: Image.Image
    agreement: float  # of codes, teacher-forced
    colour: float  # CIEDE2000, 95th percentile


@dataclass(slots=True)
class _Draws:
    """Draws of codes: of the same row of all pictures, or of several rows."""

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
    forced: PictureDifferences = field(default_factory=PictureDifferences)  # decided codes, teacher-forced
    sampled: PictureDifferences = field(default_factory=PictureDifferences)  # each bundle's own sampling
    answers: list[list[bool]] = field(default_factory=list)  # token by token
    sure: list[bool] = field(default_factory=list)  # the same, for tokens of which the reference was sure
    read: list[bool] = field(default_factory=list)  # code by code of the pictures that were read
    features: Energies = field(default_factory=Energies)

    def add(self, theirs: Trace, ours: Trace) -> None:
        """Add one request: the reference's trace and the candidate's, teacher-forced by it."""
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
            "free_pictures": self.sampled.figures(),
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
    reference: Reference, candidate: Subject, *, sampled: bool = True, progress: Progress | None = None
) -> tuple[Figures, list[Pair]]:
    """Compare a bundle with the reference at all its cases; return the figures, and pictures to look at.

    With `sampled` both also paint with their own sampling and the same seeds, and those pictures are returned; without
    it, the teacher-forced ones. Raises `BundleError` unless both hold the same model.
    """
    tell = progress or (lambda _what, _done, _all: None)
    check_comparable(reference.bundle, candidate.bundle)
    performer = Performer(candidate.form, _shared_layers(reference, candidate.form))
    comparison, pairs = Comparison(), list[Pair]()
    for done, case in enumerate(reference.cases):
        tell(f"{case.ability}, case {done + 1}", done, len(reference.cases))
        pictures, result = reference.pictures(case), reference.result(case)
        trace = performer.teacher_forced(case, pictures, result.trace)
        comparison.add(result.trace, trace)
        if result.picture is not None:
            pairs.append(_pair(comparison, performer, result, trace, pictures if sampled else None))
    tell("done", len(reference.cases), len(reference.cases))
    return comparison.figures(), pairs


def _shared_layers(reference: Reference, candidate: Bundle) -> tuple[str, ...]:
    if not reference.layers or why_no_layers(candidate):
        return ()
    return tuple(name for name in layer_names(candidate) if name in reference.layers)


def _pair(
    comparison: Comparison, performer: Performer, result: ReferenceResult, trace: Trace, pictures: Pictures | None
) -> Pair:
    """Compare the teacher-forced pictures of a request; with `pictures`, also the sampled ones."""
    assert result.picture is not None
    theirs = grid(result.trace)
    with np.errstate(invalid="ignore"):  # NaN becomes black, which the figures show
        comparison.decoder.add(result.picture, performer.model.decode(theirs))
        first, second = result.picture, performer.model.decode(decided(result.trace, trace))
        differences = comparison.forced
        differences.add(first, second)
        if pictures is not None and result.sampled is not None:
            first, second = result.sampled, performer.sampled(result.case, pictures)
            differences = comparison.sampled
            differences.add(first, second)
    return Pair(
        case=result.case,
        reference=first,
        candidate=second,
        agreement=float(np.mean(theirs == grid(trace))),
        colour=float(np.percentile(differences.colours[-1], 95)),
    )
