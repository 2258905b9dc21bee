-- Writes the journal of one execution, unless another engine has taken it over.
-- KEYS: the execution, the session's ledger (the execution again where there is no session).
-- ARGV: prefix, now, lease ms, id, fence, state, status, turns taken, released (1 or 0), due ('' for never),
--       retention ms ('' while it runs), ledger life ms ('' for no ledger), answered text ('-' for none, else '+' and
--       the text), reply ('' for none), closed (1 or 0), number of correlations, these, then the results.
local prefix, now, lease_ms, id = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[5] then return {'lost'} end
local ended, released = ARGV[11] ~= '', ARGV[9] == '1'

redis.call('HSET', KEYS[1], 'state', ARGV[6], 'status', ARGV[7], 'taken', ARGV[8], 'confirmed', '')
local first_result = 17 + tonumber(ARGV[16])
for index = 17, first_result - 1 do redis.call('RPUSH', correlations_key(prefix, id), ARGV[index]) end
for index = first_result, #ARGV do redis.call('RPUSH', results_key(prefix, id), ARGV[index]) end

local turns = redis.call('LRANGE', turns_key(prefix, id), tonumber(ARGV[8]), -1)
if released and #turns == 0 then
  redis.call('HDEL', KEYS[1], 'owner', 'lease_until')
  if ARGV[10] == '' then redis.call('ZREM', prefix .. 'due', id)
  else redis.call('ZADD', prefix .. 'due', ARGV[10], id) end
  if ended then
    redis.call('PEXPIRE', KEYS[1], ARGV[11])
    redis.call('PEXPIRE', results_key(prefix, id), ARGV[11])
    redis.call('PEXPIRE', turns_key(prefix, id), ARGV[11])
    redis.call('PEXPIRE', correlations_key(prefix, id), ARGV[11])
  end
end

if ARGV[12] ~= '' then
  if ARGV[13] ~= '-' then redis.call('HSETNX', KEYS[2], 'a:' .. string.sub(ARGV[13], 2), ARGV[14]) end
  if ARGV[14] ~= '' then redis.call('HSET', KEYS[2], 'reply', ARGV[14]) end
  if ARGV[15] == '1' then redis.call('HSET', KEYS[2], 'closed', '1')
  elseif ended then redis.call('HDEL', KEYS[2], 'execution', 'last') end
  redis.call('PEXPIRE', KEYS[2], ARGV[12])
end
return {'written', turns}
