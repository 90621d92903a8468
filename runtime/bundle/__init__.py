"""Bundles on disk: verified when opened, whole or absent when written."""

from .open import EMBEDDED, Bundle, open_bundle, read_bundle
from .verify import verify_bundle, verify_files
from .write import check_new, publish, seal, sealed_bundle, staged_folder, staging_folder, with_quality, with_self_check

__all__ = [
    "EMBEDDED",
    "Bundle",
    "check_new",
    "open_bundle",
    "publish",
    "read_bundle",
    "seal",
    "sealed_bundle",
    "staged_folder",
    "staging_folder",
    "verify_bundle",
    "verify_files",
    "with_quality",
    "with_self_check",
]
