-- KEYS[1]: the payment. ARGV: time to keep in seconds, status ('' for none), type, number, product, currency, units.
local names = {'type', 'number', 'product', 'currency', 'units'}
for index, name in ipairs(names) do redis.call('HSETNX', KEYS[1], name, ARGV[index + 2]) end
if ARGV[2] == 'Success' and redis.call('HGET', KEYS[1], 'currency') == ARGV[6] then
  -- Less may have been paid than was asked for; no more than that is ever paid back.
  if tonumber(ARGV[7]) < tonumber(redis.call('HGET', KEYS[1], 'units')) then
    redis.call('HSET', KEYS[1], 'units', ARGV[7])
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
