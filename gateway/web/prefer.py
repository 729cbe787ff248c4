"""The header `Prefer` (RFC 7240): how long a caller wants to wait."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_WAIT_SECONDS = 60

_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preference:
    """`applied` is the value of `Preference-Applied`; None when no preference was given."""

    wait_seconds: float
    applied: str | None = None


def preference(headers: Sequence[str]) -> Preference:
    """What the `Prefer` headers ask for; unknown preferences are ignored, as the RFC requires."""
    preferences = [item.split(";")[0].strip() for header in headers for item in header.split(",")]
    if any(item.lower() == "respond-async" for item in preferences):
        return Preference(0, "respond-async")
    for item in preferences:
        if found := _WAIT.fullmatch(item):
            seconds = min(int(found[1]), MAX_WAIT_SECONDS)
            return Preference(seconds, f"wait={seconds}")
    return Preference(MAX_WAIT_SECONDS)
