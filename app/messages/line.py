"""The line of each account: the queries that say which message is next, and why none is.

Next in an account is the first row by (priority, due time, id) that is queued, due, received, not held, needs nothing
but its call, has no earlier unfinished row of its conversation and priority before it, and no equal text in the air.
"""

from sqlalchemy import BindParameter, bindparam, text

from app.db import UtcDateTime
from app.messages.models import Message

SENDABLE = """
    a.stopped_at IS NULL AND a.reconnect_since IS NULL
    AND (a.paused_until IS NULL OR a.paused_until <= :now)
    AND NOT EXISTS (SELECT 1 FROM stop)
"""
NOT_BEHIND_A_SIBLING = """
    NOT EXISTS (
        SELECT 1 FROM message b
        WHERE b.conversation_id = c.conversation_id AND b.priority = c.priority
          AND b.status IN ('queued', 'sending') AND NOT (b.held AND b.status = 'queued')
          AND (b.due_at, b.id) < (c.due_at, c.id)
    )
"""
# Two equal texts in the air at once could be taken for one another when one of them is looked up.
NOT_BESIDE_A_TWIN = """
    NOT EXISTS (
        SELECT 1 FROM message t
        WHERE t.conversation_id = c.conversation_id AND t.id <> c.id AND t.text = c.text
          AND t.status IN ('queued', 'sending') AND NOT (t.held AND t.status = 'queued')
          AND (t.status = 'sending' OR t.next_step = 'look_up')
    )
"""
ENVELOPE = """
    m.id, m.public_id, m.account_id, m.conversation_id, m.fan_id, m.campaign_id, m.status, m.text, m.price_cents,
    m.attachments, m.media_ids, m.attempts, m.claims, m.key_generation, m.first_unclear_at, m.unreadable_since,
    m.next_step, m.queued_at, m.next_attempt_at,
    f.platform_id AS chat, a.platform_id AS platform_account, a.api_key_encrypted, a.probes
"""
NEXT = text(f"""
    SELECT {ENVELOPE}
    FROM account a
    JOIN message m ON m.id = (
        SELECT c.id FROM message c
        WHERE c.account_id = a.id AND c.status = 'queued' AND NOT c.held
          AND c.received_at IS NOT NULL AND c.next_step = 'send' AND c.due_at <= :now
          AND (c.next_attempt_at IS NULL OR c.next_attempt_at <= :now)
          AND {NOT_BEHIND_A_SIBLING} AND {NOT_BESIDE_A_TWIN}
        ORDER BY c.priority, c.due_at, c.id
        LIMIT 1)
    JOIN fan f ON f.id = m.fan_id
    WHERE a.id IN :accounts AND {SENDABLE}
""")  # noqa: S608 - constants only
CHORES = text(f"""
    SELECT {ENVELOPE}, v.unread_count
    FROM account a
    JOIN message m ON m.id = (
        SELECT c.id FROM message c
        WHERE c.account_id = a.id AND c.status = 'queued' AND c.next_step <> 'send'
          AND (NOT c.held OR c.next_step = 'look_up')
          AND c.received_at IS NOT NULL AND c.due_at <= :now
          AND (c.next_attempt_at IS NULL OR c.next_attempt_at <= :now)
        ORDER BY COALESCE(c.next_attempt_at, c.due_at), c.priority, c.id
        LIMIT 1)
    JOIN fan f ON f.id = m.fan_id
    JOIN conversation v ON v.id = m.conversation_id
    WHERE NOT EXISTS (
          SELECT 1 FROM message o
          WHERE o.account_id = a.id AND o.status = 'queued' AND o.lease_until IS NOT NULL AND o.lease_until > :now)
      AND {SENDABLE}
    ORDER BY COALESCE(m.next_attempt_at, m.due_at), m.id
    LIMIT :most
""")  # noqa: S608 - constants only
# The first of each account that nothing of ours holds back, whether its ticket came in or not.
HEADS = text(f"""
    SELECT a.id AS account_id, m.due_at, m.queued_at, m.next_attempt_at
    FROM account a
    JOIN message m ON m.id = (
        SELECT c.id FROM message c
        WHERE c.account_id = a.id AND c.status = 'queued' AND NOT c.held AND c.due_at <= :now
          AND (c.next_attempt_at IS NULL OR c.next_attempt_at <= :now)
          AND (c.lease_until IS NULL OR c.lease_until <= :now)
          AND {NOT_BEHIND_A_SIBLING} AND {NOT_BESIDE_A_TWIN}
        ORDER BY c.priority, c.due_at, c.id
        LIMIT 1)
    WHERE {SENDABLE}
""")  # noqa: S608 - constants only
WAITING = text("""
    SELECT m.account_id, COUNT(*) AS waiting,
           MIN(CASE WHEN m.next_attempt_at > :now THEN m.next_attempt_at END) AS next_attempt_at
    FROM message m
    JOIN account a ON a.id = m.account_id
    WHERE m.account_id IN :accounts AND m.status = 'queued' AND NOT m.held AND m.received_at IS NOT NULL
      AND m.next_step = 'send' AND a.stopped_at IS NULL AND a.reconnect_since IS NULL
      AND (a.paused_until IS NULL OR a.paused_until <= :now)
    GROUP BY m.account_id
""")
ENVELOPE_TYPES = {
    "attachments": Message.attachments.type,
    "media_ids": Message.media_ids.type,
    "first_unclear_at": UtcDateTime,
    "unreadable_since": UtcDateTime,
    "queued_at": UtcDateTime,
    "next_attempt_at": UtcDateTime,
}
NOW = bindparam("now", type_=UtcDateTime)
ACCOUNTS: BindParameter[list[int]] = bindparam("accounts", expanding=True)
NEXT_QUERY = NEXT.bindparams(NOW, ACCOUNTS).columns(**ENVELOPE_TYPES)
CHORES_QUERY = CHORES.bindparams(NOW).columns(**ENVELOPE_TYPES)
HEADS_QUERY = HEADS.bindparams(NOW).columns(due_at=UtcDateTime, queued_at=UtcDateTime, next_attempt_at=UtcDateTime)
WAITING_QUERY = WAITING.bindparams(NOW, ACCOUNTS).columns(next_attempt_at=UtcDateTime)
