"""Webhooks and what they say; messages as the platform has them."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('webhook_event',
    sa.Column('id', BigId, nullable=False),
    sa.Column('key', sa.String(length=255), nullable=True),
    sa.Column('event', sa.String(length=100), nullable=False),
    sa.Column('platform_account', sa.String(length=64), nullable=False),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('received_at', UtcDateTime(), nullable=False),
    sa.Column('try_at', UtcDateTime(), nullable=False),
    sa.Column('attempts', sa.SmallInteger(), nullable=False),
    sa.Column('done_at', UtcDateTime(), nullable=True),
    sa.Column('outcome', sa.String(length=10), nullable=True),
    sa.Column('error', sa.String(length=200), nullable=True),
    sa.CheckConstraint("outcome IN ('done', 'ignored', 'stranger', 'unreadable', 'failed')", name=op.f('ck_webhook_event_outcome')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_event')),
    sa.UniqueConstraint('key', name=op.f('uq_webhook_event_key'))
    )
    op.create_index('ix_webhook_event_received_at', 'webhook_event', ['received_at'])
    waiting = sa.text('done_at IS NULL')
    op.create_index('ix_webhook_event_waiting', 'webhook_event', ['try_at', 'id'], sqlite_where=waiting, postgresql_where=waiting)
    logins = sa.text("event LIKE 'accounts.%'")
    op.create_index('ix_webhook_event_logins', 'webhook_event', ['platform_account', 'id'], sqlite_where=logins, postgresql_where=logins)
    op.create_table('message_mark',
    sa.Column('id', BigId, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('platform_message_id', sa.String(length=64), nullable=False),
    sa.Column('deleted_at', UtcDateTime(), nullable=True),
    sa.Column('unlocked_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_message_mark_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message_mark')),
    sa.UniqueConstraint('account_id', 'platform_message_id', name=op.f('uq_message_mark_account_id_platform_message_id'))
    )
    op.create_table('subscription_mark',
    sa.Column('fan_id', BigId, nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['fan_id'], ['fan.id'], name=op.f('fk_subscription_mark_fan_id_fan'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('fan_id', name=op.f('pk_subscription_mark'))
    )
    op.add_column('message', sa.Column('markup', sa.Text(), nullable=True))
    op.add_column('message', sa.Column('deleted_at', UtcDateTime(), nullable=True))
    op.add_column('message', sa.Column('unlocked_at', UtcDateTime(), nullable=True))


def downgrade() -> None:
    for column in ('unlocked_at', 'deleted_at', 'markup'):
        op.drop_column('message', column)
    op.drop_table('subscription_mark')
    op.drop_table('message_mark')
    op.drop_table('webhook_event')
