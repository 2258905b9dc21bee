-- Update and commit. ARGV: expected version (0: any), commit id ('': none), expiry from now in ms (0: unchanged),
-- '1' when the session ends, '1' when it must have a phone number, retention in ms, most bytes of data, most commits
-- remembered; then the changes: 'clear', or 'absent' or 'set' with key and JSON text.
local session, flat = load()
if not session then
  return {'absent'}
end
local expected, commit, ttl_ms, ends, needs_msisdn = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
if commit ~= '' and redis.call('LPOS', KEYS[2], commit) then
  return {'ok', 1, flat}
end
if session.active == '0' then
  return {'ended'}
end
if expected ~= '0' and session.version ~= expected then
  return {'conflict', session.version}
end
if needs_msisdn == '1' and session.msisdn == '' then
  return {'no_msisdn'}
end

-- Everything is tried on the table first: a script that fails half-way would leave what it wrote.
local written = {}
local cleared = false
local i = 9
while i <= #ARGV do
  local change = ARGV[i]
  if change == 'clear' then
    for field in pairs(session) do
      if string.sub(field, 1, 1) == '.' then
        session[field] = nil
      end
    end
    cleared, written = true, {}
    i = i + 1
  else
    local field = '.' .. ARGV[i + 1]
    if change == 'set' or session[field] == nil then
      session[field] = ARGV[i + 2]
      written[field] = ARGV[i + 2]
    end
    i = i + 3
  end
end
local size = 0
for field, text in pairs(session) do
  if string.sub(field, 1, 1) == '.' then
    size = size + #field - 1 + #text
  end
end
if size > tonumber(ARGV[7]) then
  return {'too_large', size}
end

local now = now_ms()
if ttl_ms > 0 then
  session.expires = whole(now + ttl_ms)
end
if ends == '1' then
  session.active = '0'
end
if cleared then
  redis.call('DEL', KEYS[1])
  written = session
end
if commit ~= '' then
  redis.call('LPUSH', KEYS[2], commit)
  redis.call('LTRIM', KEYS[2], 0, ARGV[8] - 1)
end
save(session, now, flatten(written), tonumber(ARGV[6]))
return {'ok', 0, flatten(session)}
