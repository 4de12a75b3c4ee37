"""What corrective actions ask of a round's training"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("terms", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("run", "terms")
