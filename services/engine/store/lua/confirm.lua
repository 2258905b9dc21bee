-- Notes that the commits of an execution were applied, unless it has gone on in the meantime.
-- KEYS: the execution, the session's ledger.
-- ARGV: prefix, id, fence, session version, due ('' for never), whether the session may have another execution now
--       (1 or 0).
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'confirmed', ARGV[4])
if ARGV[5] == '' then redis.call('ZREM', ARGV[1] .. 'due', ARGV[2])
else redis.call('ZADD', ARGV[1] .. 'due', ARGV[5], ARGV[2]) end
if ARGV[6] == '1' and redis.call('HGET', KEYS[2], 'execution') == ARGV[2]
  and not redis.call('HGET', KEYS[2], 'closed') then
  redis.call('HDEL', KEYS[2], 'execution', 'last')
end
return 1
