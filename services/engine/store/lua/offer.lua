-- Asks whether to continue an earlier session, once a text, unless something was begun or continued. Returns the question.
-- KEYS: the new session's ledger.
-- ARGV: mark of the text, offer, question, ledger life ms.
local known = redis.call('HMGET', KEYS[1], 'execution', 'continued', 'a:' .. ARGV[1])
if not (known[1] or known[2] or known[3]) then
  redis.call('HSET', KEYS[1], 'offered', ARGV[2], 'a:' .. ARGV[1], ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return known[3] or ARGV[3]
