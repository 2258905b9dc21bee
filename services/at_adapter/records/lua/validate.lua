-- KEYS[1]: the requests. ARGV: member of the transaction, window in milliseconds. Returns 1 when it was requested.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now_ms - ARGV[2], '+inf')) do
  if string.sub(member, 1, 2) == 'r:' then
    redis.call('ZREM', KEYS[1], member)
    redis.call('ZADD', KEYS[1], now_ms, ARGV[1])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return 1
  end
end
return 0
