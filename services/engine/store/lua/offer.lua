-- Asks whether to continue an earlier session, once. Returns the question.
-- KEYS: the new session's ledger.
-- ARGV: mark of the text, offer, question, ledger life ms.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'offered', ARGV[2], 'a:' .. ARGV[1], ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return redis.call('HGET', KEYS[1], 'a:' .. ARGV[1]) or ARGV[3]
