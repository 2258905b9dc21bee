-- Records a signal for an execution.
-- KEYS: the execution.
-- ARGV: prefix, owner, lease ms, id, turn.
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return {'none'} end
return record(ARGV[1], ARGV[4], ARGV[5], ARGV[2], clock_ms(), tonumber(ARGV[3]))
