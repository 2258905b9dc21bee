-- KEYS: entries by creation, entries by when they are due. ARGV: time in ms, then entries. An entry that somebody has
-- added since that time is due later, and stays.
for i = 2, #ARGV do
  local due = redis.call('ZSCORE', KEYS[2], ARGV[i])
  if due and tonumber(due) <= tonumber(ARGV[1]) then
    redis.call('ZREM', KEYS[1], ARGV[i])
    redis.call('ZREM', KEYS[2], ARGV[i])
  end
end
return redis.status_reply('OK')
