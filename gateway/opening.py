"""A session gets its owner before its first question is accepted, so that nobody else is let in, at any gateway."""

import re
from collections import OrderedDict
from time import monotonic
from uuid import UUID

import structlog

from gateway.access import Caller, ticket_needed
from gateway.attach import Attachments, Session
from gateway.problems import Problem
from gateway.tickets import Tickets
from stores.database import DATABASE_ERRORS
from stores.sessions import SessionOwner, Sessions

MAX_RECORDED = 50_000
# While Postgres is away one question in so many seconds finds out whether it still is.
TRY_AGAIN_SECONDS = 5.0
# A random UUID has fourteen different digits of sixteen; with fewer than these somebody has counted.
MIN_DIFFERENT_DIGITS = 8

_RANDOM = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[47][0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}", re.IGNORECASE)

log = structlog.get_logger()


class Opening:
    """Records who owns a session: the first who names it."""

    def __init__(self, sessions: Sessions, attachments: Attachments, tickets: Tickets) -> None:
        self._sessions = sessions
        self._attachments = attachments
        self._tickets = tickets
        self._recorded: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._try_at = 0.0

    async def open(self, caller: Caller, session: Session, message_id: UUID, *, is_named: bool) -> None:
        """Whoever asks in this session may do so. `is_named`: the request named it, so others may know the name.

        Raises `Problem` 403 and 422, and for a page that names a session `DATABASE_ERRORS`: only Postgres knows whether
        it is somebody else's. Everybody else is let in while Postgres is away.
        """
        if caller.ticket is not None:
            caller.require_session(session.session_id)
        elif caller.kind == "publishable" and is_named:
            require_unguessable(session.session_id)
            await self._claim(session, message_id)
        else:
            await self._record(caller, session, message_id)

    def visitor(self, session: Session) -> str:
        """The visitor of a session that a page opens: the same each time, so that a repeated POST is the same one's."""
        return str(self._tickets.name("visitor", session.client_id, session.session_id))

    async def _claim(self, session: Session, message_id: UUID) -> None:
        wanted = SessionOwner("visitor", self.visitor(session), message_id)
        try:
            owner, is_new = await self._sessions.claim(session.client_id, session.session_id, wanted)
        except DATABASE_ERRORS:
            if self._attachments.holds(session, message_id):
                # Whoever names a message of the session asked it: its first POST is being repeated.
                return
            raise
        if is_new and await self._attachments.has_messages(session):
            # Asked by a server that writes to the log itself.
            owner = SessionOwner("server")
            await self._sessions.give(session.client_id, session.session_id, owner)
        if owner != wanted:
            raise ticket_needed()

    async def _record(self, caller: Caller, session: Session, message_id: UUID) -> None:
        key = session.client_id, session.session_id
        if key in self._recorded or monotonic() < self._try_at:
            return
        is_page = caller.is_visitor
        owner = SessionOwner("visitor", self.visitor(session), message_id) if is_page else SessionOwner("server")
        try:
            await self._sessions.claim(*key, owner)
        except DATABASE_ERRORS as error:
            self._try_at = monotonic() + TRY_AGAIN_SECONDS
            log.warning("session_not_recorded", error=repr(error))
            return
        self._recorded[key] = None
        if len(self._recorded) > MAX_RECORDED:
            self._recorded.popitem(last=False)


async def ticketed(sessions: Sessions, session: Session, visitor_id: str | None, otherwise: str) -> str:
    """The visitor whom the client's server may give a ticket of this session: the one whose it is, else `visitor_id`,
    else `otherwise`. Raises `Problem` 409 for a session that is somebody else's, and `DATABASE_ERRORS`.
    """
    wanted = SessionOwner("visitor", visitor_id or otherwise)
    owner, is_new = await sessions.claim(session.client_id, session.session_id, wanted)
    if is_new:
        return wanted.visitor_id or ""
    if owner.kind == "server":
        await sessions.give(session.client_id, session.session_id, wanted)
        return wanted.visitor_id or ""
    if owner.visitor_id == visitor_id or (visitor_id is None and owner.message_id is None):
        return owner.visitor_id or ""
    raise Problem(409, "This session belongs to another visitor: choose another sessionId.", slug="session-taken")


def require_unguessable(session_id: str) -> None:
    """A page's own session id must be one that no other page can tell. Raises `Problem` 422."""
    found = _RANDOM.search(session_id)
    if found is None or len(set(found[0].lower()) - {"-"}) < MIN_DIFFERENT_DIGITS:
        raise Problem(
            422,
            "A page's sessionId must hold a random UUID (version 4 or 7): leave it out, and the answer brings one.",
            slug="session-id-guessable",
        )
