"""Words of a person's own, with synonyms"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "vocabulary",
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_vocabulary")),
    )
    op.create_index(op.f("ix_vocabulary_parent"), "vocabulary", ["parent"])
    op.create_table(
        "synonyms",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("synonym", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["word"],
            ["vocabulary.word"],
            name=op.f("fk_synonyms_word_vocabulary"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synonyms")),
    )
    op.create_index(op.f("ix_synonyms_word"), "synonyms", ["word"])


def downgrade() -> None:
    raise NotImplementedError("The copy made before the upgrade is the way back.")
