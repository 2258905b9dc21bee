-- KEYS: the session's ledger.
-- ARGV: prefix, owner, lease ms, mark of the callback, turn, ledger life ms, fresh id ('' for none), fresh state,
--       workflow id, id of the execution that the session belongs to already ('' where it begins its own), the offer to
--       go on that the person declines ('' where there is none), marks of the callbacks that this one may follow.
local MOST_WAITING = 16 -- turns of one session that are recorded and not taken
local ledger = KEYS[1]
local prefix, now, owner, lease_ms = ARGV[1], clock_ms(), ARGV[2], tonumber(ARGV[3])
local mark, turn, life_ms = ARGV[4], ARGV[5], ARGV[6]

local known = redis.call(
  'HMGET', ledger, 'a:' .. mark, 'execution', 'last', 'reply', 'closed', 'busy', 'continued', 'offered',
  'ended_early')
local answer, id, last, reply, closed, busy = known[1], known[2], known[3], known[4], known[5], known[6]
if answer then return {'answered', answer, id or ''} end

if known[7] then return {'continued', known[7]} end
if known[8] and known[8] ~= ARGV[11] then return {'offered', known[8]} end

if not id and ARGV[10] ~= '' then
  -- A call that an execution placed: its session is known by its first callback only.
  if redis.call('HGET', execution_key(prefix, ARGV[10]), 'status') ~= 'running' then return {'none'} end
  id = ARGV[10]
  redis.call('HSET', ledger, 'execution', id)
  redis.call('PEXPIRE', ledger, life_ms)
end

if not id then
  if ARGV[7] == '' then return {'none'} end
  redis.call('HDEL', ledger, 'offered')
  redis.call('HSET', ledger, 'execution', ARGV[7], 'last', mark)
  redis.call('PEXPIRE', ledger, life_ms)
  local begun = create(prefix, ARGV[7], ARGV[8], turn, ARGV[9], owner, now, lease_ms)
  if known[9] then
    -- Callbacks come in no order: the session was over before this one told of it.
    redis.call('HDEL', ledger, 'ended_early')
    redis.call('HSET', ledger, 'hung_up', '1')
    redis.call('RPUSH', turns_key(prefix, ARGV[7]), known[9])
    table.insert(begun[7], known[9])
  end
  return begun
end

local key = execution_key(prefix, id)
if redis.call('EXISTS', key) == 0 then
  -- Its retention was shorter than that of the answers.
  if reply then return {'answered', reply, id} end
  return {'none'}
end
if mark == last then
  -- The same callback again while its turn is under way; if its engine died, this one goes on.
  local runs = leased(key, now)
  if runs then return {'queued', id, runs, 0} end
  if closed and reply then return {'answered', reply, id} end
  return take(prefix, id, owner, now, lease_ms)
end

-- An execution that a call began has seen no callback yet: whatever comes first follows.
local follows = not last
for index = 12, #ARGV do follows = follows or ARGV[index] == last end
if closed or not follows then
  if reply then return {'answered', reply, id} end
  return {'queued', id, leased(key, now) or '', 0}
end

-- The execution hangs and the session goes on typing: what is beyond is treated like a text out of order.
local waiting = redis.call('LLEN', turns_key(prefix, id)) - tonumber(redis.call('HGET', key, 'taken') or '0')
if waiting >= MOST_WAITING then
  if reply then return {'answered', reply, id} end
  return {'queued', id, leased(key, now) or '', 0}
end

if busy then
  -- The person was told that the answer takes longer: what was typed asks for it again and is not for the flow.
  redis.call('HDEL', ledger, 'busy')
  turn = '{"signal":"check",' .. string.sub(turn, 2)
end
redis.call('HSET', ledger, 'last', mark)
redis.call('PEXPIRE', ledger, life_ms)
return record(prefix, id, turn, owner, now, lease_ms)
