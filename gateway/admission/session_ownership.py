"""A session gets its owner before its first question is accepted, so that every gateway refuses all others."""

import re
from time import monotonic
from uuid import UUID

import structlog
from cachetools import FIFOCache

from gateway.admission.access import Caller, ticket_needed
from gateway.admission.tickets import Tickets
from gateway.replay.subscriptions import Session, Subscriptions
from gateway.web.problems import Problem
from stores.postgres.database import DATABASE_ERRORS
from stores.postgres.sessions import SessionOwner, Sessions

MAX_RECORDED = 50_000
# While Postgres is unavailable, one question in this many seconds tries it again.
RETRY_INTERVAL_SECONDS = 5.0
# A random UUID has about fourteen of the sixteen digits; one with fewer than this is not random.
MIN_DIFFERENT_DIGITS = 8

_RANDOM = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[47][0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}", re.IGNORECASE)

log = structlog.get_logger()


class SessionOwnership:
    """Records who owns a session: the first caller who names it."""

    def __init__(self, sessions: Sessions, subscriptions: Subscriptions, tickets: Tickets) -> None:
        self._sessions = sessions
        self._subscriptions = subscriptions
        self._tickets = tickets
        self._recorded: FIFOCache[tuple[str, str], None] = FIFOCache(MAX_RECORDED)
        self._retry_at = 0.0

    async def open(self, caller: Caller, session: Session, message_id: UUID, *, is_named: bool) -> None:
        """Checks that the caller may ask in this session. `is_named`: the request named it, so others may know the id.

        Raises `Problem` 403 and 422, and for a page that names a session `DATABASE_ERRORS`: only Postgres knows whether
        it is another visitor's. All other callers are accepted while Postgres is unavailable.
        """
        if caller.ticket is not None:
            caller.require_session(session.session_id)
        elif caller.kind == "publishable" and is_named:
            require_unguessable("sessionId", session.session_id)
            await self._claim(session, message_id)
        else:
            if caller.kind == "publishable":
                # The session id is derived from it.
                require_unguessable("messageId", str(message_id))
            await self._record(caller, session, message_id)

    def visitor(self, session: Session) -> str:
        """The visitor of a session that a page opens: the same each time, so that a repeated POST has the same one."""
        return str(self._tickets.name("visitor", session.client_id, session.session_id))

    def ticket_for(self, caller: Caller, session: Session) -> str | None:
        """A ticket for a visitor who has none, or whose own is in its second half."""
        if caller.kind == "publishable":
            visitor_id = self.visitor(session)
        elif caller.ticket is not None and caller.ticket.is_due:
            visitor_id = caller.ticket.visitor_id
        else:
            return None
        return self._tickets.issue(session.client_id, session.session_id, visitor_id, caller.key_hash)[0]

    async def visitor_for_ticket(self, session: Session, visitor_id: str | None, otherwise: str) -> str:
        """The visitor who may get a ticket of this session from the client's server: its owner, else `visitor_id`, else
        `otherwise`. Raises `Problem` 409 for another visitor's session, and `DATABASE_ERRORS`.
        """
        given = visitor_id or otherwise
        wanted = SessionOwner("visitor", given)
        owner, is_new = await self._sessions.claim(session.client_id, session.session_id, wanted)
        if owner.kind == "server":
            if await self._sessions.transfer(session.client_id, session.session_id, given):
                return given
            # Another ticket was issued at the same time: it has the session.
            owner, is_new = await self._sessions.claim(session.client_id, session.session_id, wanted)
        if is_new:
            return given
        if owner.visitor_id == visitor_id or (visitor_id is None and owner.message_id is None):
            return owner.visitor_id or ""
        raise Problem(409, "This session belongs to another visitor: choose another sessionId.", slug="session-taken")

    async def require_same_visitor(self, session: Session, visitor_id: str) -> None:
        """Checks that no other visitor owns this session. Raises `Problem` 403, and `DATABASE_ERRORS`."""
        owner = await self._sessions.find(session.client_id, session.session_id)
        if owner is not None and owner.kind == "visitor" and owner.visitor_id != visitor_id:
            raise ticket_needed()

    async def is_known(self, client_id: str, session_id: str) -> bool:
        """Whether the session has an owner. Raises `DATABASE_ERRORS`."""
        return await self._sessions.find(client_id, session_id) is not None

    async def _claim(self, session: Session, message_id: UUID) -> None:
        wanted = SessionOwner("visitor", self.visitor(session), message_id)
        # A session with answers and without an owner is that of a server that writes to the log itself.
        has_answers = self._subscriptions.has_answers(session)
        claimed = SessionOwner("server") if has_answers else wanted
        try:
            owner, _ = await self._sessions.claim(session.client_id, session.session_id, claimed)
        except DATABASE_ERRORS:
            if self._subscriptions.holds(session, message_id):
                # A caller that knows a message id of the session asked it: this repeats its first POST.
                return
            raise
        if owner != wanted:
            raise ticket_needed()

    async def _record(self, caller: Caller, session: Session, message_id: UUID) -> None:
        key = session.client_id, session.session_id
        if key in self._recorded or monotonic() < self._retry_at:
            return
        is_page = caller.is_visitor
        owner = SessionOwner("visitor", self.visitor(session), message_id) if is_page else SessionOwner("server")
        try:
            await self._sessions.claim(*key, owner)
        except DATABASE_ERRORS as error:
            self._retry_at = monotonic() + RETRY_INTERVAL_SECONDS
            log.warning("session_not_recorded", error=repr(error))
            return
        self._recorded[key] = None


def require_unguessable(name: str, given: str) -> None:
    """An id that a page chooses must be unguessable. Raises `Problem` 422."""
    found = _RANDOM.search(given)
    if found is None or len(set(found[0].lower()) - {"-"}) < MIN_DIFFERENT_DIGITS:
        raise Problem(
            422,
            f"A page's {name} must hold a random UUID (version 4 or 7): leave it out, and the answer brings one.",
            slug="id-guessable",
        )
