"""Every error that a user can act on.

    EdgevloError
    ├── BundleError        a bundle that cannot be read or does not match its manifest
    ├── CheckpointError    a checkpoint that cannot be exported
    ├── CalibrationError   a calibration that cannot be made, read, or used with this bundle
    ├── AbilityError       the opened model does not support the ability
    ├── PictureError       a file or picture that cannot be used as one
    ├── RequestError       a prompt, size, seed or number outside what the model takes
    ├── OutputError        a result that cannot be written
    └── MemoryShortError   the request does not fit into this machine's memory

The command line prints the message alone and exits with 1; anything else that is raised is a bug and keeps its
traceback.
"""


class EdgevloError(Exception):
    """Anything a user can act on."""


class BundleError(EdgevloError, ValueError):
    """A bundle that this runtime cannot read."""


class CheckpointError(EdgevloError, ValueError):
    """A checkpoint that cannot be exported."""


class CalibrationError(EdgevloError, ValueError):
    """A calibration that cannot be made, read, or used with this bundle."""


class AbilityError(EdgevloError, ValueError):
    """The opened model does not support the ability."""


class PictureError(EdgevloError, ValueError):
    """A file or picture that cannot be used as a picture."""


class RequestError(EdgevloError, ValueError):
    """A prompt, size, seed or number that the model does not accept."""


class OutputError(EdgevloError, OSError):
    """A result that cannot be written where it should go."""


class MemoryShortError(EdgevloError, MemoryError):
    """The request does not fit into the available memory; nothing was allocated for it."""


def first_line(error: BaseException, longest: int = 300) -> str:
    """Return the first line of another library's error."""
    return str(error).strip().split("\n", 1)[0][:longest]
