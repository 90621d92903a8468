"""Why a job is not taken or was not finished. Each becomes one HTTP status, which this module does not know."""


class EngineError(Exception):
    """Something a client is told in these words."""


class QueueFullError(EngineError):
    """The queue has no place left, for anybody or for this client."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ClosingError(EngineError):
    """The server is stopping and takes nothing new."""


class ModelUnavailableError(EngineError):
    """A model cannot be opened: `kind` is the class of the error that its worker met."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class WorkerLostError(EngineError):
    """The worker ended while it worked."""


class SessionFullError(EngineError):
    """A session has no place for another turn."""
