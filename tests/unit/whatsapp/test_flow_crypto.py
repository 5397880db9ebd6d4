"""The crypto of Flows against two other implementations; hostile requests; keys of all kinds."""

import base64
import hashlib
import json
from decimal import Decimal
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pywa.utils import default_flow_request_decryptor, default_flow_response_encryptor

from engine.errors import Malformed, MalformedKey, Undecipherable
from engine.whatsapp.flow_crypto import FlowKey
from tests.unit.whatsapp.flow_client import FlowClient
from tests.unit.whatsapp.strangers import any_json, any_text, nested

KEY = FlowKey.generate()
FIELDS = "encrypted_flow_data", "encrypted_aes_key", "initial_vector"
DOCUMENT = {
    "version": "3.0",
    "action": "data_exchange",
    "screen": "SIZE",
    "data": {"size": "large", "note": "sin cebolla, ¡por favor! 🍕", "count": 2},
    "flow_token": "0123",
}


def client(key=KEY, **lengths):
    return FlowClient(key.public_pem, **lengths)


def raw(key):
    return load_pem_private_key(key.private_pem.encode(), password=None)


def test_what_a_client_encrypts_is_opened_and_the_answer_can_be_read():
    phone = client()
    opened = KEY.open(phone.ask(DOCUMENT))
    assert opened.document == DOCUMENT
    answer = {"screen": "NEXT", "data": {"title": "Ñandú 🥟", "price": 8.5, "open": True}}
    assert phone.read(opened.seal(answer)) == answer


def test_pywa_reads_the_same_request_and_writes_the_same_answer():
    phone = client()
    envelope = phone.ask(DOCUMENT)
    data, sealed_key, vector = (envelope[field] for field in FIELDS)
    document, aes_key, iv = default_flow_request_decryptor(
        data, sealed_key, vector, KEY.private_pem
    )
    opened = KEY.open(envelope)
    assert opened.document == document == DOCUMENT
    # Both write an empty object in the same two bytes: the whole text must agree.
    assert opened.seal({}) == default_flow_response_encryptor({}, aes_key, iv)
    answer = {"screen": "NEXT", "data": {"title": "Ñandú"}}
    theirs = default_flow_response_encryptor(answer, aes_key, iv)
    assert phone.read(opened.seal(answer)) == phone.read(theirs) == answer


def test_an_answer_holds_amounts_as_numbers():
    phone = client()
    opened = KEY.open(phone.ask({}))
    answer = {"whole": Decimal("13000.00"), "part": Decimal("8.50"), "huge": Decimal("1E+300")}
    text = phone.read_bytes(opened.seal(MappingProxyType({"data": MappingProxyType(answer)})))
    assert text == b'{"data":{"whole":13000,"part":8.5,"huge":1e+300}}'


def test_half_a_character_does_not_break_an_answer():
    phone = client()
    opened = KEY.open(phone.ask({}))
    answer = {"a\udc00": ["half \ud83c", ("🍕", Decimal("1.5"), None)], "whole": "\ud83c\udf55"}
    assert phone.read(opened.seal(answer)) == {
        "a\ufffd": ["half \ufffd", ["🍕", 1.5, None]],
        "whole": "🍕",
    }


def test_an_answer_that_is_no_json_is_a_fault_of_ours():
    opened = KEY.open(client().ask({}))
    with pytest.raises(TypeError):
        opened.seal({"data": object()})


def test_another_key_cannot_open_it():
    envelope = client(FlowKey.generate()).ask(DOCUMENT)
    with pytest.raises(Undecipherable, match=KEY.fingerprint):
        KEY.open(envelope)


@settings(deadline=None, max_examples=60)
@given(field=st.sampled_from(FIELDS), place=st.integers(0), bit=st.integers(0, 7))
def test_no_bit_may_change_on_the_way(field, place, bit):
    envelope = client().ask(DOCUMENT)
    changed = bytearray(base64.b64decode(envelope[field]))
    changed[place % len(changed)] ^= 1 << bit
    with pytest.raises(Undecipherable):
        KEY.open(envelope | {field: base64.b64encode(changed).decode()})


@pytest.mark.parametrize(
    "lengths",
    [{"aes_key_bytes": 32}, {"aes_key_bytes": 24}, {"iv_bytes": 12}, {"iv_bytes": 17}],
)
def test_keys_and_vectors_of_another_length_are_not_used(lengths):
    with pytest.raises(Undecipherable, match="bytes, not 16"):
        KEY.open(client(**lengths).ask(DOCUMENT))


@pytest.mark.parametrize(("field", "size"), [(f, s) for f in FIELDS for s in (0, 1, 15, 786_432)])
def test_parts_of_another_length(field, size):
    with pytest.raises(Undecipherable):
        KEY.open(client().ask(DOCUMENT) | {field: base64.b64encode(bytes(size)).decode()})


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value",
    [None, 7, True, ["QQ=="], {}, "QQ", "Q===", "QQ==\n", " QQ==", "QQ==QQ==", "__-_", "Qé==",
     "\ud83c", "x" * 1_048_577],
)  # fmt: skip
def test_base64_is_read_strictly(field, value):
    with pytest.raises(Malformed, match=field):
        KEY.open(client().ask(DOCUMENT) | {field: value})


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_part(field):
    envelope = client().ask(DOCUMENT)
    del envelope[field]
    with pytest.raises(Malformed, match=f"{field} is missing"):
        KEY.open(envelope)


