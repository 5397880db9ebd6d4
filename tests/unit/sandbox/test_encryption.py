import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.sandbox.endpoint import new_key, public_pem


@pytest.fixture
def edge(scene):
    return f"{scene.number.phone_number_id}/whatsapp_business_encryption"


async def test_no_key_at_first(scene, edge):
    answer = await scene.graph("GET", edge)

    assert (answer.status_code, answer.json()) == (200, {"data": []})


@pytest.mark.parametrize("form", ["json", "data", "files"])
async def test_upload(scene, edge, private_key, form):
    pem = public_pem(private_key)
    body = {"business_public_key": (None, pem) if form == "files" else pem}

    answer = await scene.graph("POST", edge, **{form: body})

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert (await scene.graph("GET", edge)).json() == {
        "data": [{"business_public_key": pem, "business_public_key_signature_status": "VALID"}]
    }


async def test_a_second_key_replaces_the_first(scene, edge, private_key):
    for pem in (public_pem(new_key()), public_pem(private_key)):
        await scene.graph("POST", edge, json={"business_public_key": pem})

    (entry,) = (await scene.graph("GET", edge)).json()["data"]
    assert entry["business_public_key"] == public_pem(private_key)


async def test_keys_meta_does_not_take(scene, edge):
    short, curved = public_pem(new_key(1024)), public_pem(ec.generate_private_key(ec.SECP256R1()))
    bodies = [
        ({}, "The parameter business_public_key is required"),
        ({"business_public_key": 7}, "The parameter business_public_key is required"),
        (
            {"business_public_key": "secret"},
            "Param business_public_key is not a public key in PEM",
        ),
        ({"business_public_key": short}, "must have 2048 bits, it has 1024"),
        ({"business_public_key": curved}, "is not an RSA key"),
    ]
    for body, says in bodies:
        answer = await scene.graph("POST", edge, json=body)

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
        assert says in answer.json()["error"]["error_data"]["details"]
    assert (await scene.graph("GET", edge)).json() == {"data": []}


async def test_keys_of_other_tokens(scene, edge):
    answer = await scene.graph("POST", edge, token="stolen", json={})
    assert answer.status_code == 401

    answer = await scene.graph("GET", "999/whatsapp_business_encryption")
    assert answer.json()["error"]["error_subcode"] == 33


async def test_reset_forgets_keys(scene, edge, private_key):
    await scene.graph("POST", edge, json={"business_public_key": public_pem(private_key)})

    await scene.http.post("/sandbox/reset")
    await scene.register()

    assert (await scene.graph("GET", edge)).json() == {"data": []}
