"""In which months a fan paid, rolled up; every account is counted again."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('fan_month',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('month', sa.Integer(), nullable=False),
    sa.Column('fan_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_fan_month_account_id_account')),
    sa.ForeignKeyConstraint(['fan_id'], ['fan.id'], name=op.f('fk_fan_month_fan_id_fan'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'month', 'fan_id', name=op.f('pk_fan_month')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_fan_month_fan_id_month', 'fan_month', ['fan_id', 'month'])
    op.execute("UPDATE roll_up SET time_zone = ''")


def downgrade() -> None:
    op.drop_table('fan_month')
