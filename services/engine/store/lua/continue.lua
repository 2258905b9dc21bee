-- Makes a session stand for an earlier one.
-- KEYS: the new session's ledger.
-- ARGV: mark of the text, what it stands for, screen, ledger life ms.
if redis.call('HDEL', KEYS[1], 'offered') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'continued', ARGV[2], 'a:' .. ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
