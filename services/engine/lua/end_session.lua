-- Records once that the phone's session has ended, for the execution that is live on it.
-- KEYS: the session's ledger.
-- ARGV: prefix, owner, lease ms, turn.
local known = redis.call('HMGET', KEYS[1], 'execution', 'closed', 'hung_up')
local id = known[1]
if not id or known[2] or known[3] then return {'none'} end
if redis.call('HGET', execution_key(ARGV[1], id), 'status') ~= 'running' then return {'none'} end
redis.call('HSET', KEYS[1], 'hung_up', '1')
return record(ARGV[1], id, ARGV[4], ARGV[2], clock_ms(), tonumber(ARGV[3]))
