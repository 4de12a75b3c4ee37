"""Reviews by several people, with what was asked for, reasons, skips and the moment of each vote"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sample_set", sa.Column("config", sa.JSON(), nullable=True))
    op.add_column("review", sa.Column("reasons", sa.JSON(), nullable=True))
    op.add_column("review", sa.Column("skipped", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("review", sa.Column("acted_at", sa.Float(), nullable=True))
    op.execute("UPDATE review SET acted_at = updated_at WHERE vote IS NOT NULL")
    op.create_table(
        "rater",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("sample_set_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sample_set_id"], ["sample_set.id"], name=op.f("fk_rater_sample_set_id_sample_set"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rater")),
        sa.UniqueConstraint("sample_set_id", "name", name=op.f("uq_rater_sample_set_id")),
    )
    op.create_index(op.f("ix_rater_sample_set_id"), "rater", ["sample_set_id"])


def downgrade() -> None:
    op.drop_table("rater")
    op.drop_column("review", "acted_at")
    op.drop_column("review", "skipped")
    op.drop_column("review", "reasons")
    op.drop_column("sample_set", "config")
