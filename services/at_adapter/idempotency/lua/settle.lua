-- KEYS[1]: the entry. ARGV: owner, state, answer. Does nothing to an entry that is not the owner's any more.
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'state', ARGV[2], 'answer', ARGV[3])
  redis.call('HDEL', KEYS[1], 'owner', 'lease_until_ms')
end
return 0
