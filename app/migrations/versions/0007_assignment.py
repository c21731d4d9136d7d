"""Which accounts of the deployment's key a user may connect."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('assignment',
    sa.Column('id', BigId, nullable=False),
    sa.Column('platform_id', sa.String(length=64), nullable=False),
    sa.Column('user_id', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_assignment_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment')),
    sa.UniqueConstraint('platform_id', name=op.f('uq_assignment_platform_id'))
    )
    op.create_index('ix_assignment_user_id', 'assignment', ['user_id'])


def downgrade() -> None:
    op.drop_index('ix_assignment_user_id', table_name='assignment')
    op.drop_table('assignment')
