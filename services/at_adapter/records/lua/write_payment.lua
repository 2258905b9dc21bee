-- KEYS[1]: the payment. ARGV: time to keep in seconds, status ('' for none), and where they are known type, number,
-- product, currency and units.
if not ARGV[3] and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local names = {'type', 'number', 'product', 'currency', 'units'}
for index, name in ipairs(names) do
  if ARGV[index + 2] then redis.call('HSETNX', KEYS[1], name, ARGV[index + 2]) end
end
if ARGV[2] == 'Success' and ARGV[3] then
  -- Less may have been paid than was asked for, or in another currency; no more than that is ever paid back.
  local known = redis.call('HMGET', KEYS[1], 'currency', 'units', 'status')
  if known[1] == ARGV[6] then
    if tonumber(ARGV[7]) < tonumber(known[2]) then redis.call('HSET', KEYS[1], 'units', ARGV[7]) end
  elseif known[3] ~= 'Success' then
    redis.call('HSET', KEYS[1], 'currency', ARGV[6], 'units', ARGV[7])
  end
end
if ARGV[2] ~= '' and redis.call('HGET', KEYS[1], 'status') ~= 'Failed' then
  -- Reports overtake each other: only a failure is said after a success.
  if redis.call('HGET', KEYS[1], 'status') ~= 'Success' or ARGV[2] == 'Failed' then
    redis.call('HSET', KEYS[1], 'status', ARGV[2])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
