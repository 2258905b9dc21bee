-- KEYS: the execution.
-- ARGV: prefix, owner, lease ms, turn, id, state, workflow id.
if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists'} end
return create(ARGV[1], ARGV[5], ARGV[6], ARGV[4], ARGV[7], ARGV[2], clock_ms(), tonumber(ARGV[3]))
