"""Tables as SQLAlchemy sees them; Alembic (`stores/migrations`) owns the schema. Those of the dashboard
are in `schemas/dashboard_tables.py`.

Every table that a tenant's data lives in has `client_id` first in its primary key or in an index.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """How Python types become columns."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own declaration
        datetime: DateTime(timezone=True),
        str: Text,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
        list[int]: JSON,
    }


class ClientRow(Base):
    """A tenant."""

    __tablename__ = "clients"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    tier: Mapped[str] = mapped_column(server_default="free")
    allowed_origins: Mapped[list[str]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApiKeyRow(Base):
    """A key of a client, as the sha256 of the whole key; two of a kind may be valid while one is rotated."""

    __tablename__ = "api_keys"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    revoked_at: Mapped[datetime | None]
    key_id: Mapped[UUID] = mapped_column(unique=True, server_default=func.gen_random_uuid())
    name: Mapped[str] = mapped_column(server_default="")
    last_used_at: Mapped[datetime | None]


class WidgetRow(Base):
    """How a client's widget answers and looks."""

    __tablename__ = "client_widgets"

    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True)
    widget_id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str | None]
    model: Mapped[str | None]
    temperature: Mapped[float] = mapped_column(server_default="0.2")
    max_tokens: Mapped[int] = mapped_column(server_default="1024")
    system_prompt: Mapped[str | None]
    no_answer_text: Mapped[str | None]
    theme: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class DocumentRow(Base):
    """A document of a knowledge base and where its ingestion stands."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("client_id", "external_id"),
        Index("documents_by_client", "client_id", "created_at"),
    )

    client_id: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")
    filename: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(server_default="{}")
    uri: Mapped[str]
    sha256: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    status: Mapped[str] = mapped_column(server_default="pending")
    stage: Mapped[str] = mapped_column(server_default="queued")
    progress: Mapped[int] = mapped_column(server_default="0")
    current_step: Mapped[str] = mapped_column(server_default="Waiting in line")
    reason: Mapped[str | None]
    retryable: Mapped[bool | None]
    chunks: Mapped[int | None]
    warnings: Mapped[list[str]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DocumentVersionRow(Base):
    """The last version number that was given to a document, though its upload may have failed."""

    __tablename__ = "document_versions"
    __table_args__ = (UniqueConstraint("client_id", "external_id"),)

    client_id: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    version: Mapped[int]


class SessionRow(Base):
    """Whose a session is: a `visitor`'s, who opened it by `message_id` or has a ticket, or the client's `server`'s."""

    __tablename__ = "sessions"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    visitor_id: Mapped[str | None]
    message_id: Mapped[UUID | None]
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AttemptRow(Base):
    """Who answers a message now, or how it ended: the lease that makes redelivery harmless (`docs/architecture.md`).

    `ending` holds the terminal events to publish again when a finished message is delivered once more.
    """

    __tablename__ = "answer_attempts"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[str | None]
    attempt: Mapped[int]
    holder: Mapped[str]
    lease_until: Mapped[datetime]
    ending: Mapped[dict[str, Any] | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class ChatLogRow(Base):
    """One ended answer."""

    __tablename__ = "chat_logs"
    __table_args__ = (
        Index("chat_logs_by_session", "client_id", "session_id", "requested_at"),
        Index("chat_logs_by_time", "client_id", "requested_at"),
    )

    client_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[str]
    widget_id: Mapped[str | None]
    attempt: Mapped[int]
    outcome: Mapped[str]
    question: Mapped[str]
    answer: Mapped[str]
    sources: Mapped[list[Any]]
    citations: Mapped[list[int]]
    finish_reason: Mapped[str]
    failure_code: Mapped[str | None]
    provider: Mapped[str]
    model: Mapped[str]
    tier: Mapped[str]
    usage: Mapped[dict[str, Any]]
    cost_usd: Mapped[Decimal] = mapped_column(Numeric(14, 8))
    retrieval_ms: Mapped[float]
    first_token_ms: Mapped[float | None]
    answer_ms: Mapped[float]
    requested_at: Mapped[datetime]
    completed_at: Mapped[datetime]
    rating: Mapped[str | None]
    rating_comment: Mapped[str | None]


class UsageRow(Base):
    """A client's usage of a model on a day: summed from `chat_logs` in the transaction that inserts the row."""

    __tablename__ = "usage_stats"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    answers: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cost_usd: Mapped[Decimal] = mapped_column(Numeric(14, 8), server_default="0")
