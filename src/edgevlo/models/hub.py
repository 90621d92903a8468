"""Bundles and checkpoints from the Hugging Face Hub, verified. Knows what may be downloaded, not where it is installed.

The hub's own client downloads into the hub's own cache, keeps every finished file there, and honours HF_HOME,
HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE. Nothing of a repository is executed, and Python files are not even downloaded.
"""

import hashlib
import json
import logging
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from edgevlo.export.families.registry import FAMILIES, instead_of
from edgevlo.runtime.errors import BundleError, EdgevloError, OutputError, first_line
from edgevlo.runtime.extras import install_command
from edgevlo.runtime.files import scratch_folder
from edgevlo.runtime.manifest.schema import MANIFEST_FILE, read_manifest

from .unfinished import remove_unfinished

Kind = Literal["bundle", "checkpoint"]

CONFIG_FILE: Final = "config.json"
INDEXES: Final = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
BESIDE: Final = ("*.json", "*.jinja", "*.md", "*.txt", "*.tiktoken", "LICEN[CS]E*", "licen[cs]e*")  # of weights
TENSORS: Final = ("*.safetensors",)
PICKLES: Final = ("*.bin", "*.pt", "*.pth")  # read as tensors only, export/checkpoint/weights.py
FILES: Final = frozenset(file for family in FAMILIES for file in family.files)  # that some weights lack

_BELOW: Final = "*/*"  # of a checkpoint nothing in folders is read but what `FILES` names


class HubError(BundleError):
    """A repository that cannot be downloaded, or whose files do not match their hashes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository in the hub's cache: links to files, all of which were verified."""

    folder: Path
    kind: Kind


def fetch(name: str, *, revision: str | None = None, pickles: bool = False, wanted: Kind | None = None) -> Snapshot:
    """Fetch the bundle or the checkpoint of a repository, or take it from the hub's cache.

    Downloads the files that a bundle's manifest lists, or those of a checkpoint that export reads. A checkpoint without
    safetensors is refused unless `pickles` may take their place; what is not `wanted` is refused before its weights
    are downloaded.
    """
    with _one_line(name, revision):
        remove_unfinished(name)
    folder = _download(name, revision, [MANIFEST_FILE, CONFIG_FILE])
    kind: Kind = "bundle" if (folder / MANIFEST_FILE).is_file() else "checkpoint"
    if kind == "checkpoint" and not (folder / CONFIG_FILE).is_file():
        raise HubError(
            f"{name} on the Hub is neither a bundle ({MANIFEST_FILE}) nor a checkpoint ({CONFIG_FILE})."
            f"{instead_of(name)}"
        )
    if wanted not in (None, kind):
        how = f"export it first: edgevlo export {name} -o BUNDLE" if kind == "checkpoint" else f"use it: -m {name}"
        raise HubError(f"{name} is a {kind}, not a {wanted}; {how}")
    if kind == "bundle":
        _download(name, revision, [MANIFEST_FILE, *_listed(folder)])
        _verify(name, folder)
        return Snapshot(folder, kind)
    _download(name, revision, [*BESIDE, *TENSORS], _BELOW)
    if not _safetensors(folder):
        if not pickles:
            raise HubError(
                f"{name} on the Hub has no safetensors. Pickles are read as tensors only and run no code, but ask for "
                f"them: edgevlo pull --pickle {name}"
            )
        _download(name, revision, [*BESIDE, *PICKLES], _BELOW)
    if pickles:
        _download(name, revision, [*FILES])
    _check_weights(name, folder)
    _verify(name, folder)
    return Snapshot(folder, kind)


def _listed(folder: Path) -> list[str]:
    """Return the files of a bundle by its manifest, of which the cache holds a link."""
    with scratch_folder(None, "manifest") as temporary:
        shutil.copyfile(folder / MANIFEST_FILE, temporary / MANIFEST_FILE)
        return [*read_manifest(temporary).files]


def _safetensors(folder: Path) -> list[Path]:
    """Return the safetensors of the weights themselves."""
    return [path for path in folder.glob("*.safetensors") if path.name not in FILES]


def _check_weights(name: str, folder: Path) -> None:
    """Raise `HubError` unless the weights are complete: every shard that an index names."""
    for index in (folder / file for file in INDEXES):
        if not index.is_file() or (index.name != INDEXES[0] and _safetensors(folder)):
            continue
        try:
            shards = {str(shard) for shard in json.loads(index.read_bytes())["weight_map"].values()}
        except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise HubError(f"{name} on the Hub has a damaged {index.name} ({error}).") from error
        if missing := sorted(shard for shard in shards if not (folder / shard).is_file()):
            raise HubError(f"{name} lacks {missing[0]}, which its {index.name} names; {_AGAIN.format(name)}")
        return
    if not _safetensors(folder) and not any(path for pattern in PICKLES for path in folder.glob(pattern)):
        raise HubError(f"{name} on the Hub has no weights.")


