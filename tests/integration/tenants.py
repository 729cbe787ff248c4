"""Two clients that use the same ids. All data of one contains a mark, so that a leak is recognised."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.events import ChatCompleted, ChatFeedback, DocumentProgress, DocumentUploaded, Usage
from schemas.tables import Base
from stores.embedding_cache import EmbeddingCache
from stores.postgres.attempts import Attempts
from stores.postgres.chat_logs import ChatLogs
from stores.postgres.clients import Client, Clients, Keys
from stores.postgres.documents import Documents
from stores.postgres.sessions import SessionOwner, Sessions
from stores.postgres.usage import UsageStats
from stores.rate_limits.limits import Limits
from stores.uploads import Uploads
from stores.vectors.engine import open_vectors
from stores.vectors.store import Chunk, VectorStore
from tests.support.fakes_knowledge import DIMENSIONS, unit
from tests.support.gateway_running import SOURCE

MARK = "only-for-alpha"
SECRET = f"What is {MARK}?"
# No store of the Python half reads or writes them (`tests/dashboard`).
DASHBOARD_TABLES = {"memberships", "invitations", "audit_log"}


@dataclass(frozen=True)
class Ids:
    """Ids that one client owns and the other uses."""

    session_id: str = field(default_factory=lambda: uuid4().hex)
    message_id: UUID = field(default_factory=uuid4)
    document_id: str = field(default_factory=lambda: f"doc_{uuid4().hex}")
    external_id: str = "manual"
    widget_id: str = "shop"


@dataclass
class Stores:
    """Every store."""

    engine: sa.ext.asyncio.AsyncEngine
    attempts: Attempts
    chat_logs: ChatLogs
    clients: Clients
    documents: Documents
    embeddings: EmbeddingCache
    limits: Limits
    sessions: Sessions
    uploads: Uploads
    usage: UsageStats
    vectors: VectorStore
    folder: Path

    @classmethod
    async def open(cls, engine, settings) -> "Stores":
        vectors = await open_vectors(settings.qdrant_url, None, space="wall", dimensions=DIMENSIONS)
        return cls(
            engine, Attempts(engine, "wall"), ChatLogs(engine), Clients(engine), Documents(engine),
            EmbeddingCache(settings.redis_url, space="wall", dimensions=DIMENSIONS), Limits(settings.redis_url),
            Sessions(engine), Uploads(settings.uploads_url), UsageStats(engine), vectors,
            Path(settings.uploads_url.removeprefix("file://")),
        )  # fmt: skip

    async def close(self) -> None:
        await self.vectors.close()
        await self.embeddings.close()
        await self.limits.close()

    async def fill(self, client_id: str, ids: Ids, mark: str) -> str:
        """Adds a row to every table, a file and a chunk, with `mark` in every text. Returns the file's uri."""
        await self.clients.ensure(client(client_id, mark), keys(client_id))
        await self._add_widget(client_id, ids, mark)
        await self.sessions.claim(client_id, ids.session_id, SessionOwner("visitor", mark, ids.message_id))
        await self.attempts.begin(client_id, ids.message_id, ids.session_id)
        await self.attempts.finish(client_id, ids.message_id, ids.session_id, 1, {"text": mark})
        await self.chat_logs.record(completed(client_id, ids, mark))
        await self.chat_logs.rate(rated(client_id, ids, mark))
        stored = await self.uploads.put(client_id, ids.document_id, 1, f"{mark}.txt", content(mark), max_bytes=1_000)
        await self.documents.take_version(client_id, ids.document_id, ids.external_id)
        await self.documents.register(uploaded(client_id, ids, mark, stored.uri))
        await self.documents.advance(advanced(client_id, ids))
        await self.vectors.upsert(client_id, [chunk(ids, mark)])
        await self.vectors.publish_version(client_id, ids.document_id, 1)
        await self.embeddings.put(client_id, {mark: unit(1)})
        return stored.uri

    async def belongings(self, client_id: str, ids: Ids) -> dict[str, object]:
        """Everything stored for a client, by store."""
        found: dict[str, object] = {}
        async with self.engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                if "client_id" in table.c and table.name not in DASHBOARD_TABLES:
                    rows = await connection.execute(table.select().where(table.c.client_id == client_id))
                    found[table.name] = sorted(map(str, rows))
        found["files"] = await asyncio.to_thread(lambda: {
            str(path): path.read_bytes() for path in sorted(self.folder.rglob("*"))
            if path.is_file() and client_id in path.parts
        })  # fmt: skip
        found["vectors"] = [passage.text for passage in await self.vectors.search(client_id, unit(1), 10)]
        found["embeddings"] = repr(await self.embeddings.get(client_id, [MARK]))
        found["chunks"] = await self.vectors.count(client_id, ids.document_id)
        return found

    async def _add_widget(self, client_id: str, ids: Ids, mark: str) -> None:
        table = Base.metadata.tables["client_widgets"]
        row = {"client_id": client_id, "widget_id": ids.widget_id, "system_prompt": mark, "theme": {"title": mark}}
        async with self.engine.begin() as connection:
            await connection.execute(table.insert().values(row))


def client(client_id: str, mark: str) -> Client:
    return Client(client_id, mark, "free", ("*",))


def keys(client_id: str) -> Keys:
    return Keys(f"pk_{client_id}", f"sk_{client_id}")


async def content(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


def chunk(ids: Ids, text: str) -> Chunk:
    return Chunk(ids.document_id, 1, 0, text, text, unit(1))


def completed(client_id: str, ids: Ids, mark: str) -> ChatCompleted:
    now = datetime.now(UTC)
    return ChatCompleted(
        client_id=client_id, message_id=ids.message_id, session_id=ids.session_id, attempt=1, outcome="completed",
        question=mark, answer=mark, sources=[SOURCE.model_copy(update={"snippet": mark})], citations=[1],
        finish_reason="stop", provider="p", model=mark, tier="free", usage=Usage(input_tokens=1), cost_usd=0,
        retrieval_ms=1, first_token_ms=1, answer_ms=1, requested_at=now - timedelta(seconds=9), completed_at=now,
    )  # fmt: skip


def rated(client_id: str, ids: Ids, mark: str) -> ChatFeedback:
    return ChatFeedback(
        client_id=client_id, message_id=ids.message_id, session_id=ids.session_id, rating="up", comment=mark,
        rated_at=datetime.now(UTC),
    )  # fmt: skip


def uploaded(client_id: str, ids: Ids, mark: str, uri: str, version: int = 1) -> DocumentUploaded:
    return DocumentUploaded(
        client_id=client_id, document_id=ids.document_id, version=version, uri=uri, sha256="ab", size_bytes=3,
        media_type="text/plain", filename=f"{mark}.txt", title=mark, description=mark, tags=[mark],
        external_id=ids.external_id, uploaded_at=datetime.now(UTC),
    )  # fmt: skip


def advanced(client_id: str, ids: Ids) -> DocumentProgress:
    return DocumentProgress(
        client_id=client_id, document_id=ids.document_id, version=1, status="failed", stage="parsing", progress=50,
        current_step="Reading", reason="It failed.", retryable=True, at=datetime.now(UTC),
    )  # fmt: skip
