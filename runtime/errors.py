"""Every error that a user can act on.

    EdgevloError
    ├── BundleError        a bundle that cannot be read or does not match its manifest
    ├── DeviceError        a device whose results are not those that a bundle was made with
    ├── CheckpointError    a checkpoint that cannot be exported
    ├── CalibrationError   a calibration that cannot be made, read, or used with this bundle
    ├── AbilityError       the opened model does not support the ability
    ├── PictureError       a file or picture that cannot be used as one
    ├── RequestError       a prompt, size, seed or number outside what the model takes
    │   ├── RoomError      a prompt and a result that are longer than the model or its KV cache
    │   └── ArgumentError  an argument of another type than its parameter; also a TypeError
    ├── OutputError        a result that cannot be written
    └── MemoryShortError   the request does not fit into this machine's memory

The command line prints the message alone and exits with 1; anything else that is raised is a bug and keeps its
traceback.
"""

import errno
from typing import Final

# What a process may lack while it reads a file that is whole, by the system's number or a library's words, and the
# remedy: that of the file would not help.
_LACKED: Final = (
    ((errno.EMFILE, errno.ENFILE), "Too many open files", "Let this process open more files: ulimit -n 1024"),
    ((errno.EACCES, errno.EPERM), "Permission denied", "Let this user read it: chmod -R u+rX, or chown, its folder"),
    ((errno.EIO,), "Input/output error", "Check the disk that it lies on"),
    ((), "requires procfs", "Mount /proc in this container: mount -t proc proc /proc"),
)


class EdgevloError(Exception):
    """Anything a user can act on."""


class BundleError(EdgevloError, ValueError):
    """A bundle that this runtime cannot read."""


class DeviceError(EdgevloError, ValueError):
    """A device, driver or library on which a bundle gives other results than it was made with."""


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


class RoomError(RequestError):
    """A prompt that, with the room for its result, is longer than the model or its KV cache."""


class ArgumentError(RequestError, TypeError):
    """An argument of another type than its parameter."""


class OutputError(EdgevloError, OSError):
    """A result that cannot be written where it should go."""


class MemoryShortError(EdgevloError, MemoryError):
    """The request does not fit into the available memory; nothing was allocated for it."""


def remedy(error: BaseException, otherwise: str) -> str:
    """Return in a sentence what helps where a file could not be read: `otherwise` if the file itself is at fault."""
    number, words = getattr(error, "errno", None), str(error)
    found = (helps for numbers, named, helps in _LACKED if number in numbers or named in words)
    return f"{next(found, otherwise).rstrip('.')}."


def first_line(error: BaseException, longest: int = 300) -> str:
    """Return the first line of another library's error."""
    return str(error).strip().split("\n", 1)[0][:longest]
