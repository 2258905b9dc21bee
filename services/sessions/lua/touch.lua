-- ARGV: expiry from now in ms (0: the session's own life). Writes no data, so the version stays.
local session = load()
if not session then
  return {'absent'}
end
if session.active == '0' then
  return {'ended'}
end
local now = now_ms()
local ttl_ms = tonumber(ARGV[1])
if ttl_ms == 0 then
  ttl_ms = tonumber(session.ttl)
end
session.activity = whole(now)
session.expires = whole(now + ttl_ms)
redis.call('HSET', KEYS[1], 'activity', session.activity, 'expires', session.expires)
expire(session, 0)
return {'ok', 0, flatten(session)}
