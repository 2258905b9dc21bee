-- Keeps what nobody claimed, once; what is too old or too much goes.
-- KEYS: names by time, entries by name.
-- ARGV: name, entry, now ms, life ms, how many may be kept.
local function forget(names)
  for _, name in ipairs(names) do
    redis.call('ZREM', KEYS[1], name)
    redis.call('HDEL', KEYS[2], name)
  end
end

if redis.call('ZADD', KEYS[1], 'NX', ARGV[3], ARGV[1]) == 1 then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
forget(redis.call('ZRANGE', KEYS[1], '-inf', ARGV[3] - ARGV[4], 'BYSCORE', 'LIMIT', 0, 100))
forget(redis.call('ZRANGE', KEYS[1], 0, -1 - ARGV[5]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
