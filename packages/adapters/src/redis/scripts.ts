/**
 * The scripts that judge writes inside Redis, in the words of core's session-head.ts: each reads the head, judges, and writes, with
 * nothing in between. A head is a hash: `f` is the fence, `be bv bh` the newest base, `le lv lh` where the log ends. Numbers stay the
 * strings they came as, since Lua would print large ones rounded.
 */
const HEAD = `
local function read() return redis.call('HMGET', KEYS[1], 'f', 'be', 'bv', 'bh', 'le', 'lv', 'lh') end
local function stale(h, e) return h[1] and tonumber(e) < tonumber(h[1]) end
local function older(ae, av, be, bv)
  ae, av, be, bv = tonumber(ae), tonumber(av), tonumber(be), tonumber(bv)
  return ae < be or (ae == be and av < bv)
end
local function dropPieces(prefix, row)
  local upload, n = string.match(row, '^P([^:]+):(%d+)$')
  if upload then for i = 0, tonumber(n) - 1 do redis.call('DEL', prefix .. upload .. ':' .. i) end end
end
`;

/** KEYS head, index. ARGV session, epoch. */
export const FENCE = `${HEAD}
local h = read()
if stale(h, ARGV[2]) then return {'stale', h[1]} end
redis.call('HSET', KEYS[1], 'f', ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return {'accepted'}
`;

/** KEYS head, log. ARGV epoch, version, hash, fromVersion, fromHash, bytes. */
export const APPEND = `${HEAD}
local h = read()
local e, v = ARGV[1], ARGV[2]
if stale(h, e) then return {'stale', h[1]} end
local function follows(i) return h[i] and h[i + 1] == ARGV[4] and h[i + 2] == ARGV[5] end
local ahead = h[2] and (not h[5] or older(h[5], h[6], h[2], h[3]))
if h[2] and (follows(5) or (ahead and follows(2))) then
  redis.call('RPUSH', KEYS[2], e .. '.' .. v .. ':' .. ARGV[6])
  redis.call('HSET', KEYS[1], 'f', e, 'le', e, 'lv', v, 'lh', ARGV[3])
  return {'accepted'}
end
local function holds(i) return h[i] and h[i] == e and tonumber(v) <= tonumber(h[i + 1]) end
if holds(5) or holds(2) then return {'known'} end
local i = (h[2] and h[5] and older(h[2], h[3], h[5], h[6])) and 5 or 2
if not h[i] then i = 5 end
if not h[i] then return {'gap'} end
return {'gap', h[i], h[i + 1], h[i + 2]}
`;

/** KEYS head, index, bases, pieces of the upload. ARGV session, epoch, version, hash, row, prefix of pieces. */
export const BASE = `${HEAD}
local h = read()
local e, v = ARGV[2], ARGV[3]
if stale(h, e) then return {'stale', h[1]} end
for i = 4, #KEYS do if redis.call('PERSIST', KEYS[i]) == 0 then return {'expired'} end end
local field = e .. '.' .. v
local old = redis.call('HGET', KEYS[3], field)
if old and old ~= ARGV[5] then dropPieces(ARGV[6], old) end
redis.call('HSET', KEYS[3], field, ARGV[5])
if not h[2] or not older(e, v, h[2], h[3]) then redis.call('HSET', KEYS[1], 'be', e, 'bv', v, 'bh', ARGV[4]) end
redis.call('HSET', KEYS[1], 'f', e)
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return {'accepted'}
`;

/** KEYS head, index, bases, log. ARGV session, epoch, epoch after, prefix of pieces. */
export const REMOVE = `${HEAD}
local h = read()
if stale(h, ARGV[2]) and (h[2] or h[5] or h[1] ~= ARGV[3]) then return {'stale', h[1]} end
for _, row in ipairs(redis.call('HVALS', KEYS[3])) do dropPieces(ARGV[4], row) end
redis.call('DEL', KEYS[1], KEYS[3], KEYS[4])
redis.call('HSET', KEYS[1], 'f', ARGV[3])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return {'accepted'}
`;

/** KEYS head, index. ARGV session. */
export const FORGET = `${HEAD}
local h = read()
if h[2] or h[5] then return {'kept'} end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return {'forgotten'}
`;

/** KEYS bases, log. ARGV prefix of pieces, epoch and version up to which the log goes ('' for none), then the bases that go. */
export const PRUNE = `${HEAD}
local bases, records = 0, 0
for i = 4, #ARGV do
  local row = redis.call('HGET', KEYS[1], ARGV[i])
  if row then
    dropPieces(ARGV[1], row)
    redis.call('HDEL', KEYS[1], ARGV[i])
    bases = bases + 1
  end
end
if ARGV[2] ~= '' then
  for _, row in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local e, v = string.match(row, '^(%d+)%.(%d+):')
    if e and not older(ARGV[2], ARGV[3], e, v) then
      redis.call('LREM', KEYS[2], 1, row)
      records = records + 1
    end
  end
end
return {bases, records}
`;

/** KEYS head, bases, log: everything but the pieces, as of one moment. */
export const READ = `${HEAD}
return {read(), redis.call('HGETALL', KEYS[2]), redis.call('LRANGE', KEYS[3], 0, -1)}
`;
