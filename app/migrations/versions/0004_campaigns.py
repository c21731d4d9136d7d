"""Campaigns: what is to become of one, how far it is planned; one message to each fan of a campaign."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
WILLS = "status IN ('active', 'paused', 'late', 'canceled')"
WERE = "status IN ('scheduled', 'queued', 'paused', 'canceled', 'completed')"
SIBLINGS = "status IN ('queued', 'sending') AND NOT (held AND status = 'queued')"
SIBLINGS_WERE = "status IN ('queued', 'sending') AND NOT held"
RECIPIENTS = "campaign_id IS NOT NULL AND retry_of_id IS NULL"


def upgrade() -> None:
    with op.batch_alter_table('campaign') as batch_op:
        batch_op.add_column(sa.Column('priority', sa.SmallInteger(), nullable=False, server_default='2'))
        batch_op.add_column(sa.Column('segment', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('wanted', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('rejected', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('planned_to', BigId, nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('planner_until', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('planned_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('canceled_at', UtcDateTime(), nullable=True))
        _another_status(batch_op, WILLS)
    with op.batch_alter_table('campaign') as batch_op:
        for column in ('priority', 'wanted', 'rejected', 'planned_to'):
            batch_op.alter_column(column, server_default=None)
    op.create_index(
        'ix_message_recipient', 'message', ['campaign_id', 'fan_id'], unique=True,
        sqlite_where=sa.text(RECIPIENTS), postgresql_where=sa.text(RECIPIENTS),
    )
    _another_index_of_siblings(SIBLINGS)


def downgrade() -> None:
    _another_index_of_siblings(SIBLINGS_WERE)
    op.drop_index('ix_message_recipient', table_name='message')
    with op.batch_alter_table('campaign') as batch_op:
        for column in ('priority', 'segment', 'wanted', 'rejected', 'planned_to', 'planner_until', 'planned_at',
                       'canceled_at'):
            batch_op.drop_column(column)
        _another_status(batch_op, WERE)


def _another_status(batch_op, condition: str) -> None:
    # SQLite's table is made anew, without the condition that it had.
    if op.get_bind().dialect.name == 'postgresql':
        batch_op.drop_constraint(op.f('ck_campaign_status'), type_='check')
    batch_op.create_check_constraint(op.f('ck_campaign_status'), condition)


def _another_index_of_siblings(condition: str) -> None:
    op.drop_index('ix_message_siblings', table_name='message')
    op.create_index(
        'ix_message_siblings', 'message', ['conversation_id', 'priority', 'due_at', 'id'],
        sqlite_where=sa.text(condition), postgresql_where=sa.text(condition),
    )
