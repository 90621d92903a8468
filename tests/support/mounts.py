"""Whether this process may mount: tests that do so have a namespace of their own."""

import shutil
import subprocess


def can_mount() -> bool:
    """Return whether `unshare` makes a mount namespace here."""
    found = shutil.which("unshare")
    return found is not None and subprocess.run([found, "--mount", "true"], capture_output=True).returncode == 0
