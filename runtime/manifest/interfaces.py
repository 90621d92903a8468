"""What every graph takes and gives: the table of docs/bundle.md, with a bundle's own numbers. Opens nothing."""

from typing import Final, TypeAlias

from .graphs import DType, GraphRole, Tensor
from .schema import Manifest

Interface: TypeAlias = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # inputs, outputs

MAX_TOP_K: Final = 3840  # TensorRT's TopK takes no more


def contract(manifest: Manifest, role: GraphRole) -> Interface:
    """Return inputs and outputs of a graph as the runtime binds them."""
    size, count = manifest.backbone.hidden_size, manifest.codes.count
    match role:
        case "backbone":
            return _backbone(manifest)
        case "image_head":
            inputs = (
                _tensor("hidden", "float32", "N", "R", size),
                _tensor("weights", "float32", "R"),
                _tensor("temperature", "float32"),
                _tensor("top_k", "int64", 1),
                *((_tensor("top_p", "float32", 1),) if takes_top_p(manifest) else ()),
                _tensor("uniform", "float32", "N"),
            )
            return inputs, (_tensor("code", "int64", "N"), _tensor("logits", "float32", "N", count))
        case "text_head":
            tokens = manifest.token_embedding.shape[0]
            return (_tensor("hidden", "float32", "B", size),), (_tensor("logits", "float32", "B", tokens),)
        case "image_decoder":
            return (_tensor("codes", "int64", 1, "h", "w"),), (_tensor("pixels", "float32", 1, 3, "H", "W"),)
        case "image_tokenizer":
            return (_tensor("pixel_values", "float32", 1, 3, "H", "W"),), (_tensor("codes", "int64", 1, "h", "w"),)
        case "vision_encoder":
            square = manifest.preprocess.fit_pad_square
            side: int | str = "S" if square is None else square.side
            pixel_values = _tensor("pixel_values", "float32", "N", 3, side, side)
            return (pixel_values,), (_tensor("features", "float32", "N", "T", size),)


def takes_top_p(manifest: Manifest) -> bool:
    """Whether the image head keeps the likeliest codes by their probability: some bundles draw without."""
    head = manifest.graphs.get("image_head")
    return head is not None and any(tensor.name == "top_p" for tensor in head.inputs)


def most_top_k(manifest: Manifest) -> int | None:
    """Return the largest top-k that the image head applies, None if there is no bound; 0, all codes, always goes.

    Those of GPUs look the k-th largest logit up among the largest, of which TensorRT finds no more.
    """
    bounded = manifest.target in ("cuda", "rtx", "tensorrt") and manifest.codes.count > MAX_TOP_K
    return MAX_TOP_K if bounded else None


def _backbone(manifest: Manifest) -> Interface:
    shape = manifest.backbone
    cache = [
        (f"{side}.{layer}", shape.cache_dtype, ("B", shape.kv_heads, "C", shape.head_dim))
        for side in ("keys", "values")
        for layer in range(shape.layers)
    ]
    inputs = (
        _tensor("inputs_embeds", "float32", "B", "S", shape.hidden_size),
        _tensor("past_lengths", "int64", "B"),
        _tensor("token_counts", "int64", "B"),
        *(_tensor(f"past_{name}", dtype, *dims) for name, dtype, dims in cache),
    )
    outputs = (
        _tensor("hidden", "float32", "B", "S", shape.hidden_size),
        _tensor("last_hidden", "float32", "B", shape.hidden_size),
        *(_tensor(f"present_{name}", dtype, *dims) for name, dtype, dims in cache),
    )
    return inputs, outputs


def _tensor(name: str, dtype: DType, *shape: int | str) -> Tensor:
    return Tensor(name=name, dtype=dtype, shape=shape)


def difference(expected: tuple[Tensor, ...], found: tuple[Tensor, ...]) -> str | None:
    """Return in words how tensors differ in name, type, rank or a size that is fixed on both sides; None if nowhere."""
    by_name = {tensor.name: tensor for tensor in found}
    if names := sorted(by_name.keys() ^ {tensor.name for tensor in expected}):
        return f"{', '.join(names[:4])} on one side only"
    for ours in expected:
        theirs = by_name[ours.name]
        fits = len(ours.shape) == len(theirs.shape) and all(
            isinstance(left, str) or isinstance(right, str) or left == right
            for left, right in zip(ours.shape, theirs.shape, strict=True)
        )
        if ours.dtype != theirs.dtype or not fits:
            return f"{ours.name} is {theirs.dtype}{list(theirs.shape)} instead of {ours.dtype}{list(ours.shape)}"
    return None
