-- KEYS: ids, the flow. ARGV: workflow id.
if redis.call('EXISTS', KEYS[2]) == 0 then return {'missing'} end
local published = redis.call('HGET', KEYS[2], 'published')
if published then return {'published', published} end
local kept = redis.call('HVALS', KEYS[2])
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], ARGV[1])
return {'deleted', kept}
