"""What is heard, said and measured, fingerprints, and decisions about lines and copies"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "line_edits",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("start_us", INTEGER, nullable=False),
        sa.Column("end_us", INTEGER, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("decided_us", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_line_edits_asset_id_assets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_edits")),
        sa.UniqueConstraint("asset_id", "start_us", name=op.f("uq_line_edits_asset_id_start_us")),
    )
    op.create_table(
        "fingerprints",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("bits", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", INTEGER, nullable=True),
        sa.Column("start_us", INTEGER, nullable=True),
        sa.Column("end_us", INTEGER, nullable=True),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("run_id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_fingerprints_asset_id_assets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_fingerprints_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fingerprints")),
    )
    op.create_index(op.f("ix_fingerprints_asset_id"), "fingerprints", ["asset_id"])
    op.create_index("ix_fingerprints_kind", "fingerprints", ["kind"])
    op.create_index(op.f("ix_fingerprints_run_id"), "fingerprints", ["run_id"])
    op.create_table(
        "pair_decisions",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("one_id", sa.String(), nullable=False),
        sa.Column("other_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("cover_id", sa.String(), nullable=True),
        sa.Column("decided_us", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["one_id"],
            ["assets.id"],
            name=op.f("fk_pair_decisions_one_id_assets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["other_id"],
            ["assets.id"],
            name=op.f("fk_pair_decisions_other_id_assets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pair_decisions")),
        sa.UniqueConstraint("one_id", "other_id", name=op.f("uq_pair_decisions_one_id_other_id")),
    )
    op.create_index(op.f("ix_pair_decisions_other_id"), "pair_decisions", ["other_id"])
    op.create_table(
        "quality",
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("is_fault", sa.Boolean(), nullable=False),
        sa.Column("start_us", INTEGER, nullable=True),
        sa.Column("end_us", INTEGER, nullable=True),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("run_id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["assets.id"], name=op.f("fk_quality_asset_id_assets"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_quality_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality")),
    )
    op.create_index(op.f("ix_quality_asset_id"), "quality", ["asset_id"])
    op.create_index("ix_quality_measure", "quality", ["measure", "is_fault", "asset_id"])
    op.create_index(op.f("ix_quality_run_id"), "quality", ["run_id"])
    op.create_table(
        "sound_events",
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("start_us", INTEGER, nullable=False),
        sa.Column("end_us", INTEGER, nullable=False),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("run_id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_sound_events_asset_id_assets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_sound_events_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sound_events")),
    )
    op.create_index(op.f("ix_sound_events_asset_id"), "sound_events", ["asset_id"])
    op.create_index("ix_sound_events_label", "sound_events", ["label", "asset_id"])
    op.create_index(op.f("ix_sound_events_run_id"), "sound_events", ["run_id"])
    op.create_table(
        "transcript_lines",
        sa.Column("start_us", INTEGER, nullable=False),
        sa.Column("end_us", INTEGER, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("english", sa.String(), nullable=True),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("run_id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_transcript_lines_asset_id_assets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.id"],
            name=op.f("fk_transcript_lines_run_id_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transcript_lines")),
    )
    op.create_index(op.f("ix_transcript_lines_asset_id"), "transcript_lines", ["asset_id"])
    op.create_index(op.f("ix_transcript_lines_run_id"), "transcript_lines", ["run_id"])


def downgrade() -> None:
    raise NotImplementedError("The copy made before the upgrade is the way back.")
