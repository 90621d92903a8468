"""The pip command that installs an optional extra. Imports nothing of it."""

import shlex


def install_command(extra: str) -> str:
    """Return a pip command that works wherever this edgevlo came from: a clone, a wheel file or an index.

    It names the packages of the extra, as the installed metadata lists them: `edgevlo[extra]` would need an index that
    has edgevlo. A source tree that was never installed has no metadata; there the clone itself is named.
    """
    packages = _packages(extra)
    return f"pip install {' '.join(map(shlex.quote, packages))}" if packages else f"pip install '.[{extra}]'"


def _packages(extra: str) -> list[str]:
    from importlib.metadata import PackageNotFoundError, requires  # slow to import, and only needed for an error

    try:
        lines = requires("edgevlo") or []
    except PackageNotFoundError:
        return []
    parts = [line.partition(";") for line in lines]
    return [package.strip() for package, _, marker in parts if marker.split() == ["extra", "==", f'"{extra}"']]
