"""What went out, counted every five minutes."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('traffic',
    sa.Column('id', BigId, nullable=False),
    sa.Column('scope', sa.BigInteger(), nullable=False),
    sa.Column('begins_at', UtcDateTime(), nullable=False),
    sa.Column('sent', sa.Integer(), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('errors', sa.Integer(), nullable=False),
    sa.Column('latencies', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_traffic')),
    sa.UniqueConstraint('scope', 'begins_at', name=op.f('uq_traffic_scope_begins_at'))
    )
    op.create_index(op.f('ix_traffic_begins_at'), 'traffic', ['begins_at'], unique=False)


def downgrade() -> None:
    op.drop_table('traffic')
