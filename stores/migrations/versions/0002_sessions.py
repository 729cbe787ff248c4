"""Sessions have owners, and a message belongs to one session."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("visitor_id", sa.Text),
        sa.Column("message_id", sa.Uuid),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "session_id"),
    )
    # Who opened them is unknown: no page can claim them, but their client's server may issue tickets.
    op.execute(
        "INSERT INTO sessions (client_id, session_id, owner) "
        "SELECT DISTINCT client_id, session_id, 'server' FROM chat_logs"
    )
    op.add_column("answer_attempts", sa.Column("session_id", sa.Text))
    op.execute(
        "UPDATE answer_attempts SET session_id = chat_logs.session_id FROM chat_logs "
        "WHERE chat_logs.client_id = answer_attempts.client_id AND chat_logs.message_id = answer_attempts.message_id"
    )
