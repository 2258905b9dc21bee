-- Gives the next free turn under a rate, in the order of asking. The same permit gets the same turn again.
-- KEYS: the turns that were given, by time.
-- ARGV: permit, strategy, turns in a window, window ms, longest wait ms, how long a turn is remembered behind its
-- window, ms.
local now = clock_ms()
local most, window, longest, memory = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local function time_at(rank)
  local found = redis.call('ZREVRANGE', KEYS[1], rank, rank, 'WITHSCORES')
  return found[2] and tonumber(found[2])
end

local given = redis.call('ZSCORE', KEYS[1], ARGV[1])
if given then return {1, math.max(0, tonumber(given) - now)} end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - window - memory))

local turn
if ARGV[2] == 'fixed' then
  -- Windows fill one after the other, so the last turn lies in the first one that may have room.
  turn = math.max(now, time_at(0) or 0)
  local first = turn - turn % window
  if redis.call('ZCOUNT', KEYS[1], string.format('%.0f', first), string.format('(%.0f', first + window)) >= most then
    turn = first + window
  end
else
  turn = math.max(now, time_at(0) or 0, (time_at(most - 1) or -window) + window)
end
if turn - now > longest then return {0, turn - now} end
redis.call('ZADD', KEYS[1], string.format('%.0f', turn), ARGV[1])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', turn - now + window + memory))
return {1, turn - now}
