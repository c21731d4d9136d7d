"""Campaigns whose messages are still being written are found at once."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

UNPLANNED = sa.text("planned_at IS NULL")


def upgrade() -> None:
    op.create_index(
        'ix_campaign_unplanned', 'campaign', ['planner_until'], sqlite_where=UNPLANNED, postgresql_where=UNPLANNED
    )


def downgrade() -> None:
    op.drop_index('ix_campaign_unplanned', table_name='campaign')
