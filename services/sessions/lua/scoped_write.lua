-- KEYS: the set of values, the list of its newest commits. ARGV: commit, most commits remembered, how long in ms they
-- are, most bytes of data; then the changes: 'life' with ms (0: none) for the values that follow, 'clear', or 'absent'
-- or 'set' with key and JSON text.
if redis.call('LPOS', KEYS[2], ARGV[1]) then
  return {'ok'}
end
local now = now_ms()
local values = load(KEYS[1], now)
local expiry = 0
local i = 5
while i <= #ARGV do
  local change = ARGV[i]
  if change == 'clear' then
    values = {}
    i = i + 1
  elseif change == 'life' then
    local life = tonumber(ARGV[i + 1])
    expiry = life > 0 and now + life or 0
    i = i + 2
  else
    if change == 'set' or values[ARGV[i + 1]] == nil then
      values[ARGV[i + 1]] = {expiry, ARGV[i + 2]}
    end
    i = i + 3
  end
end

local size = 0
local last = 0
local endless = false
local fields = {}
for name, value in pairs(values) do
  size = size + #name + #value[2]
  last = math.max(last, value[1])
  endless = endless or value[1] == 0
  fields[#fields + 1] = name
  fields[#fields + 1] = whole(value[1]) .. ' ' .. value[2]
end
if size > tonumber(ARGV[4]) then
  return {'too_large', size}
end
redis.call('DEL', KEYS[1])
put(KEYS[1], fields)
if not endless then
  redis.call('PEXPIREAT', KEYS[1], whole(last))
end
redis.call('LPUSH', KEYS[2], ARGV[1])
redis.call('LTRIM', KEYS[2], 0, ARGV[2] - 1)
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {'ok'}
