-- KEYS: the execution.
-- ARGV: prefix, now, owner, lease ms, turn, id, state, workflow id.
if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists'} end
return create(ARGV[1], ARGV[6], ARGV[7], ARGV[5], ARGV[8], ARGV[3], tonumber(ARGV[2]), tonumber(ARGV[4]))
