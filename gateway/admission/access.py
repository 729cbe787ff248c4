"""Who calls, and what they may do (`docs/wire.md`). Unknown: 401. Known and not allowed: 403."""

from dataclasses import dataclass
from hmac import compare_digest
from typing import Literal, NoReturn, Protocol

from starlette.requests import Request

from gateway.admission.api_keys import ApiKeys, KeyKind
from gateway.admission.tickets import Ticket, TicketError, TicketExpiredError, Tickets
from gateway.web.addresses import address_of
from gateway.web.problems import Problem
from stores.postgres.clients import Client, hash_key

ANY_ORIGIN = "*"

CallerKind = Literal["publishable", "ticket", "secret", "internal"]


class ClientDirectory(Protocol):
    """What `Access` needs of `stores.postgres.clients.Clients`."""

    async def get(self, client_id: str) -> Client | None:
        """The client, or None."""
        ...

    async def by_key_hash(self, key_hash: str) -> tuple[Client, KeyKind] | None:
        """The client and kind of the key with this hash; None when it is unknown or revoked."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """A recognised caller. `ticket` is set for the kind `ticket`; `key_hash`, for visitors, is of the
    publishable key that they sent, now or to get their ticket.
    """

    client: Client
    kind: CallerKind
    ticket: Ticket | None = None
    key_hash: str | None = None

    @property
    def is_visitor(self) -> bool:
        """Whether this is a browser, not a server that the client trusts."""
        return self.kind in ("publishable", "ticket")

    def require_server(self) -> None:
        """Only the client's own server may do this. Raises `Problem`."""
        if self.is_visitor:
            raise Problem(403, "This needs the client's secret key (sk_…), sent by a server: not from a page.")

    def require_session(self, session_id: str) -> None:
        """A ticket opens only its own session, and a publishable key no existing one. Raises `Problem`."""
        if self.kind == "publishable":
            raise ticket_needed()
        if self.ticket is not None and self.ticket.session_id != session_id:
            raise Problem(403, "This ticket belongs to another session: use the ticket of this session.")


class Access:
    """Recognises callers by the headers and the address of a request alone."""

    def __init__(
        self, clients: ClientDirectory, keys: ApiKeys, tickets: Tickets, internal_secrets: tuple[str, ...]
    ) -> None:
        self._clients = clients
        self._keys = keys
        self._tickets = tickets
        self._internal_secrets = tuple(secret.encode() for secret in internal_secrets)

    async def caller(self, request: Request) -> Caller:
        """The sender. Raises `Problem` (401, 403). An allowed origin is stored for the CORS headers."""
        return self._from_page(request, await self._recognise(request))

    async def renewing(self, request: Request) -> Caller:
        """The sender of a ticket to renew, which may have expired recently. Raises `Problem` (401, 403)."""
        return self._from_page(request, await self.visitor(bearer(request) or "", is_renewal=True))

    def _from_page(self, request: Request, caller: Caller) -> Caller:
        origin = request.headers.get("origin")
        if origin is not None:
            if caller.is_visitor and not allows(caller.client, origin):
                raise Problem(403, f"The origin {origin} is not on this client's list: add it in the dashboard.")
            request.state.allowed_origin = origin
        return caller

    def require_internal(self, request: Request) -> None:
        """Only services of this system may do this, never a page. Raises `Problem`."""
        if "origin" in request.headers:
            raise Problem(403, "The internal secret came from a browser: change it, and keep it on servers.")
        if not self._is_known(request.headers.get("x-internal-secret", "")):
            raise Problem(401, "Send the internal secret of this system as X-Internal-Secret.")

    async def _recognise(self, request: Request) -> Caller:
        headers = request.headers
        if "x-internal-secret" in headers:
            return await self._internal(request)
        if (token := bearer(request)) is not None:
            return await (self._secret(request, token) if token.startswith("sk_") else self.visitor(token))
        if "x-api-key" in headers:
            return await self._publishable(request, headers["x-api-key"])
        return _refuse("Send a publishable key as x-api-key, or a ticket or a secret key as Authorization: Bearer.")

    async def _internal(self, request: Request) -> Caller:
        self.require_internal(request)
        client_id = request.headers.get("x-client-id", "")
        client = await self._clients.get(client_id) if client_id else None
        if client is None:
            raise Problem(403, "X-Client-Id names no client: send the id of the client that you act for.")
        return Caller(client, "internal")

    async def _secret(self, request: Request, key: str) -> Caller:
        client = await self._owner(request, key, "secret")
        if "origin" in request.headers:
            raise Problem(403, "A secret key came from a browser: revoke it, and use a publishable key (pk_…) there.")
        return Caller(client, "secret")

    async def _publishable(self, request: Request, key: str) -> Caller:
        client = await self._owner(request, key, "publishable")
        if "origin" not in request.headers and ANY_ORIGIN not in client.allowed_origins:
            raise Problem(403, "A publishable key is for pages and needs their Origin: a server uses the secret key.")
        return Caller(client, "publishable", key_hash=hash_key(key))

    async def visitor(self, token: str, *, is_renewal: bool = False) -> Caller:
        """The holder of a ticket; for a renewal it may have expired recently. Raises `Problem` 401."""
        try:
            ticket = self._tickets.read(token, is_renewal=is_renewal)
        except TicketExpiredError as error:
            _refuse(str(error), slug="ticket-expired")
        except TicketError as error:
            _refuse(str(error), slug="ticket-invalid")
        return Caller(await self._client_of(ticket), "ticket", ticket, ticket.key_hash)

    async def _client_of(self, ticket: Ticket) -> Client:
        if ticket.key_hash is not None:
            found = await self._clients.by_key_hash(ticket.key_hash)
            if found is None or found[0].client_id != ticket.client_id:
                _refuse("The key that this ticket came from has been revoked: the page needs a new key.")
            return found[0]
        client = await self._clients.get(ticket.client_id)
        if client is None:
            _refuse("The client of this ticket does not exist.")
        return client

    async def _owner(self, request: Request, key: str, kind: Literal["publishable", "secret"]) -> Client:
        found = await self._keys.find(key, address_of(request))
        if found is None:
            _refuse("This key is unknown or has been revoked: copy it again from the dashboard.")
        if found[1] != kind:
            raise Problem(
                403, "Send publishable keys (pk_…) as x-api-key, secret ones (sk_…) as Authorization: Bearer."
            )
        return found[0]

    def _is_known(self, secret: str) -> bool:
        # Every secret is compared, so that the time is the same for each.
        return any([compare_digest(secret.encode(), known) for known in self._internal_secrets])  # noqa: C419


def bearer(request: Request) -> str | None:
    """The token of `Authorization: Bearer`; None without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def allows(client: Client, origin: str | None) -> bool:
    """Whether a page of this origin may use the client's publishable key; None: the caller sends no origin."""
    return ANY_ORIGIN in client.allowed_origins or (origin is not None and origin in client.allowed_origins)


def ticket_needed() -> Problem:
    """The refusal of a page that knows only the session's id."""
    return Problem(
        403,
        "This needs the session's ticket, which its first answer brought: send it as Authorization: Bearer, or open a "
        "new session.",
        slug="ticket-needed",
    )


def _refuse(detail: str, *, slug: str | None = None) -> NoReturn:
    raise Problem(401, detail, slug=slug, headers={"www-authenticate": "Bearer"})
