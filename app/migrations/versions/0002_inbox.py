"""The inbox: who wrote last, what the platform is to be told as read, saved replies."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

LAST_DIRECTION = """
UPDATE conversation SET last_direction = (
    SELECT direction FROM message WHERE message.conversation_id = conversation.id
    ORDER BY message.created_at DESC, message.id DESC LIMIT 1
)
"""
NEWEST = ['account_id', 'last_message_at', 'id']
PARTIAL = (
    ('ix_conversation_unread', 'conversation', NEWEST, 'unread_count > 0'),
    ('ix_conversation_waiting', 'conversation', NEWEST, "last_direction = 'in'"),
    ('ix_conversation_read_due', 'conversation', ['read_due_at'], 'read_due_at IS NOT NULL'),
    ('ix_message_unread', 'message', ['conversation_id'], 'NOT read'),
)


def upgrade() -> None:
    op.add_column('conversation', sa.Column('last_direction', sa.String(length=3), nullable=True))
    op.add_column('conversation', sa.Column('read_due_at', UtcDateTime(), nullable=True))
    op.execute(LAST_DIRECTION)
    for name, table, columns, where in PARTIAL:
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_table('saved_reply',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('shortcut', sa.String(length=40), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_saved_reply_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_reply')),
    sa.UniqueConstraint('account_id', 'shortcut', name=op.f('uq_saved_reply_account_id_shortcut'))
    )


def downgrade() -> None:
    op.drop_table('saved_reply')
    for name, table, _, _ in PARTIAL:
        op.drop_index(name, table_name=table)
    op.drop_column('conversation', 'read_due_at')
    op.drop_column('conversation', 'last_direction')
