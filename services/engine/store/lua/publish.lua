-- Publishes a version of a flow, unless another published flow makes the same claim.
-- KEYS: published flows, registry version, the flow, schedules.
-- ARGV: workflow id, version, claim, entry of the published flow, time, when a clock starts it next ('' for never), a
-- time of this version that is due ('' for none): it is not lost, unless it was dealt with meanwhile.
for _, entry in ipairs(redis.call('HGETALL', KEYS[1])) do
  local ok, other = pcall(cjson.decode, entry)
  if ok and type(other) == 'table' and other.claim == ARGV[3] and other.workflow_id ~= ARGV[1] then
    return {'claimed', other.workflow_id}
  end
end
if redis.call('HEXISTS', KEYS[3], 'v:' .. ARGV[2]) == 0 then return {'missing'} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
redis.call('HSET', KEYS[3], 'published', ARGV[2], 'published_at', ARGV[5], 'scheduled_runs', 0)
local is_due = ARGV[7] ~= '' and tonumber(redis.call('ZSCORE', KEYS[4], ARGV[1])) == tonumber(ARGV[7])
if not is_due then
  if ARGV[6] == '' then redis.call('ZREM', KEYS[4], ARGV[1]) else redis.call('ZADD', KEYS[4], ARGV[6], ARGV[1]) end
end
redis.call('INCR', KEYS[2])
return {'published'}
