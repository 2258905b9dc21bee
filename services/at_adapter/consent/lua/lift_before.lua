-- Lifts an opt-out, unless it was told of later than this. Returns 1 where it did, else 0.
-- KEYS: the opt-outs of the sender. ARGV: number, Unix time in ms.
local told_at = redis.call('HGET', KEYS[1], ARGV[1])
if not told_at or tonumber(told_at) > tonumber(ARGV[2]) then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
