-- Notes that the commits of an execution were applied, unless it has gone on in the meantime.
-- KEYS: the execution.
-- ARGV: prefix, id, fence, session version, due ('' for never).
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'confirmed', ARGV[4])
if ARGV[5] == '' then redis.call('ZREM', ARGV[1] .. 'due', ARGV[2])
else redis.call('ZADD', ARGV[1] .. 'due', ARGV[5], ARGV[2]) end
return 1
