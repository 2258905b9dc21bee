-- Returns the living keys and JSON texts of each of KEYS.
local now = now_ms()
local answer = {}
for i, key in ipairs(KEYS) do
  local flat = {}
  for name, value in pairs(load(key, now)) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value[2]
  end
  answer[i] = flat
end
return answer
