-- Takes executions out of the indexes whose retention is over. Returns how many entries were looked at.
-- KEYS: executions that have ended, by when their retention is over.
-- ARGV: prefix, most entries.
local prefix, now = ARGV[1], clock_ms()
local due = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[2])
for _, entry in ipairs(due) do
  local id, workflow_id = string.match(entry, '^(%S+) (.*)$')
  local left_ms = redis.call('PTTL', execution_key(prefix, id))
  if left_ms == -2 then
    redis.call('ZREM', prefix .. 'executions', id)
    redis.call('ZREM', prefix .. 'executions:' .. workflow_id, id)
    redis.call('ZREM', KEYS[1], entry)
  else
    -- The clock was set back meanwhile. The key's own life counts.
    redis.call('ZADD', KEYS[1], now + math.max(left_ms, 1), entry)
  end
end
return #due
