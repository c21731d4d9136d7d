"""What a search for fans looks into, made by the database; indexes that filters read instead of the table."""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

SEARCHED = "lower(name || coalesce(' ' || handle, '') || coalesce(' ' || email, ''))"
FILTERED = ['account_id', 'searched', 'tier', 'status', 'value_cents', 'last_seen_at', 'id']
INDEXES = (
    ('ix_fan_filtered', FILTERED, sa.text('removed_at IS NULL')),
    ('ix_fan_tier', ['account_id', 'tier'], sa.text('removed_at IS NULL')),
    ('ix_fan_tagged', ['account_id', 'updated_at'], sa.text("CAST(tags AS VARCHAR) <> '[]'")),
)


def upgrade() -> None:
    # SQLite can't add a column that it stores; PostgreSQL below 18 knows no other kind.
    stored = op.get_bind().dialect.name == 'postgresql'
    op.add_column('fan', sa.Column('searched', sa.Text(), sa.Computed(SEARCHED, persisted=stored)))
    for name, columns, where in INDEXES:
        op.create_index(name, 'fan', columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, _, _ in INDEXES:
        op.drop_index(name, table_name='fan')
    op.drop_column('fan', 'searched')
