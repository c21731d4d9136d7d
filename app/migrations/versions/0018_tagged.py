"""The tags of a fan as text, made by the database: an index of it finds and counts those with a tag by itself."""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

TAGGED = "nullif(CAST(tags AS VARCHAR), '[]')"
INDEXES = (
    ('ix_fan_tagged', ['account_id', 'updated_at'], sa.text('tagged IS NOT NULL')),
    ('ix_fan_tags', ['account_id', 'tagged', 'id'], sa.text('tagged IS NOT NULL AND removed_at IS NULL')),
)
BEFORE = ('ix_fan_tagged', ['account_id', 'updated_at'], sa.text("CAST(tags AS VARCHAR) <> '[]'"))


def create(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, 'fan', columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    # SQLite can't add a column that it stores; PostgreSQL below 18 knows no other kind.
    stored = op.get_bind().dialect.name == 'postgresql'
    op.drop_index('ix_fan_tagged', table_name='fan')
    op.add_column('fan', sa.Column('tagged', sa.Text(), sa.Computed(TAGGED, persisted=stored)))
    for index in INDEXES:
        create(*index)


def downgrade() -> None:
    for name, _, _ in INDEXES:
        op.drop_index(name, table_name='fan')
    op.drop_column('fan', 'tagged')
    create(*BEFORE)
