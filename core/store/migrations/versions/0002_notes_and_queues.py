"""A note on each dataset version; queues of rows with what was decided about each"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset_version", sa.Column("note", sa.String(), nullable=True))
    op.create_table(
        "row_queue",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("dataset_version_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("made_version_id", sa.String(), nullable=True),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_version_id"],
            ["dataset_version.id"],
            name=op.f("fk_row_queue_dataset_version_id_dataset_version"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_row_queue_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_row_queue")),
    )
    with op.batch_alter_table("row_queue", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_row_queue_dataset_version_id"), ["dataset_version_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_row_queue_project_id"), ["project_id"], unique=False)
    op.create_table(
        "row_decision",
        sa.Column("queue_id", sa.String(), nullable=False),
        sa.Column("row_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["row_queue.id"], name=op.f("fk_row_decision_queue_id_row_queue"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_row_decision")),
        sa.UniqueConstraint("queue_id", "row_id", name=op.f("uq_row_decision_queue_id")),
    )
    with op.batch_alter_table("row_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_row_decision_queue_id"), ["queue_id"], unique=False)


def downgrade() -> None:
    op.drop_table("row_decision")
    op.drop_table("row_queue")
    op.drop_column("dataset_version", "note")
