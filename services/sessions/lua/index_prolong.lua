-- KEYS: entries by creation, entries by when they are due. ARGV: entry, when it is due next (ms since 1970).
redis.call('ZADD', KEYS[2], 'XX', 'GT', ARGV[2], ARGV[1])
return redis.status_reply('OK')
