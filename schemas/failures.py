"""The two kinds of failure that the runtime knows. Anything else that a handler raises is a defect:
it is tried again like a retryable one, since most defects of that kind are a dependency's bad moment.
"""


class RetryableError(Exception):
    """Trying again later may help: 429, 5xx, 529, connection, timeout."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class PermanentError(Exception):
    """Trying again cannot help. `code` is stable; the message is a sentence for whoever is told."""

    def __init__(self, message: str, *, code: str = "internal") -> None:
        super().__init__(message)
        self.code = code


class RefusedError(PermanentError):
    """The request itself is at fault, so whoever sent it is told its `code`."""
