-- KEYS[1]: the entry. ARGV: digest of the order, owner, lease in milliseconds, time to keep in seconds.
-- Returns what became of the claim and, where there is more to say, a value.
local entry = redis.call('HMGET', KEYS[1], 'order', 'state', 'lease_until_ms', 'answer')
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if not entry[2] then
  redis.call('HSET', KEYS[1], 'order', ARGV[1], 'state', 'sending', 'owner', ARGV[2], 'lease_until_ms', now_ms + ARGV[3])
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  return {'claimed', ''}
end
if entry[1] ~= ARGV[1] then
  return {'reused', ''}
end
if entry[2] ~= 'sending' then
  return {entry[2], entry[4] or ''}
end
local left_ms = entry[3] - now_ms
if left_ms > 0 then
  return {'sending', tostring(left_ms)}
end
-- Its sender died: nobody knows whether the request went out.
redis.call('HSET', KEYS[1], 'state', 'unknown')
redis.call('HDEL', KEYS[1], 'owner', 'lease_until_ms')
return {'unknown', ''}
