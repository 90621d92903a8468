"""How the kiosk page behaves."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Kiosk:
    """Seconds until an unused page is reset, a visible label, presets, and the page's own address."""

    idle_s: float = 90.0
    label: bool = True
    presets: Path | None = None
    share: str | None = None
