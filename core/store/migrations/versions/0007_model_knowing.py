"""How well base models know the texts of a dataset"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_knowing",
        sa.Column("model_key", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("sample", sa.String(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_knowing")),
    )
    op.create_index(op.f("ix_model_knowing_sample"), "model_knowing", ["sample"])


def downgrade() -> None:
    op.drop_index(op.f("ix_model_knowing_sample"), table_name="model_knowing")
    op.drop_table("model_knowing")
