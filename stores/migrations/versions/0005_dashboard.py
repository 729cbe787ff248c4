"""People who look after a client in the dashboard, what they changed, and names of keys.

The role `chatconnect_dashboard` may do what the dashboard does and nothing else: it reads no attempt, and writes no
document, answer or sum. A user of the database becomes it with `SET ROLE`.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ROLE = "chatconnect_dashboard"
READ = ("clients", "documents", "chat_logs", "usage_stats")
WRITTEN = ("users", "memberships", "invitations", "sign_ins", "client_widgets", "api_keys")


def upgrade() -> None:
    _users()
    _memberships()
    _invitations()
    _sign_ins()
    _audit_log()
    op.add_column("api_keys", sa.Column("key_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")))
    op.add_column("api_keys", sa.Column("name", sa.Text, nullable=False, server_default=""))
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True)))
    op.create_unique_constraint("api_keys_key_id_key", "api_keys", ["key_id"])
    op.create_index("chat_logs_by_time", "chat_logs", ["client_id", "requested_at"])
    _grant()


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        _now("created_at"),
    )


def _memberships() -> None:
    op.create_table(
        "memberships",
        _client(primary_key=True),
        _user(primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        _now("created_at"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("token_hash", sa.Text, primary_key=True),
        _client(),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        _now("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_invitations_client_id", "invitations", ["client_id"])


def _sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.Text, primary_key=True),
        _user(),
        _now("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_sign_ins_user_id", "sign_ins", ["user_id"])


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("entry_id", sa.BigInteger, sa.Identity(), primary_key=True),
        _client(),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        _now("at"),
    )
    op.create_index("audit_log_by_client", "audit_log", ["client_id", "entry_id"])


def _client(**options: Any) -> sa.Column[str]:
    key = sa.ForeignKey("clients.client_id", ondelete="CASCADE")
    return sa.Column("client_id", sa.Text, key, nullable=False, **options)


def _user(**options: Any) -> sa.Column[Any]:
    return sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False, **options)


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _grant() -> None:
    # Roles are the cluster's: another database's migration may have made it, or make it now.
    op.execute(
        f"DO $$ BEGIN CREATE ROLE {ROLE} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )
    op.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE}")
    op.execute(f"GRANT SELECT ON {', '.join(READ)} TO {ROLE}")
    op.execute(f"GRANT INSERT (client_id, name), UPDATE (name, allowed_origins) ON clients TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(WRITTEN)} TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON audit_log TO {ROLE}")
