-- Reads one version of a flow.
-- KEYS: the flow, schedules. ARGV: workflow id, version; 0 means the published one, else the newest; -1 the newest.
local facts = redis.call('HMGET', KEYS[1], 'latest', 'published', 'published_at')
if not facts[1] then return {} end
local version = tonumber(ARGV[2])
if version == 0 then version = tonumber(facts[2] or facts[1]) end
if version == -1 then version = tonumber(facts[1]) end
local record = redis.call('HGET', KEYS[1], 'v:' .. version) or ''
local next_run = redis.call('ZSCORE', KEYS[2], ARGV[1]) or ''
return {version, tonumber(facts[1]), tonumber(facts[2] or '0'), facts[3] or '', record, next_run}
