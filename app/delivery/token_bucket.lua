-- The token bucket of every account. A slot that is taken comes back one window after its call has ended.
-- KEYS[1]: common prefix of all keys (a hash tag, so that a cluster keeps them together). ARGV[1]: operation.
-- ARGV[2]: limit, ARGV[3]: window ms, ARGV[4]: gap ms, ARGV[5]: a call's longest time in ms; then the operation's own.
--
--   ready              zset  account → when to look at it next (ms)
--   account:<id>       hash  run, seq, start, before, careful, hold, blocked
--   slots:<id>         zset  slot → when it comes back (ms)
--   flights:<id>       zset  slot → when its call counts as ended (ms)
--   sentinel           hash  run, since: which Redis this is, and since when we know it
--   clock              hash  last, offset: our time never goes back
--   hold               until when nothing may go (ms), after the clock has jumped

local LIMIT, WINDOW, GAP, CALL = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local PROBE_MS = CALL + 5000
local IN_FLIGHT, IN_FLIGHT_CAREFUL = 3, 1
local JUMP_MS, JUMP_HOLD_MS, GRACE_MS, DAY_MS = 5000, math.max(60000, WINDOW + CALL), 5000, 86400000
local KEEP_MS = WINDOW + CALL + 3600000

local function key(name) return KEYS[1] .. ':' .. name end

-- BREAKER --

local function clock()
  local time = redis.call('TIME')
  local wall = time[1] * 1000 + math.floor(time[2] / 1000)
  local stored = redis.call('HMGET', key('clock'), 'last', 'offset')
  local last, offset = tonumber(stored[1] or 0), tonumber(stored[2] or 0)
  if wall + offset < last then offset = last - wall end
  redis.call('HSET', key('clock'), 'last', wall + offset, 'offset', offset)
  redis.call('PEXPIRE', key('clock'), DAY_MS)
  return wall + offset
end

local function run_id() return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') end

local function lowest(set)
  local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
  return first[2] and tonumber(first[2])
end

local function remember(account)
  redis.call('PEXPIRE', key('account:' .. account), KEEP_MS)
end

