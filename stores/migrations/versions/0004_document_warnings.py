"""What was left out of a document or guessed, as sentences for its owner."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "documents", sa.Column("warnings", sa.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'"))
    )
