import pytest

from engine.sandbox.arrivals import shows_medium
from tests.unit.sandbox.samples import MESSAGES
from tests.unit.sandbox.scene import ANA, text_to

IMAGE = {"link": "https://shop.example/pizza.jpg"}


def image_to(phone=ANA):
    return {"messaging_product": "whatsapp", "to": phone, "type": "image", "image": IMAGE}


def with_header(header):
    action = {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]}
    interactive = {"type": "button", "body": {"text": "Pizza?"}, "action": action}
    return {"type": "interactive", "interactive": interactive | {"header": header}}


@pytest.mark.parametrize("kind", ["image", "video", "document"])
def test_media(kind):
    assert shows_medium(MESSAGES[kind])
    assert shows_medium(with_header({"type": kind, kind: IMAGE}))


def test_no_media():
    assert not shows_medium(MESSAGES["text"])
    assert not shows_medium(with_header({"type": "text", "text": "Pizza"}))
    assert not shows_medium(with_header(None))


async def test_media_come_later_than_a_text_sent_after_them(scene):
    answer = await scene.http.post("/sandbox/media_delay", json={"seconds": 0.2})
    assert answer.json() == {"seconds": 0.2}

    header = with_header({"type": "image", "image": IMAGE})
    bodies = (image_to(), text_to() | header, text_to())
    sent = [(await scene.send(body)).json()["messages"][0]["id"] for body in bodies]

    received = await scene.customer().wait_for(3)
    assert [message.wamid for message in received] == [sent[2], sent[0], sent[1]]
    statuses = [(one["id"], one["status"]) for one in await scene.engine.statuses(6)]
    assert statuses == [
        (wamid, status)
        for wamid in (sent[2], sent[0], sent[1])
        for status in ("sent", "delivered")
    ]
    sends = (await scene.http.get("/sandbox/sends")).json()
    assert [send["wamid"] for send in sends] == sent


async def test_media_that_fail_are_reported_later_too(scene):
    await scene.http.post("/sandbox/media_delay", json={"seconds": 0.1})
    await scene.fault(kind="fail", code=131053)
    await scene.send(image_to())
    await scene.send(text_to())

    statuses = await scene.engine.statuses(3)
    assert [one["status"] for one in statuses] == ["sent", "delivered", "failed"]


async def test_a_reset_drops_media_that_have_not_come(scene):
    await scene.http.post("/sandbox/media_delay", json={"seconds": 0.1})
    await scene.send(image_to())
    await scene.http.post("/sandbox/reset")
    await scene.register()

    assert (await scene.http.get("/sandbox/media_delay")).json() == {"seconds": 0.0}
    await scene.send(image_to())
    assert [one.n for one in await scene.customer().wait_for(idle=0.2)] == [1]
