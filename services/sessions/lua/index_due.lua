-- KEYS: entries by when they are due. ARGV: most entries. Returns the time in ms and the entries that are due.
local now = whole(now_ms())
return {now, redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])}
