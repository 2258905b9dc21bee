-- Answers a USSD callback whose turn takes too long, unless it has its answer by now. Returns the answer.
-- KEYS: the session's ledger.
-- ARGV: mark of the text, reply, 1 where the session is closed for the phone and 0 where it may ask again, ledger life
--       ms where it is closed.
local field = 'a:' .. ARGV[1]
if redis.call('HSETNX', KEYS[1], field, ARGV[2]) == 0 then return redis.call('HGET', KEYS[1], field) end
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[1], 'reply', ARGV[2], 'closed', '1')
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
else
  redis.call('HSET', KEYS[1], 'busy', '1')
end
return ARGV[2]
