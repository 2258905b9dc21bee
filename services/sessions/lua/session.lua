-- A session is one hash: the fields type, msisdn, created, activity, expires, ttl, active and version, and one field
-- '.<key>' for each value of its data, which holds the value's JSON text. So a merge sets the fields of its keys and
-- nothing else. The texts are never decoded here: cjson turns long integers into doubles, and [] into {}.
-- KEYS[1] is the session, KEYS[2] the list of its newest commits.

local function load()
  local flat = redis.call('HGETALL', KEYS[1])
  if #flat == 0 then
    return nil, flat
  end
  local session = {}
  for i = 1, #flat, 2 do
    session[flat[i]] = flat[i + 1]
  end
  return session, flat
end

local function flatten(session)
  local flat = {}
  for field, value in pairs(session) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  return flat
end

-- A live session is gone when it expires; an ended one stays readable for the retention.
local function expire(session, retention_ms)
  local at = tonumber(session.expires)
  if session.active == '0' then
    at = at + retention_ms
  end
  redis.call('PEXPIREAT', KEYS[1], whole(at))
  redis.call('PEXPIREAT', KEYS[2], whole(at))
end

-- Writes what every write changes, and all that `fields` names. Sets session.version and session.activity.
local function save(session, now, fields, retention_ms)
  session.version = whole(session.version + 1)
  session.activity = whole(now)
  for _, field in ipairs({'version', 'activity', 'active', 'expires'}) do
    fields[#fields + 1] = field
    fields[#fields + 1] = session[field]
  end
  put(KEYS[1], fields)
  expire(session, retention_ms)
end
