-- KEYS[1]: the outbox. ARGV: entry as it stands, entry as it shall be, delay in milliseconds.
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3], ARGV[2])
end
return 0
