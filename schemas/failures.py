"""The two kinds of failure that the runtime knows. Anything else that a handler raises is a defect:
it is tried again like a retryable one, since most of them are a dependency's temporary failure.
"""


class RetryableError(Exception):
    """A later retry may help: 429, 5xx, 529, connection, timeout."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class PermanentError(Exception):
    """A retry cannot help. `code` is stable; the message is a sentence for people."""

    def __init__(self, message: str, *, code: str = "internal") -> None:
        super().__init__(message)
        self.code = code


class RefusedError(PermanentError):
    """The request itself is at fault, so its sender gets the `code`."""
