-- Records once that the phone's session has ended, for the execution that is live on it. Where nothing is known of the
-- session, its first callback may still be on the way: the end is kept for what that begins.
-- KEYS: the session's ledger.
-- ARGV: prefix, owner, lease ms, turn, how long an end is kept that comes first, ms.
local known = redis.call('HMGET', KEYS[1], 'execution', 'closed', 'hung_up')
local id = known[1]
if not id and redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'ended_early', ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
if not id or known[2] or known[3] then return {'none'} end
if redis.call('HGET', execution_key(ARGV[1], id), 'status') ~= 'running' then return {'none'} end
redis.call('HSET', KEYS[1], 'hung_up', '1')
return record(ARGV[1], id, ARGV[4], ARGV[2], clock_ms(), tonumber(ARGV[3]))
