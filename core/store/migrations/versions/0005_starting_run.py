"""The finished run that a run began with, where it did not begin with the base model"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("start_run_id", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("run", "start_run_id")
