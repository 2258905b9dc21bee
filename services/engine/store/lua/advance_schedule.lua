-- Moves a schedule on from a time that was dealt with, unless somebody else has.
-- KEYS: schedules, the flow.
-- ARGV: workflow id, the time, the next one ('' for never), 1 where the flow was started, how often it may be in all
-- ('' for ever).
local planned = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not planned or tonumber(planned) ~= tonumber(ARGV[2]) then return 0 end
local runs = redis.call('HINCRBY', KEYS[2], 'scheduled_runs', ARGV[4])
if ARGV[3] == '' or (ARGV[5] ~= '' and runs >= tonumber(ARGV[5])) then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
end
return 1
