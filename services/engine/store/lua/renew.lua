-- Prolongs a lease that is still held.
-- KEYS: the execution.
-- ARGV: prefix, owner, lease ms, id, fence.
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[5] then return 0 end
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[2] then return 0 end
local lease_until = clock_ms() + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'lease_until', lease_until)
redis.call('ZADD', ARGV[1] .. 'due', lease_until, ARGV[4])
return 1
