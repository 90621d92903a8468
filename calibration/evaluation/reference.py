"""Bundles that carry out the requests of an evaluation, and what the reference computed for each, kept.

The reference goes first, greedily; its codes and tokens are what both bundles are fed, so that one draw that differs
does not make all that follow differ. Compares nothing.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from edgevlo.runtime.arguments import as_path
from edgevlo.runtime.arrays import Codes, Progress
from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.errors import RoomError
from edgevlo.runtime.generate.stroke import Stroke
from edgevlo.runtime.model import Model

from .cases import Case, strokes_of
from .hidden_states import layer_names, why_no_layers
from .teacher_forcing import TeacherForcedEngine, Trace

Pictures = Sequence[Path | Image.Image]


class RequestsWarning(UserWarning):
    """Requests that ship and that a model has no room for: they are left out."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A bundle under evaluation, and its emulation where a CPU computes graphs that were made for a GPU.

    Name, precision and limits are the bundle's; only the graphs that run are those of the emulation.
    """

    bundle: Bundle
    emulation: Bundle | None = None

    @property
    def form(self) -> Bundle:
        """The bundle whose graphs are run."""
        return self.emulation or self.bundle


def subject_of(bundle: Path | str | Bundle | Subject) -> Subject:
    """Return a bundle as a subject; a folder is opened, and raises `BundleError` if it is not a sound bundle."""
    if isinstance(bundle, Subject):
        return bundle
    return Subject(bundle if isinstance(bundle, Bundle) else open_bundle(as_path("bundle", bundle)))


class Performer:
    """A bundle that carries out requests: teacher-forced, or sampling as it does for its users."""

    def __init__(self, bundle: Bundle, layers: Sequence[str] = ()) -> None:
        self._engine = TeacherForcedEngine(bundle, layers)
        self.model = Model(bundle, self._engine)

    def teacher_forced(self, case: Case, pictures: Pictures, reference: Trace | None = None) -> Trace:
        """Carry a request out, fed the draws of `reference` or the bundle's own likeliest ones; return the trace."""
        self._engine.begin(reference)
        trace = self._engine.trace
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the answer's wording and of fitted pictures, which are not compared
            if case.ability == "ask":
                self.model.ask(list(pictures), case.text)
            elif case.ability == "detect":
                self.model.detect(pictures[0], case.labels)
            else:
                trace.shape = self._last_stroke(case, pictures).codes.shape
        if reference is not None and len(trace.tokens) < len(reference.tokens):
            raise RoomError(
                f"an answer has {len(reference.tokens)} tokens and at most {len(trace.tokens)} fit into the KV cache. "
                "Quantize again with more room: edgevlo quantize --capacity."
            )
        return trace

    def sampled(self, case: Case, pictures: Pictures) -> Image.Image:
        """Return the picture that a user gets: drawn by the model's own sampling, with the case's seed."""
        self._engine.begin_sampling()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._last_stroke(case, pictures).preview

    def _last_stroke(self, case: Case, pictures: Pictures) -> Stroke:
        *_, last = strokes_of(self.model, case, pictures)
        return last


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceResult:
    """What the reference made of one request; the pictures are None for an answer."""

    case: Case
    trace: Trace
    picture: Image.Image | None  # decoded from its likeliest codes
    sampled: Image.Image | None  # as users get it, if that is compared


class Reference:
    """The bundle that others are compared with. Each request is carried out once."""

    def __init__(self, subject: Subject, listed: Sequence[Case], *, layers: bool = True, sampled: bool = True) -> None:
        self.bundle, self.cases = subject.bundle, tuple(listed)
        self._by_number = {case.number: case for case in listed}
        self.why_no_layers = why_no_layers(subject.form) if layers else "they were not asked for"
        self.layers = () if self.why_no_layers else layer_names(subject.form)
        self._performer = Performer(subject.form, self.layers)
        self._sampled = sampled
        self._results: dict[int, ReferenceResult] = {}

    def leave_out_long_ones(self, progress: Progress | None = None) -> None:
        """Carry all cases out, and leave those out that the model has no room for, with one warning.

        Raises `RoomError` if none is left.
        """
        left: list[Case] = []
        for done, case in enumerate(self.cases):
            if progress is not None:
                progress(f"reference, {case.ability}", done, len(self.cases))
            try:
                self.result(case)
            except RoomError:
                left.append(case)
        self.cases = tuple(case for case in self.cases if case not in left)
        if not self.cases:
            raise RoomError(
                f"none of the requests that ship fits into {self.bundle.manifest.name}; "
                "give shorter ones with `prompts`."
            )
        if left:
            listed = ", ".join(f"{count} {ability}" for ability, count in Counter(one.ability for one in left).items())
            warnings.warn(
                f"requests that {self.bundle.manifest.name} has no room for are left out: {listed}",
                RequestsWarning,
                stacklevel=3,
            )

    def pictures(self, case: Case) -> list[Path | Image.Image]:
        """Return the pictures that a case shows: files, or what the reference painted for another case."""
        shown: list[Path | Image.Image] = []
        for one in case.pictures:
            picture = one if isinstance(one, Path) else self.result(self._by_number[one]).picture
            assert picture is not None  # `cases` shows nothing but files and paintings
            shown.append(picture)
        return shown

    def result(self, case: Case) -> ReferenceResult:
        """Return what the reference makes of a case, computed at the first call."""
        if case.number not in self._results:
            pictures = self.pictures(case)
            trace = self._performer.teacher_forced(case, pictures)
            picture = self._performer.model.decode(grid(trace)) if trace.codes else None
            sampled = self._performer.sampled(case, pictures) if trace.codes and self._sampled else None
            self._results[case.number] = ReferenceResult(case=case, trace=trace, picture=picture, sampled=sampled)
        return self._results[case.number]


def grid(trace: Trace) -> Codes:
    """Return the codes that a bundle found likeliest, (rows, columns)."""
    return np.array(trace.codes, dtype=np.int32).reshape(trace.shape)
