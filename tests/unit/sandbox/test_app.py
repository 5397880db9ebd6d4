from tests.unit.sandbox.scene import text_to


async def test_refusals_are_kept_with_what_was_asked(scene):
    asked = text_to(body="")
    answer = await scene.send(asked)

    (refusal,) = await scene.refusals()
    assert refusal == {
        "n": 1,
        "path": f"/v23.0/{scene.number.phone_number_id}/messages",
        "http_status": 400,
        "code": 131009,
        "details": "Param text.body must not be empty",
        "body": asked,
        "injected": False,
    }
    assert answer.json()["error"]["fbtrace_id"] == "sandbox1"


async def test_refused_bodies_that_are_not_json_are_kept_as_text(scene):
    token = {"Authorization": f"Bearer {scene.number.token}"}
    path = f"/v23.0/{scene.number.phone_number_id}/messages"
    await scene.http.post(path, content=b"to=\xff", headers=token)

    (refusal,) = await scene.refusals()
    assert refusal["body"] == "to=\ufffd"


async def test_paths_the_graph_api_does_not_have(scene):
    answer = await scene.http.get("/v23.0/1/2/3")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 2500
    assert answer.json()["error"]["message"] == "Unknown path components: /v23.0/1/2/3"