_AGAIN: Final = "download it again: edgevlo rm {0}; edgevlo pull {0}"


def _verify(name: str, folder: Path) -> None:
    """Raise `HubError` unless every file has the hash that the Hub names.

    The cache names what it downloads by its hash: a SHA-256 for large files, git's own for others. Where the cache
    holds plain files, on systems without links, there is no hash to compare with.
    """
    for path in sorted(folder.rglob("*")):
        blob = path.resolve()
        if not path.is_symlink() or not blob.is_file():
            continue
        if re.fullmatch("[0-9a-f]{64}", blob.name):
            found = _hashed(blob, "sha256")
        elif re.fullmatch("[0-9a-f]{40}", blob.name):
            found = _hashed(blob, "sha1", f"blob {blob.stat().st_size}\0".encode())
        else:
            continue
        if found != blob.name:
            raise HubError(f"{path.relative_to(folder)} of {name} is damaged; {_AGAIN.format(name)}")


def _hashed(path: Path, algorithm: str, start: bytes = b"") -> str:
    digest = hashlib.new(algorithm, start, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _download(name: str, revision: str | None, patterns: list[str], but: str | None = None) -> Path:
    with _one_line(name, revision):
        from huggingface_hub import snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars

        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # errors are reported here, in one line
        if not sys.stderr.isatty():
            disable_progress_bars()
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns, ignore_patterns=but))


@contextmanager
def _one_line(name: str, revision: str | None = None) -> Iterator[None]:
    """Turn the client's errors into one line that says what to do."""
    try:
        from huggingface_hub import constants
        from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError
        from huggingface_hub.errors import RevisionNotFoundError as NoRevisionError
    except ImportError as error:
        raise EdgevloError(
            f"downloading from the Hub needs huggingface_hub: {install_command('hub')} ({error})."
        ) from error
    start = f"{name} is not a local folder, and downloading it from the Hub failed:"
    try:
        yield
    except EdgevloError:
        raise
    except GatedRepoError as error:  # a kind of the next
        raise HubError(
            f"{start} its licence must be accepted first, at {constants.ENDPOINT}/{name}; then log in: hf auth login"
        ) from error
    except RepositoryNotFoundError as error:
        raise HubError(
            f"{start} there is no such model, or it is private; check the name, or log in: hf auth login"
        ) from error
    except NoRevisionError as error:
        raise HubError(f"{start} it has no revision {revision!r}.") from error
    except Exception as error:  # network, authorisation and cache errors share no base class
        if isinstance(error, OSError) and error.filename is not None and not isinstance(error, LocalEntryNotFoundError):
            raise OutputError(f"the Hub's cache cannot be written ({error.strerror}): {error.filename}.") from error
        if constants.HF_HUB_OFFLINE:
            raise HubError(
                f"{start} it was not downloaded before, and HF_HUB_OFFLINE is set; unset it to download."
            ) from error
        reason = first_line(error.__cause__ or error, 160)
        raise HubError(
            f"{start} {reason}. Check the network, then run the command again; finished files are kept."
        ) from error


def cached() -> Iterator[tuple[str, Path, int]]:
    """Yield name, newest snapshot and bytes of every model in the hub's cache; none without the hub's client."""
    try:
        from huggingface_hub import scan_cache_dir
        from huggingface_hub.errors import CacheNotFound
    except ImportError:
        return
    try:
        found = scan_cache_dir()
    except (CacheNotFound, OSError):
        return
    for repository in sorted(found.repos, key=lambda one: one.repo_id):
        revisions = sorted(repository.revisions, key=lambda one: one.last_modified)
        if repository.repo_type == "model" and revisions:
            yield repository.repo_id, Path(revisions[-1].snapshot_path), repository.size_on_disk


def forget(name: str) -> int:
    """Remove a model from the Hub's cache; return how many bytes were freed."""
    try:
        from huggingface_hub import scan_cache_dir
        from huggingface_hub.errors import CacheNotFound
    except ImportError:
        return 0
    try:
        found = scan_cache_dir()
    except (CacheNotFound, OSError):
        return 0
    revisions = [
        revision.commit_hash
        for repository in found.repos
        if repository.repo_type == "model" and repository.repo_id == name
        for revision in repository.revisions
    ]
    if not revisions:
        return 0
    strategy = found.delete_revisions(*revisions)
    strategy.execute()
    return int(strategy.expected_freed_size)
