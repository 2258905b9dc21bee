-- Saves a version, unless it equals the newest one or somebody saved another one in the meantime.
-- KEYS: ids, the flow. ARGV: workflow id, digest, version record, newest version that the caller saw.
local latest = tonumber(redis.call('HGET', KEYS[2], 'latest') or '0')
if latest > 0 and redis.call('HGET', KEYS[2], 'digest') == ARGV[2] then return {0, latest} end
if latest ~= tonumber(ARGV[4]) then return {-1, latest} end
latest = latest + 1
redis.call('HSET', KEYS[2], 'latest', latest, 'digest', ARGV[2], 'v:' .. latest, ARGV[3])
redis.call('ZADD', KEYS[1], 0, ARGV[1])
return {1, latest}
