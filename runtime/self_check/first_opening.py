"""The self-check that a GPU bundle goes through once on every device, driver, provider and version of its libraries.

What was passed is kept beside the hashes that were verified; where nothing can be kept, every opening is checked. On a
CPU only `edgevlo verify --run` replays the record: opening the embedded model stays as fast as it is.
"""

import hashlib
import os
from typing import Final

from ..backends import backend_facts, on_device
from ..bundle import Bundle, known_bundles
from ..engine import Engine
from ..graphs.failures import NotFiniteError
from .record import read_record
from .replay import replay
from .report import Finding, findings, refusal, refuse

VARIABLE: Final = "EDGEVLO_SELF_CHECK"  # 0: nothing is checked unless `verify --run` asks for it


def is_switched_off() -> bool:
    """Whether the user wants devices not to be checked."""
    return os.environ.get(VARIABLE) == "0"


def check_first_opening(bundle: Bundle, engine: Engine) -> None:
    """Replay a GPU bundle's record unless it passed on this device before.

    Raises `BundleError` for a damaged record and `DeviceError` for a figure outside its limit.
    """
    entry = bundle.manifest.self_check
    if is_switched_off() or not on_device(bundle.manifest) or entry is None or not entry.file:
        return
    if not known_bundles.passed_on(_key(bundle)):
        refuse_wrong(bundle, replayed(bundle, engine))


def replayed(bundle: Bundle, engine: Engine) -> list[Finding]:
    """Replay a bundle's record; return the figures, and none where the bundle has no record.

    Raises `DeviceError` where a graph gives numbers that are not finite: nothing after it can be compared.
    """
    record = read_record(bundle)
    if record is None:
        return []
    try:
        return findings(replay(engine, bundle.manifest, record), record.limits)
    except NotFiniteError as error:
        fault = f"{error.role} is wrong (numbers that are not finite)"
        raise refusal(fault, str(bundle.folder), ", ".join(backend_facts(bundle.manifest))) from error


def refuse_wrong(bundle: Bundle, found: list[Finding]) -> None:
    """Raise `DeviceError` if a figure is outside its limit; else remember that the bundle passed on this device."""
    if found:
        refuse(found, str(bundle.folder), ", ".join(backend_facts(bundle.manifest)))
        known_bundles.remember_passed(_key(bundle))


def _key(bundle: Bundle) -> str:
    """Return what changes with the bundle and with all that its results depend on here."""
    facts = repr((bundle.digest, backend_facts(bundle.manifest)))
    return hashlib.sha256(facts.encode()).hexdigest()
