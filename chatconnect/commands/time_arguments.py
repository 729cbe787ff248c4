"""Times as people write them on a command line."""

import re
from datetime import UTC, datetime, timedelta

import typer

_AGO = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str | None) -> datetime | None:
    """`2026-01-31T12:00:00Z`, or `15m`, `2h`, `7d` ago; None stays None. Raises typer's `BadParameter`."""
    if text is None:
        return None
    if ago := _AGO.fullmatch(text.strip()):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 2026-01-31T12:00:00Z, or 15m, 2h, 7d for ago.") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)
