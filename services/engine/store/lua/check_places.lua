-- Frees places whose executions are gone, and notes that others were looked at.
-- KEYS: the places of the flow.
-- ARGV: how many are to be freed, their names, then the names of the others.
local now, gone = clock_ms(), tonumber(ARGV[1])
for index = 2, gone + 1 do redis.call('ZREM', KEYS[1], ARGV[index]) end
for index = gone + 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now, ARGV[index]) end
return gone
