import base64

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from engine.sandbox.device.crypto import Key, Unreadable, seal_request
from tests.unit.sandbox.device.scene import KEY, OTHER_KEY, Opened, unseal
from tests.unit.sandbox.endpoint import public_pem

REQUEST = {"action": "INIT", "data": {"note": "sin ají"}}


def sealed() -> tuple[Opened, Key]:
    raw, key = seal_request(public_pem(KEY), REQUEST)
    return unseal(KEY, raw), key


def test_only_the_holder_of_the_private_key_reads_a_request():
    raw, _ = seal_request(public_pem(KEY), REQUEST)

    opened = unseal(KEY, raw)
    assert opened.document == REQUEST
    assert (len(opened.aes), len(opened.iv)) == (16, 16)
    with pytest.raises((ValueError, InvalidTag)):
        unseal(OTHER_KEY, raw)


def test_every_request_has_a_key_of_its_own():
    opened = [sealed()[0] for _ in range(3)]

    assert len({one.aes for one in opened}) == 3
    assert len({one.iv for one in opened}) == 3


def test_an_answer_is_read_with_the_key_of_its_request():
    opened, key = sealed()
    _, other = sealed()

    assert key.open_answer(opened.seal({"screen": "SIZE"})) == {"screen": "SIZE"}
    with pytest.raises(Unreadable, match="not encrypted with the key of its request"):
        other.open_answer(opened.seal({"screen": "SIZE"}))


def test_an_answer_under_the_same_initialisation_vector_is_not_read():
    opened, key = sealed()
    same = Opened(None, opened.aes, bytes(byte ^ 0xFF for byte in opened.iv))

    with pytest.raises(Unreadable):
        key.open_answer(same.seal({}))


def changed(answer: str) -> str:
    raw = bytearray(base64.b64decode(answer))
    raw[3] ^= 1
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (changed, "not encrypted with"),
        (lambda answer: answer[:24], "not encrypted with"),
        (lambda _: "", "not encrypted with"),
        (lambda _: '{"screen": "SIZE"}', "not base64"),
        (lambda _: "ají", "not base64"),
    ],
)
def test_spoilt_answers(spoil, says):
    opened, key = sealed()

    with pytest.raises(Unreadable, match=says):
        key.open_answer(spoil(opened.seal({"screen": "SIZE"})))


def test_an_answer_that_is_not_json():
    opened, key = sealed()

    with pytest.raises(Unreadable, match="not JSON"):
        key.open_answer(opened.seal_bytes(b"{"))


def test_a_key_is_not_printed():
    _, key = sealed()

    assert repr(key) == "Key()"


def test_another_kind_of_public_key():
    with pytest.raises(ValueError, match="not an RSA key"):
        seal_request(public_pem(ec.generate_private_key(ec.SECP256R1())), REQUEST)
