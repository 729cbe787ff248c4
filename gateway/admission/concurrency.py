"""How many requests may be open at once: streams, uploads, and questions that wait for their answer."""

from collections import Counter
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from gateway.admission.access import Caller
from gateway.admission.shedding import full
from gateway.web.addresses import address_of
from gateway.web.handoff import on_request_end


@dataclass(frozen=True, slots=True)
class ConcurrencyCaps:
    """The limits of one kind in one process: for a session or a document, an address, a client, and in total. `what`
    is the kind's name in refusals.
    """

    what: str
    session: int
    address: int
    client: int
    process: int


# A visitor's page in a few tabs; an office behind one address; half for one client; 160 MB of idle streams.
STREAMS = ConcurrencyCaps("streams", session=4, address=100, client=5_000, process=10_000)
# A waiting question is a stream that sends less.
WAITING = ConcurrencyCaps("waiting-questions", session=4, address=100, client=2_000, process=4_000)
# Most clients poll their documents; a dashboard streams a few.
DOCUMENT_STREAMS = ConcurrencyCaps("document-streams", session=8, address=250, client=250, process=1_000)
# Each holds a file on the disk.
UPLOADS = ConcurrencyCaps("uploads", session=24, address=24, client=24, process=64)


class ConcurrencyLimit:
    """Counts open requests. Each is released when it ends, however it ends (`gateway.web.handoff`)."""

    def __init__(self, caps: ConcurrencyCaps) -> None:
        self._caps = caps
        self._taken: Counter[tuple[str, ...]] = Counter()

    def __len__(self) -> int:
        return self._taken["process",]

    @property
    def owners(self) -> int:
        """How many sessions or documents, addresses, clients and processes have open requests."""
        return len(self._taken)

    def acquire(self, request: Request, caller: Caller, session_id: str) -> None:
        """Acquire for as long as the request lasts. Raises `FullError`, and then acquires nothing."""
        owners = self._owners(request, caller, session_id)
        for owner, cap in owners.items():
            if self._taken[owner] >= cap:
                raise full(self._caps.what, owner[0], cap)
        self._taken.update(owners.keys())
        on_request_end(request.scope, partial(self._release, tuple(owners)))

    def _owners(self, request: Request, caller: Caller, session_id: str) -> dict[tuple[str, ...], int]:
        client_id, caps = caller.client.client_id, self._caps
        owners: dict[tuple[str, ...], int] = {("session", client_id, session_id): caps.session}
        if caller.is_visitor:
            owners["address", client_id, address_of(request)] = caps.address
        return owners | {("client", client_id): caps.client, ("process",): caps.process}

    def _release(self, owners: tuple[tuple[str, ...], ...]) -> None:
        for owner in owners:
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]
