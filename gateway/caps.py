"""How much may be open at once: streams, and questions that wait for their answer."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access import Caller
from gateway.addresses import address_of
from gateway.shedding import full


@dataclass(frozen=True, slots=True)
class Caps:
    """The most places of one kind, in one process. `places` is what refusals call them."""

    places: str
    session: int
    address: int
    client: int
    process: int


# A visitor's page in a few tabs; an office behind one address; half of all for one client; 160 MB of idle streams.
STREAMS = Caps("streams", session=4, address=100, client=5_000, process=10_000)
# A waiting question is a stream that has less to say.
WAITING = Caps("waiting-questions", session=4, address=100, client=2_000, process=4_000)


class Places:
    """Counts who holds a place. Each is given back when its request ends, however it ends (`Returning`)."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._taken: Counter[tuple[str, ...]] = Counter()

    def __len__(self) -> int:
        return self._taken["process",]

    def hold(self, request: Request, caller: Caller, session_id: str) -> None:
        """Take a place for as long as the request lasts. Raises `FullError`, and then holds none."""
        owners = self._owners(request, caller, session_id)
        for owner, most in owners.items():
            if self._taken[owner] >= most:
                raise full(self._caps.places, owner[0], most)
        self._taken.update(owners.keys())
        returned: ExitStack = request.state.returned
        returned.callback(self._return, list(owners))

    def _owners(self, request: Request, caller: Caller, session_id: str) -> dict[tuple[str, ...], int]:
        client_id, caps = caller.client.client_id, self._caps
        owners: dict[tuple[str, ...], int] = {("session", client_id, session_id): caps.session}
        if caller.is_visitor:
            owners["address", client_id, address_of(request)] = caps.address
        return owners | {("client", client_id): caps.client, ("process",): caps.process}

    def _return(self, owners: list[tuple[str, ...]]) -> None:
        for owner in owners:
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]


class Returning:
    """Gives back what a request holds once it has ended: answered, refused, disconnected, cancelled or broken."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with ExitStack() as returned:
            scope.setdefault("state", {})["returned"] = returned
            await self.app(scope, receive, send)
