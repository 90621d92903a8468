"""What a bundle says about itself: `manifest.json`, schema `edgevlo-bundle/1` or `/2`, decoded strictly.

The manifest is data. It names graphs, tables, prompts and numbers; it holds no code and no template language, and this
module knows neither ONNX nor files other than the manifest itself. Unknown keys, wrong types and numbers out of range
are errors that name the file, the field and the reason. The parts stand in the modules beside this one.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ..errors import BundleError, remedy
from ..files import check_regular
from . import checks
from .abilities import Ability, AbilityName, Answer
from .graphs import Backbone, Graph, GraphRole, Precision, Table
from .guidance import Guidance, Sampling
from .pictures import Codes, Domain, Grid, Postprocess, Preprocess
from .prompts import ImageBlock
from .values import Bytes, Count, Digest, Finite, OneLine, Record, ShortText, Words

FORMAT: Final = "edgevlo-bundle/1"
SHARED_FORMAT: Final = "edgevlo-bundle/2"  # of bundles whose files share weights; an older runtime would misread these
MANIFEST_FILE: Final = "manifest.json"
MAX_MANIFEST_BYTES: Final = 4 * 1024 * 1024

Target: TypeAlias = Literal["portable", "cpu", "cuda", "rtx", "tensorrt"]


class Producer(Record, frozen=True, kw_only=True):
    """The program that wrote the bundle."""

    name: OneLine
    version: OneLine


class Source(Record, frozen=True, kw_only=True):
    """The checkpoint that the bundle was made from."""

    id: OneLine
    licence: OneLine
    revision: OneLine = ""


class File(Record, frozen=True, kw_only=True):
    """Size and SHA-256 of one file of the bundle."""

    bytes: Bytes
    sha256: Digest


class Quality(Record, frozen=True, kw_only=True):
    """How far a bundle was measured to be from the one it was made from, and whether that is within its limits.

    `reference` is the SHA-256 of the other bundle's manifest, `data` that of the requests both were given, `limits` the
    precision by whose limits it was judged. A bundle that did not pass was kept with `--accept-quality-loss`.
    """

    reference: Digest
    requests: Count
    data: Digest
    limits: Precision
    passed: bool
    figures: Annotated[dict[Words, Finite], Meta(max_length=256)]
    reasons: Annotated[tuple[OneLine, ...], Meta(max_length=64)] = ()

    def __post_init__(self) -> None:
        if self.passed == bool(self.reasons):
            raise ValueError("quality has reasons if and only if it did not pass")


class SelfCheck(Record, frozen=True, kw_only=True):
    """The file that records the bundle's own outputs, for devices to compare theirs with; or why there is none."""

    file: ShortText = ""
    absent: OneLine = ""

    def __post_init__(self) -> None:
        if bool(self.file) == bool(self.absent):
            raise ValueError("self_check has a file or the reason why it is absent")


class Manifest(Record, frozen=True, kw_only=True):
    """What `manifest.json` says. Read once; nothing changes it afterwards."""

    format: Literal["edgevlo-bundle/1", "edgevlo-bundle/2"]
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")]
    family: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\Z")]
    producer: Producer
    source: Source
    target: Target
    graphs: dict[GraphRole, Graph]
    token_embedding: Table
    code_embedding: Table | None = None  # None: the codes are tokens of the vocabulary
    tokenizer: ShortText
    backbone: Backbone
    codes: Codes
    grid: Grid
    image_block: ImageBlock
    guidance: Guidance
    sampling: Sampling
    answer: Answer
    preprocess: Preprocess
    postprocess: Postprocess
    abilities: dict[AbilityName, Ability]
    domain: Domain | None = None  # None: the tokenizer takes any picture
    quality: Quality | None = None  # None: not measured
    self_check: SelfCheck | None = None  # None: made before there were any, or portable
    files: Annotated[dict[str, File], Meta(max_length=65_536)]


# A path inside the bundle: no absolute paths, no parent folders, no backslashes, no hidden files.
_INSIDE: Final = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$")


