"""Limits the child processes that read files, in all and per client."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairSlots:
    """`total` slots, at most `share` of them for one client; waiting clients take turns."""

    def __init__(self, total: int, share: int) -> None:
        self._total = total
        self._share = share
        self._held: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def clients(self) -> set[str]:
        """The clients that hold a slot or wait for one."""
        return self._held.keys() | self._waiting.keys()

    @asynccontextmanager
    async def held(self, client_id: str) -> AsyncIterator[None]:
        """Waits for a slot, and holds it during the block."""
        await self._enter(client_id)
        try:
            yield
        finally:
            self._leave(client_id)

    async def _enter(self, client_id: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client_id, deque()).append(turn)
        self._grant_slots()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(client_id)
            self._forget(client_id, turn)
            raise

    def _leave(self, client_id: str) -> None:
        self._held[client_id] -= 1
        if not self._held[client_id]:
            del self._held[client_id]
        self._grant_slots()

    def _grant_slots(self) -> None:
        while self._held.total() < self._total and (client_id := self._next_client()) is not None:
            turns = self._waiting[client_id]
            turn = turns.popleft()
            self._waiting.move_to_end(client_id)
            if not turns:
                del self._waiting[client_id]
            if not turn.done():
                self._held[client_id] += 1
                turn.set_result(None)

    def _next_client(self) -> str | None:
        return next((name for name in self._waiting if self._held[name] < self._share), None)

    def _forget(self, client_id: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(client_id)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[client_id]
