-- ARGV: retention in ms.
local session, flat = load()
if not session then
  return {'absent'}
end
if session.active == '0' then
  return {'ok', 1, flat}
end
session.active = '0'
save(session, now_ms(), {}, tonumber(ARGV[1]))
return {'ok', 0, flatten(session)}
