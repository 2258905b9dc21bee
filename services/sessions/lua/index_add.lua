-- KEYS: entries by creation, entries by when they are due. ARGV: entry, ms until it is due.
-- An entry that is there keeps its place, unless it is due: then its session is gone, and the id is used anew.
local now = now_ms()
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not due or tonumber(due) <= now then
  redis.call('ZADD', KEYS[1], whole(now), ARGV[1])
end
redis.call('ZADD', KEYS[2], 'GT', whole(now + ARGV[2]), ARGV[1])
return redis.status_reply('OK')
