-- A set of values that outlives sessions is a hash: key -> '<expiry in ms, 0: none> <JSON text>'. A value that has
-- expired is left out wherever it is read, and removed with the next write.

-- Returns key -> {expiry, text} of the values that live.
local function load(key, now)
  local flat = redis.call('HGETALL', key)
  local values = {}
  for i = 1, #flat, 2 do
    local gap = string.find(flat[i + 1], ' ', 1, true)
    local expiry = tonumber(string.sub(flat[i + 1], 1, gap - 1))
    if expiry == 0 or expiry > now then
      values[flat[i]] = {expiry, string.sub(flat[i + 1], gap + 1)}
    end
  end
  return values
end
