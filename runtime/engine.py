"""The graphs of an opened bundle, each opened when first needed, and the buffers that drive them.

Knows codes and tokens, not words: prompts come in as token ids, pictures as code grids.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from .backbone import Backbone
from .backends import Head, Runner, fixed_capacity, on_device, open_runner
from .bundle import Bundle
from .device import DeviceBackbone, DeviceGraph, DeviceImageHead
from .embeddings import Embeddings, Floats
from .errors import BundleError, RequestError
from .image_head import ImageHead
from .integer_table import BITS, IntegerTable, row_bytes
from .manifest_graphs import GraphRole, Table
from .pictures import Pixels
from .raster import Codes

# KV capacity grows in these steps, so that most requests meet buffers that already fit.
_CAPACITY_STEP: Final = 256


@dataclass(frozen=True)
class Painter:
    """A backbone and an image head bound to the same memory, for a fixed number of guidance branches."""

    backbone: Backbone
    open_head: Callable[[], Runner]
    codes: int

    @cached_property
    def head(self) -> Head:
        """The image head, opened by the first painting: answers do without."""
        if isinstance(self.backbone, DeviceBackbone):
            return DeviceImageHead(cast(DeviceGraph, self.open_head()), self.backbone, self.codes)
        return ImageHead(cast(ort.InferenceSession, self.open_head()), self.backbone.last_hidden)


class Engine:
    """Runs a bundle's graphs. Painters are kept for reuse; two paintings at once get one each."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._shape = bundle.manifest.backbone
        self._capacity = fixed_capacity(bundle.manifest)  # None: as much as a request needs
        self._idle: dict[int, Painter] = {}

    def check_room(self, prompts: Sequence[Sequence[int]], more: int) -> None:
        """Raise `RequestError` unless the model holds the prompts and `more` tokens after the longest."""
        longest, holds = max(map(len, prompts)), min(self._shape.max_positions, self._capacity or 2**31)
        if longest + more > holds:
            raise RequestError(
                f"the prompt has {longest} tokens and at most {max(holds - more, 0)} fit: this model holds {holds} "
                f"and the result needs {more}. Shorten the prompt, or use fewer or smaller pictures."
            )

    @contextmanager
    def painter(self, prompts: Sequence[Sequence[int]], more: int, features: Floats | None = None) -> Iterator[Painter]:
        """Lend buffers with the prompts read in, one row each, and room for `more` tokens.

        `features` (features, hidden_size) are what the prompts' negative ids stand for.
        """
        self.check_room(prompts, more)
        needed = max(map(len, prompts)) + more
        painter = self._idle.pop(len(prompts), None)
        if painter is None or painter.backbone.capacity < needed:
            painter = self._make(len(prompts), needed)
        painter.backbone.prefill(prompts, features)
        try:
            yield painter
        finally:
            self._idle[len(prompts)] = painter

    def _make(self, rows: int, needed: int) -> Painter:
        step = min(-(-needed // _CAPACITY_STEP) * _CAPACITY_STEP, self._shape.max_positions)
        capacity, runner = self._capacity or step, self._backbone
        backbone = (
            DeviceBackbone(cast(DeviceGraph, runner), self._shape, self._embeddings, rows=rows, capacity=capacity)
            if on_device(self._bundle.manifest)
            else Backbone(
                cast(ort.InferenceSession, runner), self._shape, self._embeddings, rows=rows, capacity=capacity
            )
        )
        return Painter(backbone, lambda: self._image_head, self._bundle.manifest.codes.count)

    def check(self) -> None:
        """Open every graph and table; raise `BundleError` at the first that is not what the manifest says."""
        for role in self._bundle.manifest.graphs:
            open_runner(self._bundle, role, prepack=False)  # weights stay in their files
        _ = self._embeddings

    def text_choice(self, hidden: Floats) -> Callable[[], int]:
        """Return a function giving the likeliest next token after `hidden` (1, hidden_size), read anew at each call.

        Codes among the tokens are left out where the manifest says so.
        """
        session, manifest = self._text_head, self._bundle.manifest
        first = manifest.codes.first_token
        left_out = slice(first, first + manifest.codes.count if manifest.answer.text_only else first)

        def choose() -> int:
            (logits,) = session.run(["logits"], {"hidden": hidden})
            logits[0, left_out] = -np.inf
            return int(np.argmax(logits[0]))

        return choose

    def decode(self, codes: npt.NDArray[np.integer]) -> Pixels:
        """Return the decoder's output (1, 3, height, width) for a code grid (rows, columns)."""
        (pixels,) = self._image_decoder.run(["pixels"], {"codes": codes[np.newaxis].astype(np.int64)})
        return np.asarray(pixels, dtype=np.float32)

    def encode(self, pixel_values: Pixels) -> Codes:
        """Return the code grid (rows, columns) of `pixel_values` (1, 3, height, width)."""
        (codes,) = self._image_tokenizer.run(["codes"], {"pixel_values": pixel_values})
        return np.asarray(codes[0], dtype=np.int32)

    def features(self, pixel_values: Pixels) -> Floats:
        """Return the embeddings (tokens, hidden_size) that stand for `pixel_values` (1, 3, side, side) in a prompt."""
        (features,) = self._vision_encoder.run(["features"], {"pixel_values": pixel_values})
        return np.asarray(features[0], dtype=np.float32)

    @cached_property
    def _backbone(self) -> Runner:
        return self._open("backbone")

    @cached_property
    def _image_head(self) -> Runner:
        return self._open("image_head")

    @cached_property
    def _text_head(self) -> Runner:
        return self._open("text_head")

    @cached_property
    def _image_decoder(self) -> Runner:
        return self._open("image_decoder")

    @cached_property
    def _image_tokenizer(self) -> Runner:
        return self._open("image_tokenizer")

    @cached_property
    def _vision_encoder(self) -> Runner:
        return self._open("vision_encoder")

    def _open(self, role: GraphRole) -> Runner:
        return open_runner(self._bundle, role)

    @cached_property
    def _embeddings(self) -> Embeddings:
        manifest = self._bundle.manifest
        codes = None if manifest.code_embedding is None else self._mapped(manifest.code_embedding)
        return Embeddings(self._mapped(manifest.token_embedding), codes)

    def _mapped(self, table: Table) -> Floats | IntegerTable:
        path, (rows, columns) = self._bundle.path(table.file), table.shape
        bits = BITS.get(table.dtype)
        dtype = np.dtype(np.uint8) if bits else np.dtype(table.dtype).newbyteorder("<")
        width = row_bytes(columns, bits) if bits else columns
        if path.stat().st_size != rows * width * dtype.itemsize:
            raise BundleError(f"{path} does not hold {rows} x {columns} {table.dtype} numbers.")
        # A plain view: indexing a memmap costs several times as much.
        mapped = np.asarray(np.memmap(path, dtype=dtype, mode="r", shape=(rows, width)))
        return IntegerTable(mapped, columns, bits) if bits else mapped
