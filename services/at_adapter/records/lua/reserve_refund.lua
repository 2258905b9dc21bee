-- KEYS[1]: the payment. ARGV: field of the refund, currency ('' for the payment's), units ('' for all that is left).
-- Returns what was set aside, or why nothing was.
local payment = redis.call('HMGET', KEYS[1], 'type', 'number', 'product', 'currency', 'units', 'status')
if not payment[1] then return {'unknown', ''} end
local before = redis.call('HGET', KEYS[1], ARGV[1])
if before then return {'reserved', payment[2], payment[3], payment[4], before} end
if payment[1] ~= 'checkout' then return {'type', payment[1]} end
if payment[6] ~= 'Success' then return {'status', payment[6] or ''} end
if ARGV[2] ~= '' and ARGV[2] ~= payment[4] then return {'currency', payment[4]} end
local left = tonumber(payment[5])
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  if string.sub(fields[index], 1, 2) == 'r:' then left = left - tonumber(fields[index + 1]) end
end
local wanted = ARGV[3] == '' and left - left % 100 or tonumber(ARGV[3])
if wanted > left or wanted <= 0 then return {'too_large', string.format('%.0f', left)} end
local units = string.format('%.0f', wanted)
redis.call('HSET', KEYS[1], ARGV[1], units)
return {'reserved', payment[2], payment[3], payment[4], units}
