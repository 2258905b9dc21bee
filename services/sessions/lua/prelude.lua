-- One clock for all replicas of the service: that of the server. Milliseconds since 1970.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua would write large numbers as 1.7e+12.
local function whole(number)
  return string.format('%.0f', number)
end

-- HSET of any number of pairs; unpack has a limit of about 8000.
local function put(key, flat)
  for first = 1, #flat, 4000 do
    redis.call('HSET', key, unpack(flat, first, math.min(first + 3999, #flat)))
  end
end
