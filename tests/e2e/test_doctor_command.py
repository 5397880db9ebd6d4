"""`comanda doctor` on the shipped tenants; the engine is at PUBLIC_URL, the sandbox is Meta."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from engine.cli.main import main
from engine.doctor.checks import ALL
from engine.playground import Playground
from engine.storage.documents import CartDocument, ProductDocument
from engine.storage.meta_records import FlowKeyDocument
from engine.storage.records import AuditDocument
from tests.unit.doctor.scene import ADMIN_TOKEN, NUMBERS, PIZZERIA, TAQUERIA, WABAS, Scene, whole

# Databases are away in one of them.
pytestmark = [
    pytest.mark.usefixtures("forgotten_sockets"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SHOWN = ("is_cart_enabled", "is_catalog_visible")


@pytest.fixture(scope="module")
async def ground(mongodb_uri):
    async with whole(mongodb_uri) as running:
        yield running


@pytest.fixture
async def scene(ground):
    made = Scene(ground, ground.sandbox, ground.engine.settings)
    yield made
    for undo in reversed(made.undo):
        await undo()


def environment(ground: Playground) -> dict[str, str]:
    settings = ground.engine.settings
    return {
        "MONGODB_URI": settings.mongodb_uri,
        "MONGODB_DB_NAME": settings.mongodb_db_name,
        "META_APP_SECRET": settings.meta_app_secret.get_secret_value(),
        "META_WEBHOOK_VERIFY_TOKEN": settings.meta_webhook_verify_token.get_secret_value(),
        "ENCRYPTION_SECRET": settings.encryption_secret.get_secret_value(),
        "ADMIN_TOKEN": ADMIN_TOKEN,
        "GRAPH_API_URL": settings.graph_api_url,
        "PUBLIC_URL": settings.public_url,
    }


async def run(ground, *arguments, code=0, **more):
    """Call the command in a thread of its own, while Meta and the engine answer here."""
    runner = CliRunner(env=environment(ground) | more)
    with capture_logs():
        result = await asyncio.to_thread(runner.invoke, main, ["doctor", *arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    known = environment(ground)
    for name in ("META_APP_SECRET", "META_WEBHOOK_VERIFY_TOKEN", "ENCRYPTION_SECRET"):
        assert known[name] not in result.output
    assert ADMIN_TOKEN not in result.output
    assert ground.token not in result.output
    return result.output


def masked(said: str) -> str:
    """Leave out what differs from run to run."""
    said = re.sub(r"http://127\.0\.0\.1:\d+", "http://HERE", said)
    said = re.sub(r"comanda_doctor_\d+", "DATABASE", said)
    said = re.sub(r"and \d+ more$", "and N more", said, flags=re.MULTILINE)
    said = re.sub(r"agree to \d+\.\d s", "agree to N s", said)
    return re.sub(r"\b[0-9a-f]{16}\b(?<![0-9]{16})", "DIGEST", said)


async def test_what_an_operator_reads(ground, snapshot):
    assert masked(await run(ground)) == snapshot


async def test_what_a_program_reads(ground, snapshot):
    said = await run(ground, PIZZERIA, "--format", "json")
    found = json.loads(masked(said))
    assert {each["code"] for each in found["checks"]} == set(ALL.checks)
    assert sum(found["counts"].values()) == len(found["checks"])
    assert found == snapshot


async def test_the_commands_of_the_readme(ground):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    commands = re.findall(r"^comanda doctor *(.*?) *#", readme, re.MULTILINE)
    assert [command.split() for command in commands] == [
        [], ["la-tavola"], ["la-tavola", "--format", "json"], ["la-tavola", "--fix"],
    ]  # fmt: skip
    for command in commands:
        await run(ground, *command.split())


async def test_one_tenant_is_told_nothing_of_another(ground, scene):
    scene.tenant = TAQUERIA
    await scene.remove(ProductDocument)
    said = await run(ground, PIZZERIA)
    for foreign in (TAQUERIA, NUMBERS[TAQUERIA], WABAS[TAQUERIA], "Lucha"):
        assert foreign not in said
    assert "the menu is empty" in await run(ground, code=1)


async def test_a_server_that_nobody_has_prepared(ground, snapshot):
    """What somebody reads who has set nothing up but the database."""
    names = ("META_APP_SECRET", "META_WEBHOOK_VERIFY_TOKEN", "ENCRYPTION_SECRET", "ADMIN_TOKEN")
    nothing = dict.fromkeys((*names, "PUBLIC_URL"), "")
    name = f"{ground.engine.settings.mongodb_db_name}_empty"
    runner = CliRunner(env=environment(ground) | nothing | {"MONGODB_DB_NAME": name})
    result = await asyncio.to_thread(runner.invoke, main, ["doctor", PIZZERIA])
    assert result.exit_code == 1
    assert masked(result.output) == snapshot


async def test_fix_mends_and_the_next_run_is_good(ground, scene):
    database = ground.engine.database
    await database.collection(CartDocument).drop_index("expiresAt_1")
    await database.collection(FlowKeyDocument).delete_one({"_id": PIZZERIA})
    await scene.graph("DELETE", f"{WABAS[PIZZERIA]}/subscribed_apps")
    hidden = dict.fromkeys(SHOWN, "false")
    await scene.graph("POST", f"{NUMBERS[TAQUERIA]}/whatsapp_commerce_settings", params=hidden)

    said = await run(ground, code=1)
    assert "failed   indexes: missing: carts.expiresAt_1\n" in said
    assert "           mend it: comanda doctor --fix\n" in said
    assert "failed   subscription: no app is: no message of a customer comes\n" in said
    assert re.search(r"doctor: \d+ ok, \d+ warnings, 4 failed, 3 skipped\n$", said), said

    said = await run(ground, "--fix")
    assert "mended: made or replaced carts.expiresAt_1\n" in said
    assert f"mended: subscribed the app to the WhatsApp account {WABAS[PIZZERIA]}\n" in said
    assert "mended: made a Flow key with the fingerprint " in said
    assert f"mended: registered the public key for {NUMBERS[PIZZERIA]}\n" in said
    assert f"mended: catalogue and cart are shown on {NUMBERS[TAQUERIA]}\n" in said
    assert re.search(r" 0 failed, 0 skipped\n$", said), said

    said = await run(ground)
    assert "mended" not in said
    assert re.search(r" 0 failed, 0 skipped\n$", said), said

    noted = await database.collection(AuditDocument).find({}).to_list()
    told = {(entry["action"], entry["tenant"], entry["outcome"]) for entry in noted}
    assert ("doctor --fix database.indexes", None, "done") in told
    assert ("doctor --fix flows.key", PIZZERIA, "done") in told
    assert len(noted) == 5


async def test_an_unreachable_database_is_one_failed_check(ground):
    said = await run(ground, PIZZERIA, code=1, MONGODB_URI="mongodb://me:hunter2@127.0.0.1:9/")
    assert "failed   reachable: the database does not answer" in said
    assert "hunter2" not in said
    assert "skipped  products: not asked: database.reachable failed\n" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nobody",), 2, "there is no tenant 'nobody'"),
        (("--format", "xml"), 2, "'xml' is not one of"),
        (("la-tavola", "dona-lucha"), 2, "unexpected extra argument"),
    ],
)
async def test_a_wrong_call_is_a_sentence(ground, arguments, code, said):
    assert said in await run(ground, *arguments, code=code)


async def test_a_token_of_another_secret_is_a_sentence(ground):
    said = await run(ground, PIZZERIA, code=1, ENCRYPTION_SECRET="quite another secret")
    assert "failed   access token: " in said
    assert "quite another secret" not in said
