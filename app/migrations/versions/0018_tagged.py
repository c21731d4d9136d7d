"""The tags of a fan as text, made by the database, which so knows how many have none."""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

TAGGED = "nullif(CAST(tags AS VARCHAR), '[]')"
COLUMNS = ['account_id', 'updated_at']
NOW = sa.text('tagged IS NOT NULL')
BEFORE = sa.text("CAST(tags AS VARCHAR) <> '[]'")


def upgrade() -> None:
    # SQLite can't add a column that it stores; PostgreSQL below 18 knows no other kind.
    stored = op.get_bind().dialect.name == 'postgresql'
    op.drop_index('ix_fan_tagged', table_name='fan')
    op.add_column('fan', sa.Column('tagged', sa.Text(), sa.Computed(TAGGED, persisted=stored)))
    op.create_index('ix_fan_tagged', 'fan', COLUMNS, sqlite_where=NOW, postgresql_where=NOW)


def downgrade() -> None:
    op.drop_index('ix_fan_tagged', table_name='fan')
    op.drop_column('fan', 'tagged')
    op.create_index('ix_fan_tagged', 'fan', COLUMNS, sqlite_where=BEFORE, postgresql_where=BEFORE)
