-- ARGV: type ('' can only join), msisdn, life in ms, then key and JSON text of each value.
local session, flat = load()
if session then
  if session.active == '0' then
    return {'ended'}
  end
  return {'ok', 0, flat}
end
if ARGV[1] == '' then
  return {'absent'}
end
local now = now_ms()
local fields = {
  'type', ARGV[1], 'msisdn', ARGV[2], 'ttl', ARGV[3], 'created', whole(now), 'activity', whole(now),
  'expires', whole(now + ARGV[3]), 'active', '1', 'version', '1',
}
for i = 4, #ARGV, 2 do
  fields[#fields + 1] = '.' .. ARGV[i]
  fields[#fields + 1] = ARGV[i + 1]
end
put(KEYS[1], fields)
redis.call('PEXPIREAT', KEYS[1], whole(now + ARGV[3]))
return {'ok', 1, fields}
