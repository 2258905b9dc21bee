-- KEYS: the session's ledger.
-- ARGV: prefix, now, owner, lease ms, text, turn, ledger life ms, fresh id ('' for none), fresh state, workflow id.
local ledger = KEYS[1]
local prefix, now, owner, lease_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local text, turn, life_ms = ARGV[5], ARGV[6], ARGV[7]

local known = redis.call('HMGET', ledger, 'a:' .. text, 'execution', 'last', 'reply', 'closed')
local answer, id, last, reply, closed = known[1], known[2], known[3], known[4], known[5]
if answer then return {'answered', answer, id or ''} end

if not id then
  if ARGV[8] == '' then return {'none'} end
  redis.call('HSET', ledger, 'execution', ARGV[8], 'last', text)
  redis.call('PEXPIRE', ledger, life_ms)
  return create(prefix, ARGV[8], ARGV[9], turn, ARGV[10], owner, now, lease_ms)
end

local key = execution_key(prefix, id)
if text == last then
  -- The same callback again while its turn is under way; if its engine died, this one goes on.
  local runs = leased(key, now)
  if runs then return {'queued', id, runs, 0} end
  return take(prefix, id, owner, now, lease_ms)
end

local follows = last == '' or string.sub(text, 1, #last + 1) == last .. '*'
if closed or not follows or #text <= #last then
  if reply then return {'answered', reply, id} end
  return {'queued', id, leased(key, now) or '', 0}
end

redis.call('HSET', ledger, 'last', text)
redis.call('PEXPIRE', ledger, life_ms)
local number = redis.call('RPUSH', turns_key(prefix, id), turn)
local runs = leased(key, now)
if runs then return {'queued', id, runs, number} end
return take(prefix, id, owner, now, lease_ms)
