"""Money by local day, month and hour of the week, and what fans paid a month; every account is counted again."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    for table, unit in (('revenue_day', 'day'), ('revenue_month', 'month')):
        op.create_table(table,
        sa.Column('account_id', ID, nullable=False),
        sa.Column(unit, sa.Integer(), nullable=False),
        sa.Column('type', sa.String(length=12), nullable=False),
        sa.Column('gross_cents', ID, nullable=False),
        sa.Column('net_cents', ID, nullable=False),
        sa.Column('payments', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f(f'fk_{table}_account_id_account')),
        sa.PrimaryKeyConstraint('account_id', unit, 'type', name=op.f(f'pk_{table}')),
        sqlite_with_rowid=False
        )
    op.create_table('revenue_hour',
    sa.Column('account_id', ID, nullable=False),
    sa.Column('month', sa.Integer(), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('gross_cents', ID, nullable=False),
    sa.Column('net_cents', ID, nullable=False),
    sa.Column('payments', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_revenue_hour_account_id_account')),
    sa.PrimaryKeyConstraint('account_id', 'month', 'hour', name=op.f('pk_revenue_hour')),
    sqlite_with_rowid=False
    )
    fan_month(sa.Column('gross_cents', ID, nullable=False),
        sa.Column('net_cents', ID, nullable=False),
        sa.Column('payments', sa.Integer(), nullable=False))
    op.execute("UPDATE roll_up SET time_zone = ''")


def fan_month(*sums: sa.Column[int]) -> None:
    """Made anew: SQLite can't add what may not be null, and all of it is counted again."""
    op.drop_table('fan_month')
    op.create_table('fan_month',
    sa.Column('account_id', ID, nullable=False),
    sa.Column('month', sa.Integer(), nullable=False),
    sa.Column('fan_id', ID, nullable=False),
    *sums,
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_fan_month_account_id_account')),
    sa.ForeignKeyConstraint(['fan_id'], ['fan.id'], name=op.f('fk_fan_month_fan_id_fan'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'month', 'fan_id', name=op.f('pk_fan_month')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_fan_month_fan_id_month', 'fan_month', ['fan_id', 'month'])


def downgrade() -> None:
    fan_month()
    for table in ('revenue_hour', 'revenue_month', 'revenue_day'):
        op.drop_table(table)
    op.execute("UPDATE roll_up SET time_zone = ''")
