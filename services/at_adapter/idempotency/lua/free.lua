-- KEYS[1]: the entry. ARGV: owner. Does nothing to an entry that is not the owner's any more.
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 0
