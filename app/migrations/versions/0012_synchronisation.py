"""How far each account has been read from the platform."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('synchronisation',
    sa.Column('id', BigId, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('stage', sa.String(length=10), nullable=False),
    sa.Column('cursor', sa.String(length=200), nullable=True),
    sa.Column('full', sa.Boolean(), nullable=False),
    sa.Column('since', UtcDateTime(), nullable=False),
    sa.Column('chats', sa.Integer(), nullable=False),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.Column('fans', sa.Integer(), nullable=False),
    sa.Column('payments', sa.Integer(), nullable=False),
    sa.Column('failures', sa.SmallInteger(), nullable=False),
    sa.Column('error', sa.String(length=300), nullable=True),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('working_until', UtcDateTime(), nullable=True),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.CheckConstraint("stage IN ('chats', 'fans', 'payments', 'done')", name=op.f('ck_synchronisation_stage')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_synchronisation_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_synchronisation')),
    sa.UniqueConstraint('account_id', name=op.f('uq_synchronisation_account_id'))
    )
    due = sa.text("stage <> 'done'")
    op.create_index('ix_synchronisation_due', 'synchronisation', ['due_at'], sqlite_where=due, postgresql_where=due)


def downgrade() -> None:
    op.drop_table('synchronisation')
