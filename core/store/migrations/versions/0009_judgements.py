"""What a language model said as judge: every answer as it came, and what they come to"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "judge_answer",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("winner", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_judge_answer_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judge_answer")),
        sa.UniqueConstraint("project_id", "question", name=op.f("uq_judge_answer_project_id")),
    )
    op.create_index(op.f("ix_judge_answer_project_id"), "judge_answer", ["project_id"], unique=False)
    op.create_table(
        "judging",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("evaluation_id", sa.String(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_judging_project_id_project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_judging_evaluation_id_evaluation"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judging")),
    )
    op.create_index(op.f("ix_judging_project_id"), "judging", ["project_id"], unique=False)
    op.create_index(op.f("ix_judging_evaluation_id"), "judging", ["evaluation_id"], unique=False)


def downgrade() -> None:
    op.drop_table("judging")
    op.drop_table("judge_answer")
