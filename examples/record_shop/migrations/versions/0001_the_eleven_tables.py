"""The eleven tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "artist",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("country", sa.String(60), nullable=False),
        sa.Column("founded", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_artist"),
        sa.UniqueConstraint("name", name="uq_artist_name"),
    )
    op.create_table(
        "employee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("given_name", sa.String(60), nullable=False),
        sa.Column("family_name", sa.String(60), nullable=False),
        sa.Column("job", sa.String(60), nullable=False),
        sa.Column("email", sa.String(120), nullable=False),
        sa.Column("hired_on", sa.Date(), nullable=False),
        sa.Column("reports_to", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reports_to"],
            ["employee.id"],
            name="fk_employee_reports_to",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_employee"),
        sa.UniqueConstraint("email", name="uq_employee_email"),
    )
    op.create_index("ix_employee_reports_to", "employee", ["reports_to"])

    op.create_table(
        "genre",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_genre"),
        sa.UniqueConstraint("name", name="uq_genre_name"),
    )
    op.create_table(
        "playlist",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_playlist"),
        sa.UniqueConstraint("name", name="uq_playlist_name"),
    )
    op.create_table(
        "album",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(160), nullable=False),
        sa.Column("artist_id", sa.Integer(), nullable=False),
        sa.Column("genre_id", sa.Integer(), nullable=True),
        sa.Column("released_on", sa.Date(), nullable=False),
        sa.Column("price", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("notes", sa.String(), nullable=True),
        sa.Column("cover", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["artist_id"], ["artist.id"], name="fk_album_artist_id"),
        sa.ForeignKeyConstraint(
            ["genre_id"], ["genre.id"], name="fk_album_genre_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_album"),
    )
    op.create_index("ix_album_artist_id", "album", ["artist_id"])
    op.create_index("ix_album_genre_id", "album", ["genre_id"])
    op.create_index("ix_album_title", "album", ["title"])

    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("given_name", sa.String(60), nullable=False),
        sa.Column("family_name", sa.String(60), nullable=False),
        sa.Column("email", sa.String(120), nullable=False),
        sa.Column("phone", sa.String(30), nullable=True),
        sa.Column("street", sa.String(120), nullable=False),
        sa.Column("postal_code", sa.String(12), nullable=False),
        sa.Column("city", sa.String(60), nullable=False),
        sa.Column("country", sa.String(60), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["employee.id"], name="fk_customer_contact_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_customer"),
        sa.UniqueConstraint("email", name="uq_customer_email"),
    )
    op.create_index("ix_customer_contact_id", "customer", ["contact_id"])

    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(120), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("email", name="uq_staff_email"),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status", sa.Enum("OPEN", "PAID", "REFUNDED", name="invoicestatus"), nullable=False
        ),
        sa.Column("total", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_invoice_customer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_invoice"),
    )
    op.create_index("ix_invoice_customer_id", "invoice", ["customer_id"])
    op.create_index("ix_invoice_date", "invoice", ["date"])

    op.create_table(
        "track",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("album_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=False),
        sa.Column("price", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.ForeignKeyConstraint(
            ["album_id"], ["album.id"], name="fk_track_album_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_track"),
        sa.UniqueConstraint("album_id", "position", name="uq_track_album_id"),
    )
    op.create_index("ix_track_title", "track", ["title"])

    op.create_table(
        "invoice_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name="fk_invoice_line_invoice_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], name="fk_invoice_line_track_id"),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_line"),
    )
    op.create_index("ix_invoice_line_invoice_id", "invoice_line", ["invoice_id"])
    op.create_index("ix_invoice_line_track_id", "invoice_line", ["track_id"])

    op.create_table(
        "playlist_track",
        sa.Column("playlist_id", sa.Integer(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(
            ["playlist_id"],
            ["playlist.id"],
            name="fk_playlist_track_playlist_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["track.id"], name="fk_playlist_track_track_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("playlist_id", "track_id", name="pk_playlist_track"),
    )
    op.create_index("ix_playlist_track_track_id", "playlist_track", ["track_id"])


def downgrade() -> None:
    op.drop_table("playlist_track")
    op.drop_table("invoice_line")
    op.drop_table("track")
    op.drop_table("invoice")
    op.drop_table("staff")
    op.drop_table("customer")
    op.drop_table("album")
    op.drop_table("playlist")
    op.drop_table("genre")
    op.drop_table("employee")
    op.drop_table("artist")
    sa.Enum(name="invoicestatus").drop(op.get_bind())
