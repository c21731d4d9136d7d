"""Fans who were taken out while their conversation stays; the orders in which fans are listed."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

ORDERS = ('value_cents', 'last_seen_at', 'created_at')


def upgrade() -> None:
    op.add_column('fan', sa.Column('removed_at', UtcDateTime(), nullable=True))
    for column in ORDERS:
        op.create_index(f'ix_fan_account_id_{column}_id', 'fan', ['account_id', column, 'id'])


def downgrade() -> None:
    for column in ORDERS:
        op.drop_index(f'ix_fan_account_id_{column}_id', table_name='fan')
    op.drop_column('fan', 'removed_at')
