import pytest

from tests.unit.sandbox.scene import Stage, stage


@pytest.fixture(scope="session")
async def shared_stage():
    async with stage() as shared:
        yield shared


@pytest.fixture
async def scene(shared_stage: Stage):
    """A sandbox that knows one phone number, and the engine behind it."""
    scene = await shared_stage.scene()
    yield scene
    scene.engine.open.set()


@pytest.fixture
async def judge(scene):
    """Send a message of some kind and return code and details of the refusal, or None."""

    async def judge(body) -> tuple[int, str] | None:
        envelope = {"messaging_product": "whatsapp", "to": "5491155556666"}
        answer = await scene.send(envelope | body)
        if answer.status_code == 200:
            return None
        error = answer.json()["error"]
        assert answer.status_code == 400
        assert error["message"].startswith(f"(#{error['code']})")
        return error["code"], error["error_data"]["details"]

    return judge
