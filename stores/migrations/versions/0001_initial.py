"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    _clients()
    _api_keys()
    _client_widgets()
    _documents()
    _answer_attempts()
    _chat_logs()
    _usage_stats()


def _clients() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, server_default="free", nullable=False),
        sa.Column("allowed_origins", sa.ARRAY(sa.Text), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("client_id"),
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_hash", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key_hash"),
    )
    op.create_index("ix_api_keys_client_id", "api_keys", ["client_id"])


def _client_widgets() -> None:
    op.create_table(
        "client_widgets",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("widget_id", sa.Text, nullable=False),
        sa.Column("provider", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("temperature", sa.Double, server_default="0.2", nullable=False),
        sa.Column("max_tokens", sa.Integer, server_default="1024", nullable=False),
        sa.Column("system_prompt", sa.Text),
        sa.Column("no_answer_text", sa.Text),
        sa.Column("theme", JSONB, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("client_id", "widget_id"),
    )


def _documents() -> None:
    op.create_table(
        "documents",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("document_id", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("version", sa.Integer, server_default="1", nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("tags", sa.ARRAY(sa.Text), server_default="{}", nullable=False),
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, server_default="pending", nullable=False),
        sa.Column("stage", sa.Text, server_default="queued", nullable=False),
        sa.Column("progress", sa.Integer, server_default="0", nullable=False),
        sa.Column("current_step", sa.Text, server_default="Waiting in line", nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("retryable", sa.Boolean),
        sa.Column("chunks", sa.Integer),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "document_id"),
        sa.UniqueConstraint("client_id", "external_id"),
    )
    op.create_index("documents_by_client", "documents", ["client_id", "created_at"])


def _answer_attempts() -> None:
    op.create_table(
        "answer_attempts",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ending", JSONB),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "message_id"),
    )
    op.create_index("ix_answer_attempts_updated_at", "answer_attempts", ["updated_at"])


def _chat_logs() -> None:
    op.create_table(
        "chat_logs",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("widget_id", sa.Text),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("sources", JSONB, nullable=False),
        sa.Column("citations", sa.JSON, nullable=False),
        sa.Column("finish_reason", sa.Text, nullable=False),
        sa.Column("failure_code", sa.Text),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("usage", JSONB, nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=14, scale=8), nullable=False),
        sa.Column("retrieval_ms", sa.Double, nullable=False),
        sa.Column("first_token_ms", sa.Double),
        sa.Column("answer_ms", sa.Double, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rating", sa.Text),
        sa.Column("rating_comment", sa.Text),
        sa.PrimaryKeyConstraint("client_id", "message_id"),
    )
    op.create_index("chat_logs_by_session", "chat_logs", ["client_id", "session_id", "requested_at"])


def _usage_stats() -> None:
    op.create_table(
        "usage_stats",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("answers", sa.Integer, server_default="0", nullable=False),
        sa.Column("failures", sa.Integer, server_default="0", nullable=False),
        sa.Column("input_tokens", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=14, scale=8), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("client_id", "day", "model"),
    )
