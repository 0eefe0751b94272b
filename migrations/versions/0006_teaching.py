"""Tags that are taught by example"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "taught_tags",
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("taught_us", INTEGER, nullable=False),
        sa.Column("made_from", sa.String(), nullable=True),
        sa.Column("examples", INTEGER, nullable=False),
        sa.Column("counterexamples", INTEGER, nullable=False),
        sa.Column("background", INTEGER, nullable=False),
        sa.Column("precision", sa.Double(), nullable=True),
        sa.Column("recall", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_taught_tags")),
    )


def downgrade() -> None:
    raise NotImplementedError("The copy made before the upgrade is the way back.")
