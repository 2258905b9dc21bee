"""What is typed into a sensitive screen is nowhere in clear: not in Redis, its files, the logs, or an answer."""

import json

import redis

from tests.e2e.driving import Document, Platform, eventually, new_code, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow, node, sms

PIN = "90817263"


def pin_flow(code: str) -> Document:
    return flow(
        new_id("pin"),
        dialled(code),
        [
            ask("pin", "Choose a PIN", sensitive=True, menuType="input"),
            ask("again", "Once more", sensitive=True),
            node("same", "CONDITION", {"expression": "{{node_pin.output.input}} == {{input}}"}),
            node("keep", "SESSION_WRITE", {"data": {"pin": "{{input}}"}, "encrypt": True}),
            sms("tell", "Your PIN is set."),
            bye("set", "Your PIN is set."),
            bye("differs", "The PINs differ."),
        ],
        ["start>pin", "pin>again", "again>same", "same:true>keep", "keep>set", "keep>tell", "same:false>differs"],
    )


def everything_in(redis_url: str) -> str:
    """All keys and values of a Redis."""
    found = []
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter(count=1000):
            read = {b"string": client.get, b"hash": client.hgetall, b"list": lambda name: client.lrange(name, 0, -1)}
            kind = client.type(key)
            found.append((key, read[kind](key) if kind in read else client.dump(key)))
    return repr(found)


async def test_a_pin_is_nowhere_in_clear(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(pin_flow(code))
    call = await platform.dial(code, phone)
    assert str(call.screen) == "CON Choose a PIN"
    assert str(await call.type(PIN)) == "CON Once more"
    assert str(await call.repeat()) == "CON Once more"
    assert str(await call.type(PIN)) == "END Your PIN is set."
    assert str(await call.repeat()) == "END Your PIN is set."
    log = await platform.ended(workflow_id)
    await eventually(lambda: platform.sent_to(phone))

    assert log["status"] == "completed"
    assert [result["output"]["input"] for result in log["nodeResults"] if result["nodeId"] in ("pin", "again")] == [
        "***",
        "***",
    ]
    assert PIN not in json.dumps(log)
    stored = everything_in(platform.stack.redis_url)
    assert workflow_id in stored
    assert PIN not in stored
    directory = platform.stack.log("services").parent.parent
    files = [file for file in directory.rglob("*") if file.is_file()]
    assert any(file.suffix == ".aof" for file in files)
    for file in files:
        assert PIN.encode() not in file.read_bytes(), file


async def test_a_pin_that_a_client_sends_is_nowhere_in_clear(platform: Platform) -> None:
    spec = pin_flow(new_code())
    first = await platform.execute(spec, {"msisdn": new_phone()})
    await platform.execute(spec, {"input": PIN}, session_id=first["sessionId"])
    last = await platform.execute(spec, {"input": PIN}, session_id=first["sessionId"])

    assert last["status"] == "completed"
    assert last["reply"]["text"] == "Your PIN is set."
    assert PIN not in json.dumps(last)
    assert PIN not in everything_in(platform.stack.redis_url)


async def test_a_sensitive_screen_without_an_answer_is_refused(platform: Platform) -> None:
    screen = node("pin", "SEND_USSD_RESPONSE", {"message": "?", "sensitive": True, "autoEndSession": True})
    spec = flow(new_id("pin"), dialled(), [screen], ["start>pin"])
    answer = await platform.rest.post("/api/workflows/validate", json=spec)
    found = [(issue["code"], issue["path"]) for issue in answer.json()["errors"]]
    assert found == [("INVALID_NODE_CONFIG", "nodes[0].config.sensitive")]
