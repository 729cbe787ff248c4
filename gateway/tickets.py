"""Visitors' tickets: signed, short-lived, bound to client, session and visitor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import digest
from uuid import UUID, uuid5

import jwt

ALGORITHM = "HS256"
AUDIENCE = "chatconnect-session"
LIFETIME = timedelta(minutes=30)
# A ticket is renewed in its second half, so that a visitor who keeps talking never runs out of one.
RENEWED_AFTER = LIFETIME / 2


class TicketError(Exception):
    """The ticket is not one of ours, or it has expired: open a new session."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says."""

    client_id: str
    session_id: str
    visitor_id: str
    expires_at: datetime

    @property
    def is_due(self) -> bool:
        """Time to hand out a new one."""
        return self.expires_at - datetime.now(UTC) < LIFETIME - RENEWED_AFTER


class Tickets:
    """Signs with the first secret, accepts any, so that secrets can be rotated."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = secrets

    def issue(self, client_id: str, session_id: str, visitor_id: str) -> tuple[str, Ticket]:
        """A new ticket, and what it says. Raises `TicketError` when no secret is configured."""
        if not self._secrets:
            raise TicketError("Tickets need INTERNAL_SECRET to be set on the gateway.")
        # JWT counts whole seconds.
        now = datetime.now(UTC).replace(microsecond=0)
        ticket = Ticket(client_id, session_id, visitor_id, now + LIFETIME)
        claims = {
            "aud": AUDIENCE,
            "sub": visitor_id,
            "client": client_id,
            "session": session_id,
            "iat": now,
            "exp": ticket.expires_at,
        }
        return jwt.encode(claims, self._secrets[0], ALGORITHM), ticket

    def name(self, *parts: str) -> UUID:
        """An id for these words: the same at every gateway while the first secret is, and nobody else can tell it."""
        namespace = UUID(bytes=digest(self._secrets[0], b"names", "sha256")[:16])
        # Lengths keep ("a", "bc") and ("ab", "c") apart.
        return uuid5(namespace, "".join(f"{len(part)}:{part}" for part in parts))

    def read(self, encoded: str) -> Ticket:
        """What a ticket says, once its signature and its time are checked. Raises `TicketError`."""
        for secret in self._secrets:
            try:
                claims = jwt.decode(
                    encoded,
                    secret,
                    algorithms=[ALGORITHM],
                    audience=AUDIENCE,
                    options={"require": ["exp", "sub", "aud", "client", "session"]},
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError as error:
                raise TicketError("The ticket has expired: open a new session.") from error
            except jwt.InvalidTokenError as error:
                raise TicketError("The bearer token is neither a secret key (sk_…) nor a ticket of ours.") from error
            return Ticket(
                str(claims["client"]),
                str(claims["session"]),
                str(claims["sub"]),
                datetime.fromtimestamp(claims["exp"], UTC),
            )
        raise TicketError("The ticket was not signed by this system: open a new session.")
