"""Indexes: the inbox as it is read, silent conversations last; and what is written about a fan."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

BEFORE = ['account_id', 'last_message_at', 'id']
INBOX = ['account_id', sa.text('last_message_at NULLS FIRST'), 'id']
PARTIAL = (
    ('ix_conversation_unread', sa.text('unread_count > 0')),
    ('ix_conversation_waiting', sa.text("last_direction = 'in'")),
)


def upgrade() -> None:
    op.drop_index('ix_conversation_account_id_last_message_at_id', table_name='conversation')
    op.create_index('ix_conversation_newest', 'conversation', INBOX)
    _make_partial(INBOX)
    op.create_index('ix_message_fan_id', 'message', ['fan_id'])
    op.create_index('ix_attempt_fan_id', 'attempt', ['fan_id'])


def downgrade() -> None:
    op.drop_index('ix_attempt_fan_id', table_name='attempt')
    op.drop_index('ix_message_fan_id', table_name='message')
    _make_partial(BEFORE)
    op.drop_index('ix_conversation_newest', table_name='conversation')
    op.create_index('ix_conversation_account_id_last_message_at_id', 'conversation', BEFORE)


def _make_partial(columns: list[object]) -> None:
    for name, where in PARTIAL:
        op.drop_index(name, table_name='conversation')
        op.create_index(name, 'conversation', columns, sqlite_where=where, postgresql_where=where)
