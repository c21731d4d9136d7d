"""Roll-ups of the transactions, and which days of these are to be counted."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

UTC_DAY = {'sqlite': "date(received_at)", 'postgresql': "CAST(received_at AT TIME ZONE 'UTC' AS date)"}
NOW = {'sqlite': "strftime('%Y-%m-%d %H:%M:%f', 'now')", 'postgresql': "now()"}


def upgrade() -> None:
    op.create_table('revenue',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('quarter', sa.Integer(), nullable=False),
    sa.Column('type', sa.String(length=12), nullable=False),
    sa.Column('gross_cents', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('net_cents', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('payments', sa.Integer(), nullable=False),
    sa.CheckConstraint('payments > 0', name=op.f('ck_revenue_payments')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_revenue_account_id_account')),
    sa.PrimaryKeyConstraint('account_id', 'quarter', 'type', name=op.f('pk_revenue')),
    sqlite_with_rowid=False
    )
    op.create_table('roll_up',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('time_zone', sa.String(length=64), nullable=False),
    sa.Column('rolled_up_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_roll_up_account_id_account')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_roll_up'))
    )
    op.create_table('stale_day',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_stale_day_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stale_day'))
    )
    with op.batch_alter_table('stale_day', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stale_day_account_id_day'), ['account_id', 'day'], unique=False)

    op.create_table('fan_day',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('fan_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('gross_cents', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('net_cents', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('payments', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_fan_day_account_id_account')),
    sa.ForeignKeyConstraint(['fan_id'], ['fan.id'], name=op.f('fk_fan_day_fan_id_fan'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'day', 'fan_id', name=op.f('pk_fan_day')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('fan_day', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_fan_day_fan_id_day'), ['fan_id', 'day'], unique=False)

    kind = op.get_bind().dialect.name
    op.execute(
        'INSERT INTO stale_day (account_id, day, changed_at) '
        f'SELECT DISTINCT account_id, {UTC_DAY[kind]}, {NOW[kind]} FROM "transaction"'
    )


def downgrade() -> None:
    with op.batch_alter_table('fan_day', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_fan_day_fan_id_day'))

    op.drop_table('fan_day')
    with op.batch_alter_table('stale_day', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_stale_day_account_id_day'))

    op.drop_table('stale_day')
    op.drop_table('roll_up')
    op.drop_table('revenue')
