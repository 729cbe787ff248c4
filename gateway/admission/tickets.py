"""Visitors' tickets: signed, short-lived, bound to client, session and visitor, and to the key that they came from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import digest
from typing import Any
from uuid import UUID

import jwt

from schemas.bounds import MAX_CLIENT_ID_CHARACTERS, MAX_SESSION_ID_CHARACTERS, MAX_VISITOR_ID_CHARACTERS

ALGORITHM = "HS256"
AUDIENCE = "chatconnect-session"
LIFETIME = timedelta(minutes=30)
# A ticket is renewed in its second half, so that a visitor who keeps talking never runs out of one.
RENEWED_AFTER = LIFETIME / 2
# For so long after its end it may still be exchanged for a new one: a night, a weekend, a short holiday.
RENEWABLE = timedelta(days=7)
# How far apart the clocks of two gateways may be.
LEEWAY = timedelta(seconds=60)
MAX_KEY_CHARACTERS = 64
MAX_TICKET_CHARACTERS = 4_096

# Half a pair, which no encoding takes.
_SURROGATE = re.compile("[\ud800-\udfff]")


class TicketError(Exception):
    """The ticket is not one of ours: open a new session."""


class TicketExpiredError(TicketError):
    """The ticket has expired: renew it with POST /sessions/{sessionId}/ticket, or open a new session."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says. `key_hash`: of the publishable key that it came from; None: the client's server asked for it.

    It ends with that key.
    """

    client_id: str
    session_id: str
    visitor_id: str
    expires_at: datetime
    key_hash: str | None = None

    @property
    def is_due(self) -> bool:
        """Time to hand out a new one."""
        return self.expires_at - datetime.now(UTC) < LIFETIME - RENEWED_AFTER


class Tickets:
    """Signs with the first secret, accepts any, so that secrets can be rotated."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = secrets

    def issue(
        self, client_id: str, session_id: str, visitor_id: str, key_hash: str | None = None
    ) -> tuple[str, Ticket]:
        """A new ticket, and what it says. Raises `TicketError` when no secret is configured."""
        if not self._secrets:
            raise TicketError("Tickets need INTERNAL_SECRET to be set on the gateway.")
        # JWT counts whole seconds.
        now = datetime.now(UTC).replace(microsecond=0)
        ticket = Ticket(client_id, session_id, visitor_id, now + LIFETIME, key_hash)
        claims = {
            "aud": AUDIENCE,
            "sub": visitor_id,
            "client": client_id,
            "session": session_id,
            "iat": now,
            "exp": ticket.expires_at,
        }
        if key_hash is not None:
            claims["key"] = key_hash
        return jwt.encode(claims, self._secrets[0], ALGORITHM), ticket

    def name(self, *parts: str) -> UUID:
        """An id for these words: the same at every gateway while the first secret is, and not guessable for others."""
        # Lengths keep ("a", "bc") and ("ab", "c") apart.
        named = "".join(f"{len(part)}:{part}" for part in ("names", *parts))
        # As hard to guess as a random one, so it says that it is one: a page may name its session by it.
        return UUID(bytes=digest(self._secrets[0], named.encode(), "sha256")[:16], version=4)

    def read(self, encoded: str, *, is_renewal: bool = False) -> Ticket:
        """What a ticket says, once its signature and its time are checked; for a renewal it may have expired lately.

        Raises `TicketError`.
        """
        leeway = LEEWAY + RENEWABLE if is_renewal else LEEWAY
        if len(encoded) > MAX_TICKET_CHARACTERS:
            raise TicketError("The bearer token is neither a secret key (sk_…) nor a ticket of ours.")
        for secret in self._secrets:
            try:
                return _ticket(_claims(encoded, secret, leeway))
            except jwt.InvalidSignatureError:
                continue
        raise TicketError("The ticket was not signed by this system: open a new session.")


def _claims(encoded: str, secret: bytes, leeway: timedelta) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            encoded,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            leeway=LEEWAY,
            # The time is checked below: the library reads odd numbers in its own ways.
            options={"require": ["exp", "sub", "aud", "client", "session"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidSignatureError:
        raise
    except jwt.ImmatureSignatureError as error:
        raise TicketError("The ticket is not valid yet: is this machine's clock right?") from error
    except (jwt.InvalidTokenError, ValueError, OverflowError) as error:
        raise TicketError("The bearer token is neither a secret key (sk_…) nor a ticket of ours.") from error
    now = datetime.now(UTC)
    if _moment(claims["exp"]) + leeway < now:
        raise TicketExpiredError(str(TicketExpiredError.__doc__))
    if "iat" in claims and _moment(claims["iat"]) - LEEWAY > now:
        raise TicketError("The ticket was issued in the future: are the clocks of the servers right?")
    return claims


def _moment(seconds: Any) -> datetime:
    """A time of a claim. Raises `TicketError` for what no ticket of ours says."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 2**33:
        raise TicketError("The ticket says an odd time, so it is not one of ours: open a new session.")
    return datetime.fromtimestamp(seconds, UTC)


def _ticket(claims: dict[str, Any]) -> Ticket:
    named = {"client": MAX_CLIENT_ID_CHARACTERS, "session": MAX_SESSION_ID_CHARACTERS, "sub": MAX_VISITOR_ID_CHARACTERS}
    if claims.get("key") is not None:
        named["key"] = MAX_KEY_CHARACTERS
    for name, most in named.items():
        if not isinstance(claims[name], str) or not 0 < len(claims[name]) <= most or _SURROGATE.search(claims[name]):
            raise TicketError("The ticket names no client, session or visitor of ours: open a new session.")
    return Ticket(claims["client"], claims["session"], claims["sub"], _moment(claims["exp"]), claims.get("key"))
