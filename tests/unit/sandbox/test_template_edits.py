"""A template is edited at the sandbox as far as Meta lets it be."""

import pytest

BODY = {
    "type": "BODY",
    "text": "Your order {{1}} is ready now.",
    "example": {"body_text": [["K7M2QX"]]},
}
OTHER = {**BODY, "text": "Good news: your order {{1}} is ready now."}
DAY = 24 * 60


async def made(scene, status="APPROVED", name="ready"):
    """Make a template that somebody at Meta has looked at; give its id."""
    body = {"name": name, "language": "en", "category": "UTILITY", "components": [BODY]}
    answer = await scene.graph("POST", f"{scene.number.waba_id}/message_templates", json=body)
    assert answer.status_code == 200, answer.text
    await decide(scene, status, name)
    return answer.json()["id"]


async def decide(scene, status, name="ready"):
    path = f"/sandbox/templates/{name}/en"
    (await scene.http.post(path, json={"status": status})).raise_for_status()


async def edit(scene, template, token="", **body):
    return await scene.graph("POST", template, token=token, json=body or {"components": [OTHER]})


async def refused(scene, template, **body):
    answer = await edit(scene, template, **body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == 100
    return error.get("error_data", {}).get("details") or error["error_user_title"]


@pytest.mark.parametrize("status", ["APPROVED", "REJECTED", "PAUSED"])
async def test_an_edited_template_is_looked_at_again(scene, status):
    template = await made(scene, status)
    assert (await edit(scene, template)).json() == {"success": True}
    shown = (await scene.graph("GET", f"{template}?fields=status,components")).json()
    assert shown == {"id": template, "status": "PENDING", "components": [OTHER]}


@pytest.mark.parametrize("status", ["PENDING", "DISABLED"])
async def test_others_are_not_edited(scene, status):
    template = await made(scene, status)
    said = await refused(scene, template)
    assert said == f"Only APPROVED, REJECTED, PAUSED templates can be edited, not {status}"


@pytest.mark.parametrize("part", ["name", "language", "parameter_format"])
async def test_what_is_not_edited(scene, part):
    template = await made(scene)
    said = await refused(scene, template, components=[OTHER], **{part: "es"})
    assert said == f"Param {part} of a template can't be edited"


async def test_only_an_approved_one_keeps_its_category(scene):
    template = await made(scene)
    said = await refused(scene, template, category="MARKETING")
    assert said == "The category of an approved template can't be edited"
    assert (await edit(scene, template, components=[OTHER], category="UTILITY")).is_success
    await decide(scene, "REJECTED")
    assert (await edit(scene, template, category="marketing")).is_success
    shown = (await scene.graph("GET", f"{template}?fields=category,components")).json()
    assert shown == {"id": template, "category": "MARKETING", "components": [OTHER]}


async def test_an_approved_one_is_edited_once_in_24_hours_and_ten_times_in_30_days(scene):
    template = await made(scene)
    for _ in range(10):
        assert (await edit(scene, template)).is_success
        await decide(scene, "APPROVED")
        said = await refused(scene, template)
        assert said == "An approved template can be edited once in a 24 hour window"
        scene.clock.advance(days=1)
    said = await refused(scene, template)
    assert said == "An approved template can be edited 10 times in a 30 day window"
    # A rejected one as often as one likes.
    for _ in range(3):
        await decide(scene, "REJECTED")
        assert (await edit(scene, template)).is_success
    await decide(scene, "APPROVED")
    scene.clock.advance(days=20)
    assert (await edit(scene, template)).is_success


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"components": []}, "A template needs a component of the type BODY with a text"),
        ({"components": "x"}, "Param components is not JSON"),
        ({"components": [{**BODY, "text": "{{1}} is your order, it is here"}]}, "Leading or"),
        ({"category": "SPAM"}, "Param category must be one of {UTILITY, MARKETING"),
        ({"message_send_ttl_seconds": 60, "x": 1}, "Param x of a template can't be edited"),
    ],
)
async def test_what_is_refused_of_a_new_one_is_refused_of_an_edited_one(scene, body, said):
    template = await made(scene, "REJECTED")
    assert said in await refused(scene, template, **body)


async def test_something_must_be_edited(scene):
    template = await made(scene)
    answer = await scene.graph("POST", template, json={})
    assert answer.status_code == 400
    assert "is required" in answer.json()["error"]["error_data"]["details"]


async def test_another_token_knows_nothing_of_it_and_nobody_deletes_it_by_its_id(scene):
    template = await made(scene)
    other = {
        "phone_number_id": "2", "display_phone_number": "+1", "token": "other",
        "callback_url": scene.number.callback_url, "app_secret": "s", "waba_id": "another",
    }  # fmt: skip
    (await scene.http.post("/sandbox/phones", json=other)).raise_for_status()
    for method in ("GET", "POST", "DELETE"):
        answer = await scene.graph(method, template, token="other")
        assert answer.json()["error"]["error_subcode"] == 33
    answer = await scene.graph("DELETE", template)
    assert answer.json()["error"]["error_subcode"] == 33
    assert (await scene.graph("GET", template)).json()["name"] == "ready"
