-- KEYS[1]: the outbox. ARGV: lease in milliseconds. Returns an entry that is due, or nothing.
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms, 'LIMIT', 0, 1)
if not due[1] then
  return false
end
redis.call('ZADD', KEYS[1], now_ms + ARGV[1], due[1])
return due[1]
