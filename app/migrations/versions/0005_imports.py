"""Imports of fans: the run, its file while it is needed, the rows that it couldn't take."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('import',
    sa.Column('id', BigId, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('author_id', BigId, nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=10), nullable=False),
    sa.Column('layout', sa.JSON(), nullable=False),
    sa.Column('preview', sa.JSON(), nullable=False),
    sa.Column('total_rows', sa.Integer(), nullable=False),
    sa.Column('rows_done', sa.Integer(), nullable=False),
    sa.Column('inserted', sa.Integer(), nullable=False),
    sa.Column('updated', sa.Integer(), nullable=False),
    sa.Column('unchanged', sa.Integer(), nullable=False),
    sa.Column('rejected', sa.Integer(), nullable=False),
    sa.Column('faults', sa.Integer(), nullable=False),
    sa.Column('claims', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('queued_at', UtcDateTime(), nullable=True),
    sa.Column('working_until', UtcDateTime(), nullable=True),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.CheckConstraint("status IN ('draft', 'processing', 'completed', 'failed')", name=op.f('ck_import_status')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_import_account_id_account')),
    sa.ForeignKeyConstraint(['author_id'], ['user.id'], name=op.f('fk_import_author_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import'))
    )
    op.create_index('ix_import_account_id_id', 'import', ['account_id', 'id'])
    op.create_index('ix_import_status_queued_at', 'import', ['status', 'queued_at'])
    op.create_table('import_file',
    sa.Column('import_id', BigId, nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['import.id'], name=op.f('fk_import_file_import_id_import'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', name=op.f('pk_import_file'))
    )
    op.create_table('rejected_row',
    sa.Column('id', BigId, nullable=False),
    sa.Column('import_id', BigId, nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('faults', sa.JSON(), nullable=False),
    sa.Column('cells', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['import.id'], name=op.f('fk_rejected_row_import_id_import'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rejected_row')),
    sa.UniqueConstraint('import_id', 'line', name=op.f('uq_rejected_row_import_id_line'))
    )


def downgrade() -> None:
    op.drop_table('rejected_row')
    op.drop_table('import_file')
    op.drop_index('ix_import_status_queued_at', table_name='import')
    op.drop_index('ix_import_account_id_id', table_name='import')
    op.drop_table('import')
