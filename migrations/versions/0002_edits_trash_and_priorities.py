"""Edits by people, the trash, what undoes a bulk change, and priorities of libraries"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "edits",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.Column("file_value", sa.JSON(), nullable=True),
        sa.Column("decided_us", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_edits_asset_id_assets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edits")),
        sa.UniqueConstraint("asset_id", "field", name=op.f("uq_edits_asset_id_field")),
    )
    op.create_table(
        "undos",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_us", INTEGER, nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undos")),
    )
    # Plain ADD COLUMN: a batch copies the whole table, whose deletion would cascade.
    op.add_column("assets", sa.Column("trashed_us", INTEGER, nullable=True))
    # Without its condition SQLite takes this index for every list of what is not in the trash.
    op.create_index(
        "ix_assets_trashed_us",
        "assets",
        ["trashed_us"],
        sqlite_where=sa.text("trashed_us IS NOT NULL"),
    )
    # All that a grid is laid out from, so that the wide rows of 100,000 assets are not read.
    op.create_index(
        "ix_assets_layout",
        "assets",
        [
            *("captured_us", "id", "trashed_us", "stack_id"),
            *("captured_local", "width_px", "height_px"),
        ],
    )
    op.create_index(op.f("ix_assets_place"), "assets", ["place"])  # for suggestions
    # With the score in it, the commonest tags are counted without reading the rows.
    op.drop_index("ix_tags_word", "tags")
    op.create_index("ix_tags_word", "tags", ["word", "asset_id", "score"])
    op.add_column(
        "libraries", sa.Column("priority", INTEGER, nullable=False, server_default=sa.text("0"))
    )


def downgrade() -> None:
    raise NotImplementedError("The copy made before the upgrade is the way back.")
