-- KEYS: published flows, registry version, the flow, schedules. ARGV: workflow id.
if redis.call('EXISTS', KEYS[3]) == 0 then return {'missing'} end
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then redis.call('INCR', KEYS[2]) end
redis.call('HDEL', KEYS[3], 'published', 'published_at', 'scheduled_runs')
redis.call('ZREM', KEYS[4], ARGV[1])
return {'unpublished'}
