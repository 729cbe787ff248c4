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
# How long after its expiry it may still be renewed: a night, a weekend, a short holiday.
RENEWABLE = timedelta(days=7)
# How far apart the clocks of two gateways may be.
LEEWAY = timedelta(seconds=60)
MAX_KEY_CHARACTERS = 64
MAX_TICKET_CHARACTERS = 4_096

# Half of a pair, which cannot be encoded.
_SURROGATE = re.compile("[\ud800-\udfff]")


class TicketError(Exception):
    """The ticket is not valid: open a new session."""


class TicketExpiredError(TicketError):
    """The ticket has expired: renew it with POST /sessions/{sessionId}/ticket, or open a new session."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The claims of a ticket. `key_hash`: of the publishable key that it came from, whose revocation ends the ticket.
    None: the client's server asked for it.
    """

    client_id: str
    session_id: str
    visitor_id: str
    expires_at: datetime
    key_hash: str | None = None

    @property
    def is_due(self) -> bool:
        """Whether a new one should be issued."""
        return self.expires_at - datetime.now(UTC) < LIFETIME - RENEWED_AFTER


class Tickets:
    """Signs with the first secret, accepts any, so that secrets can be rotated."""

    def __init__(self, secrets: Sequence[bytes], *, lifetime: timedelta = LIFETIME, leeway: timedelta = LEEWAY) -> None:
        self._secrets = secrets
        self._lifetime = lifetime
        self._leeway = leeway

    def issue(
        self, client_id: str, session_id: str, visitor_id: str, key_hash: str | None = None
    ) -> tuple[str, Ticket]:
        """A new ticket, encoded, and its claims. Raises `TicketError` when no secret is configured."""
        if not self._secrets:
            raise TicketError("Tickets need INTERNAL_SECRET to be set on the gateway.")
        # JWT counts whole seconds.
        now = datetime.now(UTC).replace(microsecond=0)
        ticket = Ticket(client_id, session_id, visitor_id, now + self._lifetime, key_hash)
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
        """An id derived from these parts: the same at every gateway with this first secret, unguessable without it."""
        # Lengths keep ("a", "bc") and ("ab", "c") apart.
        named = "".join(f"{len(part)}:{part}" for part in ("names", *parts))
        # Marked as random (version 4), because it is as hard to guess: a page may use it as its session id.
        return UUID(bytes=digest(self._secrets[0], named.encode(), "sha256")[:16], version=4)

    def read(self, encoded: str, *, is_renewal: bool = False) -> Ticket:
        """The claims of a ticket with a valid signature and time; for a renewal it may have expired recently.

        Raises `TicketError`.
        """
        grace = self._leeway + RENEWABLE if is_renewal else self._leeway
        if len(encoded) > MAX_TICKET_CHARACTERS:
            raise TicketError("The bearer token is neither a secret key (sk_…) nor a valid ticket.")
        for secret in self._secrets:
            try:
                return _ticket(_claims(encoded, secret, self._leeway, grace))
            except jwt.InvalidSignatureError:
                continue
        raise TicketError("The ticket was not signed by this system: open a new session.")


def _claims(encoded: str, secret: bytes, leeway: timedelta, grace: timedelta) -> dict[str, Any]:
    """The verified claims. `grace`: how long after its expiry a ticket is still accepted."""
    try:
        claims: dict[str, Any] = jwt.decode(
            encoded,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            leeway=leeway,
            # The times are checked below: PyJWT also accepts times that are not whole numbers.
            options={"require": ["exp", "sub", "aud", "client", "session"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidSignatureError:
        raise
    except jwt.ImmatureSignatureError as error:
        raise TicketError("The ticket is not valid yet: is this machine's clock right?") from error
    except (jwt.InvalidTokenError, ValueError, OverflowError) as error:
        raise TicketError("The bearer token is neither a secret key (sk_…) nor a valid ticket.") from error
    now = datetime.now(UTC)
    if _moment(claims["exp"]) + grace < now:
        raise TicketExpiredError(str(TicketExpiredError.__doc__))
    if "iat" in claims and _moment(claims["iat"]) - leeway > now:
        raise TicketError("The ticket was issued in the future: are the clocks of the servers right?")
    return claims


def _moment(seconds: Any) -> datetime:
    """The time in a claim. Raises `TicketError` for a value that `issue` never writes."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 2**33:
        raise TicketError("A time in the ticket is not valid: open a new session.")
    return datetime.fromtimestamp(seconds, UTC)


def _ticket(claims: dict[str, Any]) -> Ticket:
    named = {"client": MAX_CLIENT_ID_CHARACTERS, "session": MAX_SESSION_ID_CHARACTERS, "sub": MAX_VISITOR_ID_CHARACTERS}
    if claims.get("key") is not None:
        named["key"] = MAX_KEY_CHARACTERS
    for name, limit in named.items():
        if not isinstance(claims[name], str) or not 0 < len(claims[name]) <= limit or _SURROGATE.search(claims[name]):
            raise TicketError("The ticket's client, session or visitor is not valid: open a new session.")
    return Ticket(claims["client"], claims["session"], claims["sub"], _moment(claims["exp"]), claims.get("key"))
