"""People and their faces, writing in pictures, and music"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Plain ADD COLUMN: a batch copies the whole table, whose deletion would cascade.
    op.add_column(
        "libraries", sa.Column("faces", sa.Boolean(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("files", sa.Column("trashed_us", INTEGER, nullable=True))
    op.create_index(
        "ix_files_trashed_us",
        "files",
        ["trashed_us"],
        sqlite_where=sa.text("trashed_us IS NOT NULL"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("created_us", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_index(op.f("ix_people_name"), "people", ["name"])
    op.create_table(
        "face_decisions",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("at_us", INTEGER, nullable=True),
        sa.Column("left", sa.Double(), nullable=False),
        sa.Column("top", sa.Double(), nullable=False),
        sa.Column("width", sa.Double(), nullable=False),
        sa.Column("height", sa.Double(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("decided_us", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_face_decisions_asset_id_assets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_face_decisions_person_id_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_decisions")),
    )
    op.create_index(op.f("ix_face_decisions_asset_id"), "face_decisions", ["asset_id"])
    op.create_index(op.f("ix_face_decisions_person_id"), "face_decisions", ["person_id"])
    op.create_table(
        "faces",
        sa.Column("left", sa.Double(), nullable=False),
        sa.Column("top", sa.Double(), nullable=False),
        sa.Column("width", sa.Double(), nullable=False),
        sa.Column("height", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("landmarks", sa.JSON(), nullable=False),
        sa.Column("template", sa.LargeBinary(), nullable=True),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("crop", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", INTEGER, nullable=True),
        sa.Column("start_us", INTEGER, nullable=True),
        sa.Column("end_us", INTEGER, nullable=True),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("run_id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["assets.id"], name=op.f("fk_faces_asset_id_assets"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_faces_person_id_people"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_faces_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faces")),
    )
    op.create_index(op.f("ix_faces_asset_id"), "faces", ["asset_id"])
    op.create_index(op.f("ix_faces_person_id"), "faces", ["person_id"])
    op.create_index(op.f("ix_faces_run_id"), "faces", ["run_id"])
    op.create_table(
        "music",
        sa.Column("tempo_bpm", sa.Double(), nullable=True),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("run_id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["assets.id"], name=op.f("fk_music_asset_id_assets"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_music_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_music")),
    )
    op.create_index(op.f("ix_music_asset_id"), "music", ["asset_id"])
    op.create_index(op.f("ix_music_run_id"), "music", ["run_id"])
    op.create_table(
        "text_boxes",
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("left", sa.Double(), nullable=False),
        sa.Column("top", sa.Double(), nullable=False),
        sa.Column("width", sa.Double(), nullable=False),
        sa.Column("height", sa.Double(), nullable=False),
        sa.Column("at_us", INTEGER, nullable=True),
        sa.Column("start_us", INTEGER, nullable=True),
        sa.Column("end_us", INTEGER, nullable=True),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("run_id", INTEGER, nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_text_boxes_asset_id_assets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_text_boxes_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_boxes")),
    )
    op.create_index(op.f("ix_text_boxes_asset_id"), "text_boxes", ["asset_id"])
    op.create_index(op.f("ix_text_boxes_run_id"), "text_boxes", ["run_id"])


def downgrade() -> None:
    raise NotImplementedError("The copy made before the upgrade is the way back.")
