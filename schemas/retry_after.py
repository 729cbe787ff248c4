"""The header `Retry-After` (RFC 9110 §10.2.3), as clients of other services read it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_SECONDS = 600


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from now, whether the header has seconds or a date; at most 10 min. None without a usable one."""
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value).astimezone(UTC) - now).total_seconds()
        except ValueError:
            return None
    # Written so that NaN, which float() reads, gives the minimum.
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS)
