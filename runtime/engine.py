"""The graphs of an opened bundle, each opened when first needed, and the buffers that drive them.

Knows codes and tokens, not words: prompts come in as token ids, pictures as code grids.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from .arrays import Array, Codes, Floats, Pixels
from .backends import Opener, open_runner
from .bundle import Bundle
from .errors import RoomError
from .gpu.device import DeviceBackbone, DeviceImageHead
from .graphs.backbone_kv_cache import Backbone
from .graphs.embeddings import Embeddings, map_table
from .graphs.failures import check_finite, one_line
from .graphs.finite_weights import check_graph, check_table
from .graphs.image_head import ImageHead
from .graphs.onnx_sessions import declared
from .graphs.protocols import Head, Runner, is_device_graph, is_session
from .graphs.speculative_pass import Window
from .graphs.threads import most_threads
from .manifest.graphs import GraphRole
from .memory.kv_cache_capacity import capacity_for, fixed_capacity
from .memory.onnx_shapes import Value, read_values
from .memory.predict import (
    Work,
    cache_and_decoder,
    decoder_bytes,
    gives_way,
    kv_bytes,
    on_cpu,
    prefill_bytes,
    weights_bytes,
)
from .memory.refuse import FOR_REQUEST, check_available
from .once import once
from .pictures import codes_to_pixels, pixels_to_codes
from .pictures.sizes import Shape

_PAINTING: Final[tuple[GraphRole, ...]] = ("backbone", "image_head", "image_decoder")


@dataclass(frozen=True)
class Painter:
    """A backbone and an image head over the same memory, for a fixed number of guidance branches."""

    backbone: Backbone
    open_head: Callable[[], Head]
    name: str  # of its pace: what a pass costs

    @once
    def head(self) -> Head:
        """The image head, opened by the first painting: answers do without."""
        return self.open_head()

    @once
    def window(self) -> Window | None:
        """What reads several codes in a pass; None on a GPU, whose captured steps read one."""
        head = self.head
        return Window(self.backbone, head, self.name) if isinstance(head, ImageHead) else None


class Engine:
    """Runs a bundle's graphs. Painters are kept for reuse; two paintings at once get one each."""

    def __init__(self, bundle: Bundle, open_graph: Opener | None = None, *, threads: int = 0) -> None:
        self._bundle = bundle
        self._open_graph = open_graph or functools.partial(open_runner, threads=threads)
        self._threads = most_threads(threads)
        self._shape = bundle.manifest.backbone
        self._capacity = fixed_capacity(bundle.manifest)  # None: as much as a request needs
        self._idle: dict[int, Painter] = {}
        self._read = 0  # bytes that the backbone took for its largest prompt, and keeps

    @property
    def holds(self) -> int:
        """How many tokens prompt and result may have together: the model's positions, or a fixed KV cache's fewer."""
        positions = self._shape.max_positions
        return positions if self._capacity is None else min(positions, self._capacity)

    def check_room(self, prompts: Sequence[Sequence[int]], more: int) -> None:
        """Raise `RoomError` unless the prompts and `more` tokens after the longest fit into the model."""
        longest, holds = max(map(len, prompts)), self.holds
        if longest + more > holds:
            larger = "" if holds == self._shape.max_positions else ", or quantize again (edgevlo quantize --capacity)"
            raise RoomError(
                f"the prompt has {longest} tokens and at most {max(holds - more, 0)} fit: this model holds {holds} "
                f"and the result needs {more}. Shorten the prompt, use fewer or smaller pictures{larger}."
            )

    def check_memory(self, prompts: Sequence[Sequence[int]], more: int, grid: Shape | None = None) -> None:
        """Raise `MemoryShortError` unless what a request still has to allocate fits into memory.

        With a grid a picture of that size is painted and decoded. Nothing is allocated or opened by asking.
        """
        manifest, folder = self._bundle.manifest, self._bundle.folder
        if not on_cpu(manifest):
            return
        declared(self._bundle, "backbone")  # the shape that the cache's size is computed of
        work = self._work(prompts, more)
        idle = self._idle.get(work.rows)
        roles = self._unopened(("backbone",) if grid is None else _PAINTING)
        needed = weights_bytes(folder, manifest, roles) + max(0, prefill_bytes(manifest, work) - self._read)
        cache = kv_bytes(manifest.backbone, work.rows, work.capacity)
        fresh = idle is None or idle.backbone.capacity < work.capacity
        decoding = 0 if grid is None else decoder_bytes(self._decoder_values, grid)
        needed += cache_and_decoder(cache if fresh else 0, decoding)
        check_available(self._bundle, needed, FOR_REQUEST)

    def _work(self, prompts: Sequence[Sequence[int]], more: int) -> Work:
        longest = max(map(len, prompts))
        capacity = capacity_for(self._bundle.manifest, longest + more)
        return Work(rows=len(prompts), capacity=capacity, prompt=longest)

    def _unopened(self, roles: Sequence[GraphRole]) -> list[GraphRole]:
        return [role for role in roles if f"_{role}" not in vars(self)]  # a cached property is there once it was read

    @contextmanager
    def painter(self, prompts: Sequence[Sequence[int]], more: int, features: Floats | None = None) -> Iterator[Painter]:
        """Lend buffers with the prompts read in, one row each, and room for `more` tokens.

        `features` (features, hidden_size) are what the prompts' negative ids stand for.
        """
        self.check_room(prompts, more)
        self.check_memory(prompts, more)
        needed = max(map(len, prompts)) + more
        painter = self._idle.pop(len(prompts), None)
        if painter is None or painter.backbone.capacity < needed:
            painter = self._make(len(prompts), needed)
        with one_line(self._bundle, "backbone"):
            painter.backbone.prefill(prompts, features)
        self.check_hidden(painter)
        work = self._work(prompts, more)
        self._read = max(self._read, prefill_bytes(self._bundle.manifest, work))
        try:
            with one_line(self._bundle, "backbone or a head"):
                yield painter
        finally:
            self._idle[len(prompts)] = painter

    def check_hidden(self, painter: Painter) -> None:
        """Raise `BundleError` if what a backbone gave last is not finite; NaN in a KV cache stays there."""
        check_finite(painter.backbone.last_hidden, self._bundle, "backbone")

    def _make(self, rows: int, needed: int) -> Painter:
        capacity, graph = capacity_for(self._bundle.manifest, needed), self._backbone
        name = f"{self._bundle.digest[:24]}-{rows}-rows-{self._threads}-threads"
        if is_device_graph(graph):
            device = DeviceBackbone(graph, self._shape, self._embeddings, rows=rows, capacity=capacity)
            return Painter(device, lambda: self._device_head(device), name)
        assert is_session(graph)
        backbone = Backbone(graph, self._shape, self._embeddings, rows=rows, capacity=capacity)
        return Painter(backbone, lambda: self._host_head(backbone), name)

    def _device_head(self, backbone: DeviceBackbone) -> Head:
        graph = self._image_head
        assert is_device_graph(graph)
        return DeviceImageHead(graph, backbone, self._bundle.manifest.codes.count)

    def _host_head(self, backbone: Backbone) -> Head:
        graph = self._image_head
        assert is_session(graph)
        return ImageHead(graph, backbone.last_hidden)

    def check(self) -> None:
        """Open every graph and table; raise `BundleError` at the first that does not match the manifest."""
        for role in self._bundle.manifest.graphs:
            open_runner(self._bundle, role, prepack=False)  # weights stay in their files
        _ = self._embeddings

    def open_all(self) -> None:
        """Open every graph and table and keep them open; raise `BundleError` as `check` does."""
        for role in self._bundle.manifest.graphs:
            getattr(self, f"_{role}")
        _ = self._embeddings

    def check_weights(self) -> None:
        """Raise `BundleError` for a weight or a table that has NaN or infinities; graphs for devices are read, too."""
        manifest = self._bundle.manifest
        for graph in manifest.graphs.values():
            check_graph(self._bundle.path(graph.file))
        for table in (manifest.token_embedding, manifest.code_embedding):
            if table is not None:
                check_table(self._bundle.path(table.file), map_table(self._bundle.folder, table))

    def compute(self, role: GraphRole, outputs: Sequence[str], feeds: Mapping[str, Array]) -> Sequence[Array]:
        """Run a graph on arrays of the host and return the named outputs as they are, numbers unchecked."""
        graph: Runner = getattr(self, f"_{role}")
        with one_line(self._bundle, role):
            return graph.run(outputs, feeds)

    def forget_painters(self) -> None:
        """Give back the memory of the painters that are kept for reuse."""
        self._idle.clear()

    def forget_graphs(self) -> None:
        """Give back the memory of the graphs and painters, too; what is needed again is opened again."""
        self._idle.clear()
        for role in self._bundle.manifest.graphs:
            vars(self).pop(f"_{role}", None)
        self._read = 0

    def text_choice(self, backbone: Backbone) -> Callable[[], int]:
        """Return a function giving the likeliest token after what a backbone of one row has read until each call."""
        logits = self.text_logits(backbone)
        return lambda: int(np.argmax(logits()))

    def text_logits(self, backbone: Backbone) -> Callable[[], Floats]:
        """Return a function giving the logits of the token after what a backbone of one row has read until each call.

        With `text_only` in the manifest, those of codes among the tokens are minus infinity.
        """
        session, manifest = self._text_head, self._bundle.manifest
        first = manifest.codes.first_token
        left_out = slice(first, first + manifest.codes.count if manifest.answer.text_only else first)

        def read() -> Floats:
            (logits,) = session.run(["logits"], {"hidden": backbone.last_hidden})
            check_finite(logits, self._bundle, "text_head")
            logits[0, left_out] = -np.inf
            row: Floats = logits[0]
            return row

        return read

    def decode(self, codes: Codes) -> Pixels:
        """Return the decoder's output (1, 3, height, width) for a code grid (rows, columns).

        Large KV caches of idle painters give way to it; the next painting allocates one in a fraction of a step.
        """
        self._make_way()
        return codes_to_pixels.decode(codes, self._image_decoder, self._bundle)

    def _make_way(self) -> None:
        """Forget painters with large KV caches; on its own, as the caller's loop would hold the last of them."""
        if on_cpu(self._bundle.manifest):
            for rows, painter in list(self._idle.items()):
                if gives_way(kv_bytes(self._shape, rows, painter.backbone.capacity)):
                    self._idle.pop(rows, None)

    def encode(self, pixel_values: Pixels) -> Codes:
        """Return the code grid (rows, columns) of `pixel_values` (1, 3, height, width)."""
        return pixels_to_codes.encode(pixel_values, self._image_tokenizer, self._bundle)

    def features(self, pixel_values: Pixels) -> Floats:
        """Return the embeddings (tokens, hidden_size) that stand for `pixel_values` (1, 3, side, side) in a prompt."""
        return pixels_to_codes.features(pixel_values, self._vision_encoder, self._bundle)

    @once
    def _backbone(self) -> Runner:
        return self._open("backbone")

    @once
    def _image_head(self) -> Runner:
        return self._open("image_head")

    @once
    def _text_head(self) -> Runner:
        return self._open("text_head")

    @once
    def _image_decoder(self) -> Runner:
        return self._open("image_decoder")

    @once
    def _image_tokenizer(self) -> Runner:
        return self._open("image_tokenizer")

    @once
    def _vision_encoder(self) -> Runner:
        return self._open("vision_encoder")

    def _open(self, role: GraphRole) -> Runner:
        if on_cpu(self._bundle.manifest):
            needed = weights_bytes(self._bundle.folder, self._bundle.manifest, (role,))
            check_available(self._bundle, needed, f"for its {role}")
        return self._open_graph(self._bundle, role)

    @once
    def _decoder_values(self) -> tuple[Value, ...]:
        return read_values(self._bundle.path(self._bundle.manifest.graphs["image_decoder"].file))

    @once
    def _embeddings(self) -> Embeddings:
        manifest = self._bundle.manifest
        folder, code_table = self._bundle.folder, manifest.code_embedding
        codes = None if code_table is None else map_table(folder, code_table)
        return Embeddings(map_table(folder, manifest.token_embedding), codes)
