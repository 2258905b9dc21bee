-- Takes a place for an execution, unless the flow has as many as it may.
-- KEYS: the places of the flow.
-- ARGV: name of the place, limit, life ms, how many holders to name, unchecked for ms.
local now = clock_ms()
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {'held'} end
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {'taken'}
end
local unchecked = now - tonumber(ARGV[5])
return {'full', now, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', unchecked, 'WITHSCORES', 'LIMIT', 0, ARGV[4])}
