"""How a provider fails, as the two kinds of failure that the runtime knows (`schemas/failures.py`).

ProviderError
├── ProviderBusyError      retryable: 408, 409, 425, 429, 5xx, 529, connection, timeout, a stream that was cut
└── ProviderRefusedError   permanent: the other 4xx, quota used up
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from schemas.failures import PermanentError, RetryableError
from schemas.retry_after import retry_after_seconds

MAX_SHOWN_CHARACTERS = 300
_RETRYABLE_4XX = frozenset({408, 409, 425, 429})


class ProviderError(Exception):
    """A provider did not answer as it should."""


class ProviderBusyError(ProviderError, RetryableError):
    """Another try, or another provider, may succeed."""


class ProviderRefusedError(ProviderError, PermanentError):
    """Asking again gives the same; another provider may answer."""


def refusal(provider: str, status: int, headers: Mapping[str, str], body: str) -> ProviderError:
    """What an HTTP status other than 200 means."""
    message = f"{provider} answered {status}: {' '.join(body.split())[:MAX_SHOWN_CHARACTERS] or 'nothing'}"
    if "insufficient_quota" in body:
        # OpenAI sends this as a 429 too, but only a payment ends it.
        return ProviderRefusedError(message, code="provider_quota")
    if status in _RETRYABLE_4XX or not 400 <= status < 500:
        return ProviderBusyError(message, retry_after_seconds=retry_after_seconds(headers, datetime.now(UTC)))
    return ProviderRefusedError(message, code="provider_refused")
