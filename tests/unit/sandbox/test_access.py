import pytest

from engine.sandbox import PhoneNumber
from tests.unit.sandbox.scene import text_to

OTHER = PhoneNumber("207", "15550002222", "token-other", "http://127.0.0.1:9/", "s", "102")


async def test_token_is_needed(scene):
    path = f"/v23.0/{scene.number.phone_number_id}/messages"
    for headers in ({}, {"Authorization": "Basic eA=="}, {"Authorization": "Bearer"}):
        answer = await scene.http.post(path, json=text_to(), headers=headers)

        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == 190
        assert answer.json()["error"]["type"] == "OAuthException"


async def test_wrong_token(scene):
    answer = await scene.send(text_to(), token="stolen")

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 190)
    assert scene.engine.webhooks == []


async def test_unknown_number(scene):
    answer = await scene.send(text_to(), number_id="999")

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert error["message"].startswith("Unsupported post request. Object with ID '999'")


async def test_token_of_another_number(scene):
    registered = {slot: getattr(OTHER, slot) for slot in OTHER.__slots__}
    await scene.http.post("/sandbox/phones", json=registered)

    answer = await scene.send(text_to(), token="token-other")

    assert (answer.status_code, answer.json()["error"]["error_subcode"]) == (400, 33)


@pytest.mark.parametrize("version", ["v20.0", "v2.10"])
async def test_old_versions_are_gone(scene, version):
    answer = await scene.send(text_to(), version=version)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2635)


@pytest.mark.parametrize("version", ["v21.0", "v26.0", "v27.0"])
async def test_living_versions(scene, version):
    assert (await scene.send(text_to(), version=version)).status_code == 200


@pytest.mark.parametrize("version", ["23.0", "v23", "latest"])
async def test_a_path_without_version(scene, version):
    answer = await scene.send(text_to(), version=version)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2500)


@pytest.mark.parametrize("raw", [b"", b"{", b"to=1", b"[]", b'"x"', b"\xff"])
async def test_body_must_be_a_json_object(scene, raw):
    answer = await scene.http.post(
        f"/v23.0/{scene.number.phone_number_id}/messages",
        content=raw,
        headers={"Authorization": f"Bearer {scene.number.token}"},
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
