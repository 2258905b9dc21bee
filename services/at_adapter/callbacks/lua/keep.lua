-- KEYS[1]: the outbox. ARGV: capacity, delay in milliseconds, entry. Returns 0 when the outbox is full.
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  return 0
end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[3])
return 1
