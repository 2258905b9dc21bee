"""All that stands in a Redis."""

from typing import Any

from storage.connection import connect


async def contents_of(redis_url: str) -> dict[str, str]:
    """What each key holds, as text; a key says its own name too."""
    redis: Any = connect(redis_url)
    readers = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": redis.xrange,
    }
    try:
        found = {}
        async for key in redis.scan_iter(count=1000):
            found[key.decode()] = f"{key} {await readers[await redis.type(key)](key)}"
        return found
    finally:
        await redis.aclose()