@pytest.mark.parametrize("envelope", [None, [], "text", 7, True, [["encrypted_aes_key", "QQ=="]]])
def test_what_is_no_object_is_no_envelope(envelope):
    with pytest.raises(Malformed, match="not a JSON object"):
        KEY.open(envelope)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"7", b'"text"', b"null", b'{"a": NaN}', b'{"a": 1e999}', b"\xff\xfe{}",
     b'{"a": "\xed\xa0\x80"}', b"{}{}", b"[" * 100_000, b'{"a":' * 100_000],
)  # fmt: skip
def test_what_is_no_object_inside_is_malformed(text):
    with pytest.raises(Malformed):
        KEY.open(client().ask_bytes(text))


def test_odd_json_inside_is_read():
    text = b'{"half": "\\ud83c", "long": 123456789012345678901234567890, "a": 1, "a": 2}'
    document = KEY.open(client().ask_bytes(text)).document
    assert document == {"half": "\ufffd", "long": 1.2345678901234568e29, "a": 2}


hostile_parts = st.one_of(
    any_json,
    any_text,
    st.binary(max_size=300).map(lambda b: base64.b64encode(b).decode()),
    st.sampled_from([0, 16, 256]).flatmap(
        lambda n: st.binary(min_size=n, max_size=n).map(lambda b: base64.b64encode(b).decode())
    ),
)


@settings(deadline=None, max_examples=300)
@given(changes=st.dictionaries(st.sampled_from(FIELDS), hostile_parts, min_size=1))
def test_no_envelope_breaks_anything(changes):
    with pytest.raises((Malformed, Undecipherable)):
        KEY.open(client().ask(DOCUMENT) | changes)


@settings(deadline=None)
@given(envelope=any_json)
def test_no_json_is_an_envelope_by_chance(envelope):
    with pytest.raises(Malformed):
        KEY.open(envelope)


hostile_texts = st.binary(max_size=60) | (any_json | st.just(nested(300))).map(
    lambda value: json.dumps(value).encode()
)


@settings(deadline=None, max_examples=200)
@given(text=hostile_texts)
def test_no_request_breaks_anything(text):
    try:
        document = KEY.open(client().ask_bytes(text)).document
    except Malformed:
        return
    assert isinstance(document, dict)


def test_nothing_secret_is_printed():
    opened = KEY.open(client().ask(DOCUMENT))
    body = KEY.private_pem.splitlines()[1]
    assert body not in repr(KEY)
    assert KEY.fingerprint in repr(KEY)
    assert repr(opened) == "OpenedExchange()"


def test_the_parts_of_a_key():
    public = load_pem_public_key(KEY.public_pem.encode())
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert hashlib.sha256(der).hexdigest()[:16] == KEY.fingerprint
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == 2048
    assert public == raw(KEY).public_key()
    assert FlowKey.generate().fingerprint != KEY.fingerprint


def traditional(key):
    return raw(key).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()  # fmt: skip


@pytest.mark.parametrize(
    "pem",
    [
        KEY.private_pem,
        traditional(KEY),
        KEY.private_pem.replace("\n", "\r\n"),
        KEY.private_pem.replace("\n", "\\n"),
        traditional(KEY).replace("\n", "\\r\\n"),
        f"\n  {KEY.private_pem.strip()}",
    ],
    ids=["pkcs8", "traditional", "crlf", "escaped", "escaped crlf", "spaces"],
)
def test_a_key_in_every_form_it_is_kept_in(pem):
    key = FlowKey.parse(pem)
    assert key.private_pem == KEY.private_pem
    assert key.open(client().ask(DOCUMENT)).document == DOCUMENT


def encrypted(form):
    return raw(KEY).private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"word")).decode()


def pkcs8(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)
UNUSABLE = {
    "encrypted pkcs8": (encrypted(PrivateFormat.PKCS8), "encrypted with a password"),
    "encrypted traditional": (
        encrypted(PrivateFormat.TraditionalOpenSSL), "encrypted with a password",
    ),
    "public": (KEY.public_pem, "the private key is wanted"),
    "escaped public": (KEY.public_pem.replace("\n", "\\n"), "the private key is wanted"),
    "elliptic": (pkcs8(ec.generate_private_key(ec.SECP256R1())), "not an RSA key"),
    "edwards": (pkcs8(ed25519.Ed25519PrivateKey.generate()), "not an RSA key"),
    "small": (pkcs8(SMALL), "has 1024 bits, WhatsApp wants 2048"),
    "cut": (KEY.private_pem[:900], "cut or damaged"),
    "damaged": (KEY.private_pem.replace("M", "Ñ"), "cut or damaged"),
    "a line gone": (
        KEY.private_pem.replace(KEY.private_pem.splitlines()[4], ""), "cut or damaged",
    ),
    "certificate": (KEY.public_pem.replace("PUBLIC KEY", "CERTIFICATE"), "private key is wanted"),
    "other pem": ("-----BEGIN DH PARAMETERS-----\nQQ==\n", "holds no private key"),
    "path": ("/run/secrets/flow.pem", "not a key in PEM"),
    "empty": ("", "not a key in PEM"),
    "half a character": ("\ud83c", "not a key in PEM"),
}  # fmt: skip


@pytest.mark.parametrize(("pem", "sentence"), UNUSABLE.values(), ids=list(UNUSABLE))
def test_what_is_no_usable_key_is_told(pem, sentence):
    with pytest.raises(MalformedKey, match=sentence) as caught:
        FlowKey.parse(pem)
    assert all(line not in str(caught.value) for line in pem.split() if len(line) > 30)


@settings(deadline=None)
@given(text=any_text, start=st.integers(0, 1700), end=st.integers(0, 1700))
def test_no_text_breaks_the_reading_of_keys(text, start, end):
    pem = KEY.private_pem[:start] + text + KEY.private_pem[end:]
    try:
        key = FlowKey.parse(pem)
    except MalformedKey:
        return
    assert key.fingerprint == KEY.fingerprint
