-- KEYS: the session's ledger.
-- ARGV: prefix, owner, lease ms, turn, ledger life ms, fresh id, fresh state, workflow id, life of what a repetition
--       is known by, ms.
local ledger = KEYS[1]
local prefix, now, owner, lease_ms = ARGV[1], clock_ms(), ARGV[2], tonumber(ARGV[3])
local turn, life_ms = ARGV[4], ARGV[5]

-- The same cause again comes with the same fresh id; what it began or went on with may have ended.
local repeated = redis.call('GET', resumed_key(prefix, ARGV[6]))
if not repeated and redis.call('EXISTS', execution_key(prefix, ARGV[6])) == 1 then repeated = ARGV[6] end
if repeated then return {'queued', repeated, leased(execution_key(prefix, repeated), now) or '', 0} end

local id = redis.call('HGET', ledger, 'execution')
if not id then
  redis.call('HSET', ledger, 'execution', ARGV[6])
  redis.call('PEXPIRE', ledger, life_ms)
  return create(prefix, ARGV[6], ARGV[7], turn, ARGV[8], owner, now, lease_ms)
end
local key = execution_key(prefix, id)
local status = redis.call('HGET', key, 'status')
local is_over = status ~= 'running'
-- The phone's session is over; its answers are kept for a while.
if not status or (is_over and redis.call('HGET', ledger, 'closed')) then return {'none'} end
local runs_flow = redis.call('HGET', key, 'workflow')
-- What has ended and is not committed yet would overwrite what comes after it.
if is_over or runs_flow ~= ARGV[8] or leased(key, now) then return {'occupied', id, runs_flow or ''} end
redis.call('SET', resumed_key(prefix, ARGV[6]), id, 'PX', ARGV[9])
redis.call('RPUSH', turns_key(prefix, id), turn)
redis.call('PEXPIRE', ledger, life_ms)
return take(prefix, id, owner, now, lease_ms)
