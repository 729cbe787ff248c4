"""Ends the streams of revoked keys: each request checks its key, but a stream lives for minutes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from stores.postgres.database import DATABASE_ERRORS

LOOK_SECONDS = 5.0

log = structlog.get_logger()


class RevokedKeyStore(Protocol):
    """What `KeyRevocations` needs of `stores.postgres.clients.Clients`."""

    async def revoked(self, key_hashes: Collection[str]) -> set[str]:
        """Which of these are not valid."""
        ...


class KeyRevocations:
    """Which keys have open streams, and which of those were revoked. The owner runs `run`."""

    def __init__(self, keys: RevokedKeyStore, wake: Callable[[], None], *, look_seconds: float = LOOK_SECONDS) -> None:
        self._keys = keys
        self._wake = wake
        self._look_seconds = look_seconds
        self._used: Counter[str] = Counter()
        self.revoked: frozenset[str] = frozenset()

    @contextmanager
    def used(self, key_hash: str | None) -> Iterator[None]:
        """A stream of this key is open while the block runs."""
        if key_hash is None:
            yield
            return
        self._used[key_hash] += 1
        try:
            yield
        finally:
            self._used[key_hash] -= 1
            if not self._used[key_hash]:
                del self._used[key_hash]

    async def run(self) -> None:
        """Check for ever. While Postgres is unavailable, no stream ends."""
        while True:
            await asyncio.sleep(self._look_seconds)
            try:
                self.revoked = frozenset(await self._keys.revoked(list(self._used)) if self._used else ())
            except DATABASE_ERRORS as error:
                log.warning("keys_not_looked_up", error=repr(error))
                continue
            if self.revoked:
                self._wake()
