-- KEYS: the execution.
-- ARGV: prefix, owner, lease ms, id.
local now = clock_ms()
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', ARGV[1] .. 'due', ARGV[4])
  return {'none'}
end
if leased(KEYS[1], now) then return {'leased'} end
return take(ARGV[1], ARGV[4], ARGV[2], now, tonumber(ARGV[3]))
