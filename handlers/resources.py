"""What the handlers are built from, each opened at its first use and closed in reverse order."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar, cast
from uuid import uuid4

import aiohttp

from handlers.answering.cancellations import Cancellations
from handlers.models.choice import ModelChoice, create_choice
from handlers.models.embedder import open_embedder
from handlers.models.extractive import Extractive
from handlers.ports import Embedder
from handlers.readers.pdf.languages import check_languages
from schemas.settings import Settings
from stores.embedding_cache import EmbeddingCache
from stores.postgres.attempts import Attempts
from stores.postgres.chat_logs import ChatLogs
from stores.postgres.clients import Clients
from stores.postgres.database import create_engine
from stores.postgres.documents import Documents
from stores.uploads import Uploads
from stores.vectors.engine import open_vectors
from stores.vectors.store import VectorStore

T = TypeVar("T")
CONNECTIONS_PER_PROVIDER = 512
# With a question each minute no new handshake is needed. A connection that a provider closed is noticed, or the request
# sent once more (`answer_stream`). 50 questions at once wait a seventh less than with new connections.
KEEP_ALIVE_SECONDS = 60.0


class Resources:
    """Opens resources lazily: a worker that runs one handler opens only what that one needs."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._stack = stack
        self._opened: dict[str, object] = {}
        engine = create_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        self.chat_logs = ChatLogs(engine)
        self.clients = Clients(engine)
        self.documents = Documents(engine)
        # A process that restarts with its name keeps its leases; one without a name gets a new one at each start.
        self.attempts = Attempts(engine, settings.instance_id or f"{socket.gethostname()}-{uuid4().hex[:8]}")
        self.uploads = Uploads(settings.uploads_url)
        self.cancellations = Cancellations()

    async def embedder(self) -> Embedder:
        """One model for questions and documents, so their vectors can be compared."""
        return await self._once("embedder", lambda: self._stack.enter_async_context(open_embedder(self._settings)))

    async def vectors(self) -> VectorStore:
        """The store of the embedder's space."""
        return await self._once("vectors", self._open_vectors)

    async def embedding_cache(self) -> EmbeddingCache:
        """Vectors in the embedder's space, in Redis."""
        return await self._once("embedding_cache", self._open_embedding_cache)

    def ocr_languages(self) -> str:
        """Of scanned pages. Raises `CannotRecognizeError`."""
        check_languages(self._settings.ocr_languages)
        return self._settings.ocr_languages

    async def models(self) -> ModelChoice:
        """The models that have a key, over one connection pool."""
        return await self._once("models", self._open_models)

    async def workspace(self) -> Path:
        """A folder for files that are being read, gone with the process."""
        return await self._once("workspace", self._make_workspace)

    async def _make_workspace(self) -> Path:
        return Path(
            await asyncio.to_thread(lambda: self._stack.enter_context(TemporaryDirectory(prefix="chatconnect-")))
        )

    async def _open_vectors(self) -> VectorStore:
        embedder = await self.embedder()
        store = await open_vectors(
            self._settings.qdrant_url,
            self._settings.qdrant_api_key,
            space=embedder.name,
            dimensions=embedder.dimensions,
        )
        self._stack.push_async_callback(store.close)
        return store

    async def _open_embedding_cache(self) -> EmbeddingCache:
        embedder = await self.embedder()
        cache = EmbeddingCache(self._settings.redis_url, space=embedder.name, dimensions=embedder.dimensions)
        self._stack.push_async_callback(cache.close)
        return cache

    async def _open_models(self) -> ModelChoice:
        connector = aiohttp.TCPConnector(
            limit=0, limit_per_host=CONNECTIONS_PER_PROVIDER, keepalive_timeout=KEEP_ALIVE_SECONDS
        )
        session = await self._stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        return create_choice(self._settings, session, Extractive())

    async def _once(self, name: str, make: Callable[[], Awaitable[T]]) -> T:
        if name not in self._opened:
            self._opened[name] = await make()
        return cast("T", self._opened[name])
