"""Which clients have documents in work, and who of them goes first: a single upload before a bulk one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# A document that takes longer is no quick one, and the others go on.
GIVE_WAY_SECONDS = 2.0


class DocumentsInWork:
    """One instance per process."""

    def __init__(self, give_way_seconds: float = GIVE_WAY_SECONDS) -> None:
        self._give_way_seconds = give_way_seconds
        self._began: dict[str, list[float]] = {}
        self._changed = asyncio.Event()

    @contextmanager
    def held(self, client_id: str) -> Iterator[None]:
        """Counts a document of the client during the block."""
        began_at = _now()
        self._began.setdefault(client_id, []).append(began_at)
        try:
            yield
        finally:
            self._began[client_id].remove(began_at)
            if not self._began[client_id]:
                del self._began[client_id]
            self._changed.set()
            self._changed = asyncio.Event()

    def has_several(self, client_id: str) -> bool:
        """Whether more than one document of the client is in work."""
        return len(self._began.get(client_id, ())) > 1

    async def give_way(self, client_id: str) -> None:
        """A client with several documents waits while another client's only one is in its first two seconds; never
        longer than that, so it goes on however many others come.
        """
        until = _now() + self._give_way_seconds
        while self.has_several(client_id):
            seconds = min(until, self._until_of_others(client_id)) - _now()
            if seconds <= 0:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)

    def _until_of_others(self, client_id: str) -> float:
        single = (began[0] for name, began in self._began.items() if name != client_id and len(began) == 1)
        return max(single, default=float("-inf")) + self._give_way_seconds


def _now() -> float:
    return asyncio.get_running_loop().time()
