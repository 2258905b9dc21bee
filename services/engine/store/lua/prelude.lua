-- What the scripts of the engine share. All keys of one partition carry one hash tag, so they lie in one slot;
-- keys whose name is only known here (the execution of a session) are made from the partition's prefix.

local function execution_key(prefix, id) return prefix .. 'x:' .. id end
local function results_key(prefix, id) return prefix .. 'r:' .. id end
local function correlations_key(prefix, id) return prefix .. 'c:' .. id end
local function resumed_key(prefix, id) return prefix .. 'k:' .. id end
local function turns_key(prefix, id) return prefix .. 't:' .. id end

-- Leases are measured by the one clock that all engines share.
local function clock_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function leased(key, now)
  local lease = redis.call('HMGET', key, 'owner', 'lease_until')
  if lease[1] and tonumber(lease[2]) > now then return lease[1] end
  return false
end

-- Takes the lease and answers with all that is needed to go on. An owner that is still there has died.
local function take(prefix, id, owner, now, lease_ms)
  local key = execution_key(prefix, id)
  local broken_off = redis.call('HEXISTS', key, 'owner')
  local fence = redis.call('HINCRBY', key, 'fence', 1)
  redis.call('HSET', key, 'owner', owner, 'lease_until', now + lease_ms)
  redis.call('ZADD', prefix .. 'due', now + lease_ms, id)
  local kept = redis.call('HMGET', key, 'state', 'taken', 'confirmed')
  local turns = redis.call('LRANGE', turns_key(prefix, id), tonumber(kept[2] or 0), -1)
  return {'taken', id, fence, kept[1], kept[2] or '0', kept[3] or '', turns, broken_off}
end

local function create(prefix, id, state, turn, workflow_id, owner, now, lease_ms)
  redis.call('HSET', execution_key(prefix, id), 'state', state, 'workflow', workflow_id, 'status', 'running')
  redis.call('RPUSH', turns_key(prefix, id), turn)
  redis.call('ZADD', prefix .. 'executions', now, id)
  redis.call('ZADD', prefix .. 'executions:' .. workflow_id, now, id)
  return take(prefix, id, owner, now, lease_ms)
end

-- Records a turn for a run that is under way, else takes the lease. Turns are answered as they were recorded.
local function record(prefix, id, turn, owner, now, lease_ms)
  local number = redis.call('RPUSH', turns_key(prefix, id), turn)
  local runs = leased(execution_key(prefix, id), now)
  if runs then return {'queued', id, runs, number, turn} end
  return take(prefix, id, owner, now, lease_ms)
end
