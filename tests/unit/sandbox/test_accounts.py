"""What the sandbox tells of access tokens, numbers and subscriptions, and what it refuses."""

from dataclasses import asdict
from datetime import timedelta

import pytest

from tests.unit.sandbox.catalog_scene import OTHER, refused
from tests.unit.sandbox.scene import NOON, SHOP

APP = "670000000000001"


async def debugged(scene, token=SHOP.token):
    answer = await scene.graph("GET", "debug_token", params={"input_token": token})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def change(scene, path, **fields):
    return await scene.http.post(f"/sandbox/{path}", json=fields)


async def test_a_token_may_do_everything(scene):
    told = await debugged(scene)
    assert told["is_valid"] is True
    assert (told["app_id"], told["expires_at"]) == (APP, 0)
    assert set(told["scopes"]) >= {
        "whatsapp_business_messaging", "whatsapp_business_management", "catalog_management",
    }  # fmt: skip
    targets = {each["scope"]: each.get("target_ids") for each in told["granular_scopes"]}
    assert targets["whatsapp_business_messaging"] == [SHOP.waba_id]
    assert targets["catalog_management"] is None


async def test_a_token_nobody_gave_out_is_told_as_such(scene):
    told = await debugged(scene, "made-up")
    assert told["is_valid"] is False
    assert told["error"]["code"] == 190
    assert told["scopes"] == []


async def test_what_is_asked_wrongly_is_refused(scene):
    assert refused(await scene.graph("GET", "debug_token"))[0] == 100
    answer = await scene.graph("GET", "debug_token", token="made-up")
    assert (answer.status_code, refused(answer)[0]) == (401, 190)


async def test_a_token_expires(scene):
    ends = int((NOON + timedelta(hours=1)).timestamp())
    await change(scene, "access", token=SHOP.token, expires_at=ends)
    assert (await debugged(scene))["expires_at"] == ends

    scene.clock.now += timedelta(hours=1)

    for path in ("debug_token", SHOP.phone_number_id, f"{SHOP.waba_id}/subscribed_apps"):
        answer = await scene.graph("GET", path, params={"input_token": SHOP.token})
        assert refused(answer)[0] == 190, path
        assert answer.json()["error"]["error_subcode"] == 463
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))
    answer = await scene.graph(
        "GET", "debug_token", params={"input_token": SHOP.token}, token=OTHER.token
    )
    assert answer.json()["data"]["is_valid"] is False
    assert answer.json()["data"]["error"]["subcode"] == 463


async def test_permissions_and_accounts_can_be_taken(scene):
    await change(scene, "access", token=SHOP.token, scopes=["catalog_management"], accounts=["7"])
    told = await debugged(scene)
    assert told["scopes"] == ["catalog_management"]
    await change(scene, "access", token=SHOP.token, scopes=["whatsapp_business_messaging"])
    assert (await debugged(scene))["granular_scopes"] == [
        {"scope": "whatsapp_business_messaging", "target_ids": ["7"]}
    ]


async def test_a_number_tells_of_itself(scene):
    assert (await scene.graph("GET", SHOP.phone_number_id)).json() == {
        "verified_name": "Sandbox",
        "code_verification_status": "VERIFIED",
        "display_phone_number": "+1 555 078-3881",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "id": SHOP.phone_number_id,
    }
    await change(
        scene,
        "numbers",
        phone_number_id=SHOP.phone_number_id,
        quality_rating="RED",
        status="FLAGGED",
    )
    fields = {"fields": "quality_rating,status"}
    assert (await scene.graph("GET", SHOP.phone_number_id, params=fields)).json() == {
        "quality_rating": "RED", "status": "FLAGGED", "id": SHOP.phone_number_id,
    }  # fmt: skip


async def test_a_number_is_refused(scene):
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))
    foreign = await scene.graph("GET", OTHER.phone_number_id)
    assert foreign.json()["error"]["error_subcode"] == 33
    odd = await scene.graph("GET", SHOP.phone_number_id, params={"fields": "colour"})
    assert refused(odd) == (100, "(#100) Tried accessing nonexisting field (colour)")
    for method in ("POST", "DELETE"):
        answer = await scene.graph(method, SHOP.phone_number_id)
        assert refused(answer)[0] == 100


async def test_an_app_is_subscribed_to_an_account(scene):
    edge = f"{SHOP.waba_id}/subscribed_apps"
    (app,) = (await scene.graph("GET", edge)).json()["data"]
    assert app["whatsapp_business_api_data"]["id"] == APP

    for _ in range(2):
        assert (await scene.graph("DELETE", edge)).json() == {"success": True}
    assert (await scene.graph("GET", edge)).json() == {"data": []}

    assert (await scene.graph("POST", edge)).json() == {"success": True}
    (app,) = (await scene.graph("GET", edge)).json()["data"]
    assert "override_callback_uri" not in app

    address = {"override_callback_uri": "https://shop.example/hook", "verify_token": "x"}
    assert (await scene.graph("POST", edge, json=address)).json() == {"success": True}
    (app,) = (await scene.graph("GET", edge)).json()["data"]
    assert app["override_callback_uri"] == "https://shop.example/hook"


@pytest.mark.parametrize(
    "body",
    [
        {"override_callback_uri": "https://shop.example/hook"},
        {"override_callback_uri": "shop.example", "verify_token": "x"},
        {"override_callback_uri": "https://shop.example/" + "x" * 200, "verify_token": "x"},
    ],
)
async def test_an_address_of_ones_own_is_refused(scene, body):
    assert (
        refused(await scene.graph("POST", f"{SHOP.waba_id}/subscribed_apps", json=body))[0] == 100
    )


async def test_subscribing_wants_the_account_and_the_permission(scene):
    edge = f"{SHOP.waba_id}/subscribed_apps"
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))
    for method in ("GET", "POST", "DELETE"):
        foreign = await scene.graph(method, edge, token=OTHER.token)
        assert foreign.json()["error"]["error_subcode"] == 33
    assert (await scene.graph("GET", "999/subscribed_apps")).json()["error"]["error_subcode"] == 33
    await change(scene, "access", token=SHOP.token, scopes=["catalog_management"])
    answer = await scene.graph("GET", edge)
    assert (answer.status_code, refused(answer)[0]) == (403, 200)


async def test_a_wrong_change_is_refused(scene):
    for path, body in (
        ("access", {}), ("access", {"token": "x", "expires_at": -1}),
        ("numbers", {}), ("numbers", {"phone_number_id": "1", "colour": "red"}),
    ):  # fmt: skip
        assert (await change(scene, path, **body)).status_code == 400, (path, body)


async def test_a_reset_forgets_all_of_it(scene):
    await change(scene, "access", token=SHOP.token, scopes=[])
    await change(scene, "numbers", phone_number_id=SHOP.phone_number_id, quality_rating="RED")
    await scene.http.post("/sandbox/reset")
    await scene.register()
    assert (await debugged(scene))["scopes"]
    assert (await scene.graph("GET", SHOP.phone_number_id)).json()["quality_rating"] == "GREEN"
