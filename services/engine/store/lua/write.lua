-- Writes the journal of one execution, unless another engine has taken it over.
-- KEYS: the execution, the session's ledger (the execution again where there is no session), the ledger that the answer
--       belongs to: that of a call that the execution placed, else the session's again.
-- ARGV: prefix, id, fence, state, status, turns taken, released (1 or 0), due ('' for never),
--       retention ms ('' while it runs), ledger life ms ('' for no ledger), mark of the answered turn ('' for none),
--       reply ('' for none), closed (1 or 0), whether the session may have another execution now (1 or 0), number of
--       correlations, these, then the results.
local prefix, id = ARGV[1], ARGV[2]
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[3] then return {'lost'} end
local ended, released = ARGV[9] ~= '', ARGV[7] == '1'

redis.call('HSET', KEYS[1], 'state', ARGV[4], 'status', ARGV[5], 'taken', ARGV[6], 'confirmed', '')
local first_result = 16 + tonumber(ARGV[15])
for index = 16, first_result - 1 do redis.call('RPUSH', correlations_key(prefix, id), ARGV[index]) end
for index = first_result, #ARGV do redis.call('RPUSH', results_key(prefix, id), ARGV[index]) end

local turns = redis.call('LRANGE', turns_key(prefix, id), tonumber(ARGV[6]), -1)
if released and #turns == 0 then
  redis.call('HDEL', KEYS[1], 'owner', 'lease_until')
  if ARGV[8] == '' then redis.call('ZREM', prefix .. 'due', id)
  else redis.call('ZADD', prefix .. 'due', ARGV[8], id) end
  if ended then
    redis.call('PEXPIRE', KEYS[1], ARGV[9])
    redis.call('PEXPIRE', results_key(prefix, id), ARGV[9])
    redis.call('PEXPIRE', turns_key(prefix, id), ARGV[9])
    redis.call('PEXPIRE', correlations_key(prefix, id), ARGV[9])
    local entry = id .. ' ' .. redis.call('HGET', KEYS[1], 'workflow')
    redis.call('ZADD', prefix .. 'ended', clock_ms() + tonumber(ARGV[9]), entry)
  end
end

-- What has ended is written again for its commits. Its session may have another execution by then.
local live = redis.call('HGET', KEYS[2], 'execution')
if ARGV[10] ~= '' and (not live or live == id) then
  local ledger = KEYS[3]
  if ARGV[11] ~= '' and ARGV[12] ~= '' then redis.call('HSETNX', ledger, 'a:' .. ARGV[11], ARGV[12]) end
  if ARGV[12] ~= '' then redis.call('HSET', ledger, 'reply', ARGV[12]) end
  if ARGV[13] == '1' then redis.call('HSET', ledger, 'closed', '1') end
  if ARGV[14] == '1' and not redis.call('HGET', KEYS[2], 'closed') then
    redis.call('HDEL', KEYS[2], 'execution', 'last')
  end
  redis.call('PEXPIRE', KEYS[2], ARGV[10])
  redis.call('PEXPIRE', ledger, ARGV[10])
end
return {'written', turns}
