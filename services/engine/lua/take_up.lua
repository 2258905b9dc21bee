-- KEYS: the execution.
-- ARGV: prefix, now, owner, lease ms, id.
local now = tonumber(ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', ARGV[1] .. 'due', ARGV[5])
  return {'none'}
end
if leased(KEYS[1], now) then return {'leased'} end
return take(ARGV[1], ARGV[5], ARGV[3], now, tonumber(ARGV[4]))