-- Look at `account` at that time; mode 'LT': if not earlier already, 'XX LT': only if somebody waits to look at all.
local function look(account, at, ...)
  local arguments = {key('ready'), ...}
  arguments[#arguments + 1], arguments[#arguments + 2] = at, account
  redis.call('ZADD', unpack(arguments))
  redis.call('PEXPIRE', key('ready'), DAY_MS)
end

-- When `account` may have a flight at the earliest, as far as calls in the air and its breaker say.
local function flight_wait(account, careful, now)
  local flights = key('flights:' .. account)
  redis.call('ZREMRANGEBYSCORE', flights, '-inf', now)
  if redis.call('ZCARD', flights) >= (careful and IN_FLIGHT_CAREFUL or IN_FLIGHT) then return lowest(flights) - now end
  return breaker_wait(account, now)
end

local function slot_wait(account, start, hold, now)
  if hold > now then return hold - now end
  if start + GAP > now then return start + GAP - now end
  local slots = key('slots:' .. account)
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
  if redis.call('ZCARD', slots) >= LIMIT then return lowest(slots) - now end
  return 0
end

-- Since when `account` could have had a slot, as far as its limit says; ask before slot_wait tidies up. In the future:
-- when it can have one.
local function free_since(account, start, hold)
  local slots = key('slots:' .. account)
  local used, back = redis.call('ZCARD', slots) - LIMIT, 0
  if used >= 0 then back = tonumber(redis.call('ZRANGE', slots, used, used, 'WITHSCORES')[2]) end
  return math.max(start > 0 and start + GAP or 0, hold, back)
end

local function board(account, slot, ends)
  local flights = key('flights:' .. account)
  redis.call('ZADD', flights, ends, slot)
  redis.call('PEXPIRE', flights, KEEP_MS)
end

local function probes(account, probe, platform_probe, now)
  if probe then breaker_probe(account, now) end
  if platform_probe then breaker_probe('platform', now) end
  return (probe or platform_probe) and 1 or 0
end

local function held(now)
  local hold = tonumber(redis.call('GET', key('hold')) or 0)
  return math.max(0, hold - now)
end

local function jumped(expected, now)
  if expected == 0 or now <= expected + JUMP_MS then return false end
  redis.call('SET', key('hold'), now + JUMP_HOLD_MS, 'PX', JUMP_HOLD_MS)
  return true
end

local operations = {}

-- take <expected now or 0> <most> <look at most> <name for slots>
-- → now, wait ms, 'ok'|'lost'|'jumped', run, [account, slot, seq, probe, start, free since]…, [stranger]…
function operations.take()
  local expected, most, examined, name = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
  local now, run = clock(), run_id()
  if jumped(expected, now) then return {now, JUMP_HOLD_MS, 'jumped', run, {}, {}} end
  local sentinel = redis.call('HMGET', key('sentinel'), 'run', 'since')
  if sentinel[1] ~= run then return {now, 0, 'lost', run, {}, {}} end
  local platform_wait, platform_probe = breaker_wait('platform', now)
  local wait = math.max(held(now), platform_wait)
  if wait > 0 then return {now, wait, 'ok', run, {}, {}} end
  if platform_probe then most = 1 end
  local grants, strangers, ready = {}, {}, key('ready')
  for _, account in ipairs(redis.call('ZRANGEBYSCORE', ready, '-inf', now, 'LIMIT', 0, examined)) do
    if #grants >= most then break end
    local stored = redis.call('HMGET', key('account:' .. account), 'run', 'seq', 'start', 'careful', 'hold')
    local start = tonumber(stored[3] or 0)
    if stored[1] ~= run then
      local known = tonumber(sentinel[2]) + GRACE_MS
      look(account, math.max(known, now + 1000))
      if known <= now then strangers[#strangers + 1] = account end
    else
      local account_wait, probe = flight_wait(account, stored[4] == '1', now)
      local hold = tonumber(stored[5] or 0)
      local free = free_since(account, start, hold)
      account_wait = math.max(account_wait, slot_wait(account, start, hold, now))
      if account_wait > 0 then
        look(account, now + account_wait)
      else
        local slot = name .. ':' .. #grants
        redis.call('ZADD', key('slots:' .. account), now + CALL + WINDOW, slot)
        redis.call('PEXPIRE', key('slots:' .. account), KEEP_MS)
        board(account, slot, now + CALL)
        redis.call('HSET', key('account:' .. account), 'start', now, 'before', start)
        remember(account)
        look(account, now + GAP)
        grants[#grants + 1] = {account, slot, stored[2] or '0', probes(account, probe, platform_probe, now), now, free}
      end
    end
  end
  redis.call('PEXPIRE', key('sentinel'), DAY_MS)
  local next_look = lowest(ready)
  return {now, next_look and math.max(0, next_look - now) or -1, 'ok', run, grants, strangers}
end

-- finish [account, slot, start or 0, message, 'clear'|'unclear'|'silent'|'unused', 1 after a time-out else 0]…
-- An unused slot comes back at once; its `message` is 1 when it was to be a probe, else 0.
function operations.finish()
  local now = clock()
  for i = 6, #ARGV, 6 do
    local account, slot, start, message, verdict = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
    local hash = key('account:' .. account)
    redis.call('ZREM', key('flights:' .. account), slot)
    if verdict == 'unused' then
      redis.call('ZREM', key('slots:' .. account), slot)
      if message == '1' then
        redis.call('HDEL', key('breaker:' .. account), 'probe_until')
        redis.call('HDEL', key('breaker:platform'), 'probe_until')
      end
      if redis.call('HGET', hash, 'start') == start then
        redis.call('HSET', hash, 'start', redis.call('HGET', hash, 'before') or 0)
      end
    elseif start ~= '0' then
      redis.call('ZADD', key('slots:' .. account), now + WINDOW, slot)
      redis.call('PEXPIRE', key('slots:' .. account), KEEP_MS)
    end
    breaker_report(account, message, verdict, now)
    if ARGV[i + 5] == '1' then redis.call('HSET', hash, 'careful', 1)
    elseif verdict == 'clear' then redis.call('HDEL', hash, 'careful') end
    if redis.call('HDEL', hash, 'blocked') == 1 then look(account, now, 'LT') else look(account, now, 'XX', 'LT') end
    remember(account)
  end
  return now
end

-- ready [account]…: there is work for these accounts.
function operations.ready()
  local now = clock()
  for i = 6, #ARGV do
    redis.call('HINCRBY', key('account:' .. ARGV[i]), 'seq', 1)
    remember(ARGV[i])
    look(ARGV[i], now, 'LT')
  end
  return now
end

-- rest [account, seq, delay ms or -1, 1 when a call in the air blocks the rest else 0]…
-- Nothing to send now: look again after the delay, or when there is new work. Newer work (another seq) wins.
function operations.rest()
  local now = clock()
  for i = 6, #ARGV, 4 do
    local account, seq, delay = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local hash = key('account:' .. account)
    if (redis.call('HGET', hash, 'seq') or '0') == seq then
      if ARGV[i + 3] == '1' and redis.call('ZCARD', key('flights:' .. account)) > 0 then redis.call('HSET', hash, 'blocked', 1)
      elseif ARGV[i + 3] == '1' and delay < 0 then delay = 1000 end
      if delay < 0 then redis.call('ZREM', key('ready'), account) else look(account, now + delay) end
    end
  end
  return now
end

-- found <run> <1 when this installation has never called>: this Redis is new to us (restarted, flushed, another).
function operations.found()
  local now = clock()
  if run_id() ~= ARGV[6] then return now end
  redis.call('HSET', key('sentinel'), 'run', ARGV[6], 'since', ARGV[7] == '1' and 0 or now)
  redis.call('PEXPIRE', key('sentinel'), DAY_MS)
  return now
end

-- admit <run> [account, wait ms]…: these accounts are known from the database now and may go after their wait.
function operations.admit()
  local now = clock()
  if run_id() ~= ARGV[6] then return now end
  for i = 7, #ARGV, 2 do
    redis.call('HSET', key('account:' .. ARGV[i]), 'run', ARGV[6], 'hold', now + tonumber(ARGV[i + 1]))
    remember(ARGV[i])
    look(ARGV[i], now, 'LT')
  end
  return now
end

-- board <account> <flight> <ms>: a call that needs no slot (a look-up, an upload). → 1 when it may go, and 1 for a probe
function operations.board()
  local account, now = ARGV[6], clock()
  local careful = redis.call('HGET', key('account:' .. account), 'careful') == '1'
  local platform_wait, platform_probe = breaker_wait('platform', now)
  local account_wait, probe = flight_wait(account, careful, now)
  if math.max(held(now), platform_wait, account_wait) > 0 then return {0, 0} end
  board(account, ARGV[7], now + tonumber(ARGV[8]))
  return {1, probes(account, probe, platform_probe, now)}
end

-- free [account]… → for each, since how many ms it could have had a slot; negative: in how many it can have one.
function operations.free()
  local now, hold, answers = clock(), tonumber(redis.call('GET', key('hold')) or 0), {}
  for i = 6, #ARGV do
    local stored = redis.call('HMGET', key('account:' .. ARGV[i]), 'start', 'hold')
    answers[#answers + 1] = now - free_since(ARGV[i], tonumber(stored[1] or 0), math.max(hold, tonumber(stored[2] or 0)))
  end
  return answers
end

-- peek <account> → now, start, hold, account breaker's and platform breaker's {open_until, since} ('' each), come-back
-- times…
function operations.peek()
  local account, now = ARGV[6], clock()
  local stored = redis.call('HMGET', key('account:' .. account), 'start', 'hold')
  local breakers = {}
  for place, name in ipairs({account, 'platform'}) do
    local kept = redis.call('HMGET', key('breaker:' .. name), 'open_until', 'since')
    breakers[place] = {kept[1] or '', kept[2] or ''}
  end
  local hold = math.max(tonumber(stored[2] or 0), tonumber(redis.call('GET', key('hold')) or 0))
  local times = {}
  local slots = redis.call('ZRANGEBYSCORE', key('slots:' .. account), '(' .. now, '+inf', 'WITHSCORES')
  for i = 2, #slots, 2 do times[#times + 1] = slots[i] end
  return {now, stored[1] or '0', hold, breakers[1], breakers[2], times}
end

return operations[ARGV[1]]()
