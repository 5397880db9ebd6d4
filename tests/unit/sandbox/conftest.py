import pytest

from tests.unit.sandbox.catalog_scene import shop
from tests.unit.sandbox.device.scene import DeviceStage, device_stage
from tests.unit.sandbox.endpoint import new_key, served_endpoint
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


@pytest.fixture(scope="session")
def private_key():
    return new_key()


@pytest.fixture
async def endpoint(private_key):
    """The endpoint of a Flow, at a URL of its own."""
    async with served_endpoint(private_key) as endpoint:
        yield endpoint


@pytest.fixture
async def judge(scene):
    """Send a message of some kind and return code and details of the refusal, or None."""
    await scene.flow()
    await shop(scene)

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


@pytest.fixture(scope="session")
async def shared_phones():
    async with device_stage() as shared:
        yield shared


@pytest.fixture
async def phone(shared_phones: DeviceStage):
    """A customer's phone, with a Flow endpoint and an engine behind the sandbox."""
    return await shared_phones.scene()
