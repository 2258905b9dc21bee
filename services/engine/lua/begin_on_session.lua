-- KEYS: the session's ledger.
-- ARGV: prefix, now, owner, lease ms, turn, ledger life ms, fresh id, fresh state, workflow id.
local ledger = KEYS[1]
local prefix, now, owner, lease_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local turn, life_ms = ARGV[5], ARGV[6]

local id = redis.call('HGET', ledger, 'execution')
if not id then
  redis.call('HSET', ledger, 'execution', ARGV[7])
  redis.call('PEXPIRE', ledger, life_ms)
  return create(prefix, ARGV[7], ARGV[8], turn, ARGV[9], owner, now, lease_ms)
end
if id == ARGV[7] then return {'occupied', id, ARGV[9]} end
local key = execution_key(prefix, id)
local runs_flow = redis.call('HGET', key, 'workflow')
if runs_flow ~= ARGV[9] or leased(key, now) then return {'occupied', id, runs_flow or ''} end
redis.call('RPUSH', turns_key(prefix, id), turn)
redis.call('PEXPIRE', ledger, life_ms)
return take(prefix, id, owner, now, lease_ms)
