-- Prolongs a lease that is still held.
-- KEYS: the execution.
-- ARGV: prefix, now, owner, lease ms, id, fence.
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[6] then return 0 end
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'lease_until', tonumber(ARGV[2]) + tonumber(ARGV[4]))
redis.call('ZADD', ARGV[1] .. 'due', tonumber(ARGV[2]) + tonumber(ARGV[4]), ARGV[5])
return 1
