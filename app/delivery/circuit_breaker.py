"""The circuit breaker: closed, open, half-open; one for each account and one for the platform, in Redis.

Its state changes inside the token bucket's script, because both are asked at once: may this account call now?
It counts distinct messages whose last call ended unclear, with no clear answer since the first of them:

- an account's breaker opens at 3 messages of that account,
- the platform's opens at 3 messages of at least two accounts,

and only when the first of them is 2 s old, so that a burst of unlucky calls in flight opens nothing.
A message alone, however often it fails, never does. After the cool-down (5 s, doubling up to 60 s) one call probes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

PLATFORM = "platform"


class State(StrEnum):
    """`closed`: calls go out; `open`: none does; `half_open`: one may probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """What a breaker says now: its state, in how many seconds it lets a probe through, and for how many it is open."""

    state: State
    retry_in: float = 0.0
    lasts: float = 0.0

    @classmethod
    def read(cls, stored: Sequence[str], now_ms: int) -> "Breaker":
        """From what is stored, until when and since when it is open (empty: no breaker is kept), and Redis' time."""
        if not stored[0]:
            return cls(State.CLOSED)
        until, since = int(stored[0]), int(stored[1] or now_ms)
        left, lasts = (until - now_ms) / 1000, (now_ms - since) / 1000
        return cls(State.OPEN, left, lasts) if left > 0 else cls(State.HALF_OPEN, 0.0, lasts)


# Functions for the token bucket's script. `key(name)` and PROBE_MS (how long a probe may take) come from there.
LUA = """
local DISTINCT, QUIET_MS, COOL_MS, COOL_MOST_MS, BREAKER_KEEP_MS = 3, 2000, 5000, 60000, 600000

-- Milliseconds to wait before `name` may be called (0: go), and whether the call would be a probe.
local function breaker_wait(name, now)
  local stored = redis.call('HMGET', key('breaker:' .. name), 'open_until', 'probe_until')
  if not stored[1] then return 0, false end
  local open_until, probe_until = tonumber(stored[1]), tonumber(stored[2] or 0)
  if open_until > now then return open_until - now, true end
  if probe_until > now then return math.min(probe_until - now, 1000), true end
  return 0, true
end

local function breaker_probe(name, now)
  redis.call('HSET', key('breaker:' .. name), 'probe_until', now + PROBE_MS)
end

local function accounts_in(members)
  local seen, count = {}, 0
  for _, member in ipairs(members) do
    local account = string.match(member, '^[^:]*')
    if not seen[account] then seen[account] = true; count = count + 1 end
  end
  return count
end

local function breaker_failure(name, member, now, accounts_least)
  local breaker, unclear = key('breaker:' .. name), key('unclear:' .. name)
  redis.call('ZREMRANGEBYSCORE', unclear, '-inf', now - BREAKER_KEEP_MS)
  redis.call('ZADD', unclear, 'NX', now, member)
  redis.call('PEXPIRE', unclear, BREAKER_KEEP_MS)
  local opened = tonumber(redis.call('HGET', breaker, 'opened') or 0)
  local oldest = redis.call('ZRANGE', unclear, 0, 99, 'WITHSCORES')
  local members = {}
  for i = 1, #oldest, 2 do members[#members + 1] = oldest[i] end
  local enough = #members >= DISTINCT and accounts_in(members) >= accounts_least
    and now - tonumber(oldest[2]) >= QUIET_MS
  local open_until = tonumber(redis.call('HGET', breaker, 'open_until') or 0)
  if open_until > now or (opened == 0 and not enough) then return end
  local cool = math.min(COOL_MS * 2 ^ opened, COOL_MOST_MS)
  redis.call('HSET', breaker, 'open_until', now + cool, 'opened', math.min(opened + 1, 10))
  redis.call('HSETNX', breaker, 'since', now)
  redis.call('HDEL', breaker, 'probe_until')
  redis.call('PEXPIRE', breaker, BREAKER_KEEP_MS)
end

-- A call of `account` for `message` ended: 'clear' (the platform answered), or 'unclear'.
local function breaker_report(account, message, verdict, now)
  if verdict == 'clear' then
    for _, name in ipairs({account, 'platform'}) do
      redis.call('DEL', key('breaker:' .. name), key('unclear:' .. name))
    end
  elseif verdict == 'unclear' then
    breaker_failure(account, account .. ':' .. message, now, 1)
    breaker_failure('platform', account .. ':' .. message, now, 2)
  end
end
"""
