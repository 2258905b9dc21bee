-- Takes what must follow an execution, unless another engine has taken it. Returns the number of the try, 0 if taken.
-- KEYS: executions that something must follow, by when; how often each was tried.
-- ARGV: execution, Unix ms now, Unix ms until which it is taken, life of the counts ms.
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
