"""What a file's C2PA manifest says, and whether that still holds: read by the C2PA library, offline."""

import io
import json
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from ..errors import first_line
from .device import existing
from .library import context, is_installed, library, media_type

# `changed`: the picture or the manifest is not what was signed; `invalid`: it breaks a rule of C2PA otherwise.
State: TypeAlias = Literal["none", "intact", "changed", "invalid", "unchecked"]

_UNKNOWN_SIGNER: Final = "signingCredential.untrusted"
_CHANGED: Final = ("mismatch", "missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A file's manifest. A signature that is intact says who signed only where the signer is known."""

    state: State
    by_this_device: bool = False
    signer: str | None = None  # the names that the certificate gives itself
    issuer: str | None = None
    actions: tuple[str, ...] = ()
    source_type: str | None = None
    ingredients: int = 0
    failures: tuple[str, ...] = ()  # C2PA's codes


def verify(content: bytes, kind: str) -> Credentials:
    """Return the state of a file's manifest; `kind` is Pillow's name of its format.

    Nothing is fetched: no manifests, trust lists or revocations. Known as a signer is this device alone.
    """
    if not is_installed():
        return Credentials(state="unchecked")
    c2pa, own = library(), existing()
    try:
        anchors = context(own.authority if own else "")
        with c2pa.Reader(media_type(kind), io.BytesIO(content), context=anchors) as reader:
            return _read(json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound:
        return Credentials(state="none")
    except c2pa.C2paError as error:
        return Credentials(state="invalid", failures=(first_line(error),))


def _read(store: dict[str, Any]) -> Credentials:
    active = store["manifests"][store["active_manifest"]]
    results = store.get("validation_results", {}).get("activeManifest", {})
    failures = tuple(one["code"] for one in results.get("failure", ()) if one["code"] != _UNKNOWN_SIGNER)
    changed = any(code.endswith(_CHANGED) for code in failures)
    signature = active.get("signature_info", {})
    actions = [one for item in active["assertions"] if "actions" in item["label"] for one in item["data"]["actions"]]
    kinds = [one["digitalSourceType"].rpartition("/")[2] for one in actions if "digitalSourceType" in one]
    return Credentials(
        state="changed" if changed else "invalid" if store["validation_state"] == "Invalid" else "intact",
        by_this_device=store["validation_state"] == "Trusted",
        signer=signature.get("common_name"),
        issuer=signature.get("issuer"),
        actions=tuple(one["action"] for one in actions),
        source_type=kinds[-1] if kinds else None,
        ingredients=len(active.get("ingredients", ())),
        failures=failures,
    )
