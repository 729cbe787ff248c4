"""A table of document versions, so that one statement takes the next version."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "document_versions",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("document_id", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "document_id"),
        sa.UniqueConstraint("client_id", "external_id"),
    )
    op.execute(
        "INSERT INTO document_versions (client_id, document_id, external_id, version) "
        "SELECT client_id, document_id, external_id, version FROM documents"
    )