def read_manifest(folder: Path) -> Manifest:
    """Read and check `folder/manifest.json`; raise `BundleError` naming file, field and reason."""
    path = folder / MANIFEST_FILE
    try:
        if path.is_symlink():
            raise BundleError(
                f"{path} is a link; a bundle may contain only regular files. Copy the file itself into the bundle."
            )
        check_regular(path)
        size = path.stat().st_size
        if size > MAX_MANIFEST_BYTES:
            raise BundleError(f"{path} has {size} bytes; a manifest has at most {MAX_MANIFEST_BYTES}. Export it again.")
        raw = path.read_bytes()
    except OSError as error:
        advice = remedy(error, f"Name a bundle folder; {folder} is none")
        raise BundleError(f"{path} cannot be read ({error.strerror}). {advice}") from error
    try:
        declared = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get("format")
        if declared is not None and bytes(declared) not in (f'"{one}"'.encode() for one in (FORMAT, SHARED_FORMAT)):
            raise BundleError(
                f"{path}: format is {bytes(declared).decode(errors='replace')[:80]}; this edgevlo reads "
                f'"{FORMAT}" and "{SHARED_FORMAT}". Update edgevlo, or export the checkpoint again.'
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path}: {error}. Export or download the bundle again.") from error
    _check(manifest, path)
    return manifest


def _check(manifest: Manifest, path: Path) -> None:
    """Raise `BundleError` unless the manifest's parts agree with each other."""

    def refuse(field: str, reason: str) -> None:
        raise BundleError(f"{path}: {field} {reason}. Export or download the bundle again.")

    _check_files(manifest, refuse)
    _check_shared(manifest, refuse)
    checks.check_tables(
        manifest.token_embedding, manifest.code_embedding, manifest.backbone.hidden_size, manifest.codes, refuse
    )
    block, abilities, preprocess = manifest.image_block, manifest.abilities, manifest.preprocess
    checks.check_opener(block, refuse)
    checks.check_grid(manifest.grid, manifest.codes.cell, refuse)
    checks.check_preprocess(preprocess, refuse)
    checks.check_guidance(manifest.guidance, block, refuse)
    checks.check_readings(abilities, block, preprocess, refuse)
    checks.check_sampling(manifest.sampling, abilities, manifest.graphs.get("image_head"), refuse)
    if manifest.domain is not None:
        checks.check_domain_graphs(manifest.graphs, refuse)
    for name, ability in abilities.items():
        reading = ability.reads or block.features
        checks.check_ability(name, ability, manifest.graphs, reading, refuse)
        if ability.output == "interleaved":
            checks.check_interleave(reading, block, manifest.grid, manifest.guidance, refuse)


def _check_files(manifest: Manifest, refuse: checks.Refuse) -> None:
    """Refuse files outside the bundle, and parts whose files are not listed."""
    for name in manifest.files:
        if not _INSIDE.fullmatch(name) or name.casefold() == MANIFEST_FILE:
            refuse(f"files has {name!r}, which", "is not a plain path inside the bundle")
    if len({name.casefold() for name in manifest.files}) < len(manifest.files):
        refuse("files", "has names that differ in capitals alone, which are one file on some disks")
    named = {f"graphs.{role}.file": graph.file for role, graph in manifest.graphs.items()}
    named |= {"token_embedding.file": manifest.token_embedding.file, "tokenizer": manifest.tokenizer}
    if manifest.code_embedding is not None:
        named["code_embedding.file"] = manifest.code_embedding.file
    if manifest.self_check is not None and manifest.self_check.file:
        named["self_check.file"] = manifest.self_check.file
    for field, file in named.items():
        if file not in manifest.files:
            refuse(field, f"names {file!r}, which is not listed under files")


def _check_shared(manifest: Manifest, refuse: checks.Refuse) -> None:
    """Refuse shared weights that are not in the bundle, or that the bundle's format does not have."""
    if manifest.token_embedding.block is not None and manifest.token_embedding.dtype != "int8":
        refuse("token_embedding.block", f"is given, but its numbers are {manifest.token_embedding.dtype}, not int8")
    if manifest.code_embedding is not None and manifest.code_embedding.block is not None:
        refuse("code_embedding.block", "is given, which only token_embedding may have")
    shares = manifest.token_embedding.block is not None or any(graph.shared for graph in manifest.graphs.values())
    if shares != (manifest.format == SHARED_FORMAT):
        refuse("format", f"is {manifest.format}, which has shared weights if and only if it is {SHARED_FORMAT}")
    for role, graph in manifest.graphs.items():
        for file, size in graph.shared.items():
            listed = manifest.files.get(file)
            if listed is None or listed.bytes < size:
                refuse(f"graphs.{role}.shared", f"names {size} bytes of {file!r}, which the bundle does not have")


def file_bytes(manifest: Manifest, role: GraphRole) -> int:
    """Return how large a graph's own files are."""
    file = manifest.graphs[role].file
    return sum(listed.bytes for name, listed in manifest.files.items() if name.startswith(file))


def graph_bytes(manifest: Manifest, role: GraphRole) -> int:
    """Return how large a graph is with all its weights, also those that lie in other files."""
    return file_bytes(manifest, role) + sum(manifest.graphs[role].shared.values())


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as indented JSON, ready to be written."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
