-- Gives up a lease that is still held; the execution is due at once.
-- KEYS: the execution.
-- ARGV: prefix, id, fence.
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[3] then return 0 end
redis.call('HDEL', KEYS[1], 'owner', 'lease_until')
redis.call('ZADD', ARGV[1] .. 'due', clock_ms(), ARGV[2])
return 1
