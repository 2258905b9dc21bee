-- Takes an execution that has ended out of its partition. Returns 1, or 0 where somebody still runs it.
-- KEYS: the execution, the ledger of its session (the execution again where it has none).
-- ARGV: prefix, id.
local prefix, id = ARGV[1], ARGV[2]
local kept = redis.call('HMGET', KEYS[1], 'status', 'owner', 'workflow')
if not kept[1] then return 1 end
if kept[2] or kept[1] == 'running' then return 0 end
redis.call('ZREM', prefix .. 'executions', id)
redis.call('ZREM', prefix .. 'executions:' .. kept[3], id)
redis.call('ZREM', prefix .. 'ended', id .. ' ' .. kept[3])
redis.call('ZREM', prefix .. 'due', id)
redis.call('DEL', KEYS[1], KEYS[2], results_key(prefix, id), turns_key(prefix, id))
redis.call('DEL', correlations_key(prefix, id), resumed_key(prefix, id))
return 1
