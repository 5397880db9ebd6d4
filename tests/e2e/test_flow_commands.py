"""`comanda flows` against the sandbox and a database, with the door of Flows at PUBLIC_URL."""

import asyncio
import json
import re
from dataclasses import dataclass

import httpx
import pytest
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from engine.cli.flow_output import show_report
from engine.cli.flows import flows
from engine.cli.main import main
from engine.clock import SystemClock
from engine.deployment.changes import Report
from engine.deployment.plan import Step
from engine.domain.ids import TenantId
from engine.sandbox import SandboxOptions, create_sandbox, serving
from engine.settings import read_settings
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems, Span
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.secrets import Vault
from engine.storage.seeding import seed
from engine.verbs import all_verbs
from engine.web.flows import FlowDoors
from engine.whatsapp.flow_crypto import FlowKey

TENANT = TenantId("la-tavola")
CHECKOUT = ["checkout:en", "checkout:es"]
KEYS = [*CHECKOUT, "product_customization:en", "product_customization:es"]
APP_SECRET, ENCRYPTION_SECRET, TOKEN = "app secret", "encryption secret", "token of la-tavola"


@dataclass
class Place:
    """A seeded tenant before an empty Meta."""

    meta: httpx.AsyncClient
    environment: dict[str, str]

    async def run(self, *arguments, code=0, **environment):
        """Call the command in a thread of its own, while Meta and the door answer here."""
        runner = CliRunner(env=self.environment | environment)
        with capture_logs():  # the door's, which is in this process too
            result = await asyncio.to_thread(runner.invoke, main, ["flows", *arguments])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result.output

    async def json(self, *arguments, code=0, **environment):
        said = await self.run(*arguments, "--format", "json", code=code, **environment)
        return json.loads(said)

    async def flows(self):
        """Give what Meta keeps, by name."""
        return {flow["name"]: flow for flow in (await self.meta.get("/sandbox/flows")).json()}


@pytest.fixture(scope="module")
def library():
    return Library(read_settings().content(), all_verbs())


@pytest.fixture(scope="module")
def checkout_only(tmp_path_factory):
    """The shipped content with one of its Flows: the other takes a second to compile."""
    shipped, root = read_settings().content(), tmp_path_factory.mktemp("content")
    (root / "flows").mkdir()
    for name in ("conversations", "tenants", "flows/checkout.yaml"):
        (root / name).symlink_to(shipped / name)
    return {"COMANDA_CONTENT": str(root)}


@pytest.fixture(scope="module")
async def sandbox():
    async with serving(create_sandbox(SandboxOptions(retry_delays=()))) as url:
        yield url


@pytest.fixture
async def place(database, mongodb_uri, sandbox, library):
    """The tenant with all that ships."""
    vault = Vault(ENCRYPTION_SECRET)
    doors = FlowDoors(
        app_secret=APP_SECRET,
        exchanges=lambda: None,  # type: ignore[arg-type,return-value]
        keys=lambda: MongoFlowKeys(database, vault=vault, clock=SystemClock()),
        tenants=lambda name: name == TENANT,
        is_plain_allowed=False,
    )

    async def webhook(_):
        return PlainTextResponse("OK")

    tenant, menu = library.tenant(TENANT, Problems()), library.menu(TENANT, Problems())
    assert tenant is not None
    assert menu is not None
    await seed(database, TENANT, tenant, menu, access_token=TOKEN, vault=vault)
    routes = [*doors.routes(), Route("/whatsapp_response", webhook, methods=["POST"])]
    async with (
        serving(Starlette(routes=routes)) as door,
        httpx.AsyncClient(base_url=sandbox) as meta,
    ):
        await meta.post("/sandbox/reset")
        phone = {
            "phone_number_id": tenant.phone_number_ids[0],
            "display_phone_number": "+12125550142",
            "token": TOKEN,
            "callback_url": f"{door}/whatsapp_response",
            "app_secret": APP_SECRET,
            "waba_id": tenant.waba_id,
        }
        (await meta.post("/sandbox/phones", json=phone)).raise_for_status()
        environment = {
            "MONGODB_URI": mongodb_uri,
            "MONGODB_DB_NAME": database.name,
            "META_APP_SECRET": APP_SECRET,
            "META_WEBHOOK_VERIFY_TOKEN": "verify",
            "ENCRYPTION_SECRET": ENCRYPTION_SECRET,
            "GRAPH_API_URL": sandbox,
            "PUBLIC_URL": door,
        }
        yield Place(meta, environment)


@pytest.fixture
async def small(place, checkout_only):
    """The tenant with the Flow for the checkout alone."""
    return Place(place.meta, place.environment | checkout_only)


async def test_the_commands_of_the_readme(place):
    """They work one after the other, as they are written."""
    readme = (read_settings().content() / "README.md").read_text()
    commands = re.findall(r"^comanda flows (\S.*?)(?: +#.*)?$", readme, re.MULTILINE)
    assert [command.split()[0] for command in commands] == [
        "keygen", "deploy", "deploy", "status", "doctor",
    ]  # fmt: skip
    for command in commands:
        await place.run(*command.split())


async def test_from_the_key_to_a_healthy_flow(place):
    """The way an operator goes."""
    said = await place.run("deploy", "la-tavola", code=1)
    assert said == "'la-tavola' has no Flow key: run `comanda flows keygen la-tavola`\n"

    said = await place.run("keygen", "la-tavola")
    fingerprint = re.search(r"fingerprint ([0-9a-f]{16})\n-----BEGIN PUBLIC KEY-----\n", said)
    assert fingerprint
    assert "PRIVATE" not in said

    said = await place.run("deploy", "la-tavola", "--dry-run")
    assert "106540352242922: register: Meta has no public key" in said
    for key in KEYS:
        assert f"{key}: create: " in said
    assert said.endswith("this is what would be done; nothing was changed\n")
    assert await place.flows() == {}

    said = await place.run("deploy", "la-tavola")
    kept = await place.flows()
    assert {name: flow["status"] for name, flow in kept.items()} == {
        key.replace(":", "_"): "PUBLISHED" for key in KEYS
    }
    for key in KEYS:
        assert f"{key} ({kept[key.replace(':', '_')]['id']})" in said.splitlines()[-1]

    said = await place.run("deploy", "la-tavola")
    assert said.count(": unchanged: ") == len(KEYS)
    assert said.endswith("deploy: la-tavola: there is nothing to do\n")

    said = await place.run("list", "la-tavola")
    assert [line.split()[::2] for line in said.splitlines()[:-1]] == [
        [key, "PUBLISHED"] for key in KEYS
    ]
    assert said.endswith("list: 4 Flows, 0 others in the WhatsApp account\n")

    said = await place.run("status", "la-tavola")
    assert said.count("  health: AVAILABLE\n  Flow JSON: 7.3\n  endpoint: http://") == 4
    assert said.endswith("status: 4 Flows, 0 problems\n")

    said = await place.run("doctor", "la-tavola")
    assert f"ok      key: {fingerprint[1]}\n" in said
    assert said.count("it answers the ping") == 2
    assert said.endswith(" 0 wrong, 0 unknown\n")


async def test_a_key_is_replaced_only_when_asked(small):
    first = (await small.run("keygen", "la-tavola")).splitlines()
    said = await small.run("keygen", "la-tavola", code=1)
    assert "has a Flow key already, with the fingerprint" in said
    assert "--replace" in said
    assert "fetch it by themselves after `comanda flows deploy la-tavola`" in said
    await small.run("deploy", "la-tavola")
    second = (await small.run("keygen", "la-tavola", "--replace")).splitlines()
    assert second[0] != first[0]
    assert second[2] != first[2]
    said = await small.run("deploy", "la-tavola")
    assert "106540352242922: register: Meta has another public key\n" in said
    assert said.count(": unchanged: ") == len(CHECKOUT)


async def test_a_key_for_all_tenants_is_used_until_a_tenant_has_its_own(small):
    shared = FlowKey.generate()
    given = {"FLOW_PRIVATE_KEY": shared.private_pem}
    items = {
        item["name"]: item for item in await small.json("doctor", "la-tavola", code=1, **given)
    }
    assert items["key"]["reason"] == shared.fingerprint
    said = await small.run("keygen", "la-tavola", code=1, **given)
    assert shared.fingerprint in said
    said = await small.run("keygen", "la-tavola", "--replace", **given)
    assert shared.fingerprint not in said
    said = await small.run("list", "la-tavola", code=1, FLOW_PRIVATE_KEY="not a key")
    assert said.startswith("FLOW_PRIVATE_KEY: ")


async def test_everything_is_told_as_json_too(small):
    await small.run("keygen", "la-tavola")
    dry = await small.json("deploy", "la-tavola", "--dry-run")
    assert (dry["tenant"], dry["dry_run"], dry["failed"]) == ("la-tavola", True, False)
    assert {step["verb"] for step in dry["steps"]} == {"register", "create", "upload", "publish"}
    done = await small.json("deploy", "la-tavola")
    assert list(done["flows"]) == CHECKOUT
    assert done["problems"] == []
    listed = await small.json("list", "la-tavola")
    assert [(each["key"], each["status"], each["sent"]) for each in listed] == [
        (key, "PUBLISHED", True) for key in CHECKOUT
    ]
    assert {each["key"]: each["meta_id"] for each in listed} == done["flows"]
    found = await small.json("status", "la-tavola")
    assert {each["health"] for each in found} == {"AVAILABLE"}
    assert {each["json_version"] for each in found} == {"7.3"}
    items = await small.json("doctor", "la-tavola")
    assert {item["verdict"] for item in items} == {"ok"}
    assert (await small.json("publish", "la-tavola"))["steps"] == []


async def test_the_doctor_ends_with_1_and_what_mends_it(small):
    said = await small.run("doctor", "la-tavola", code=1)
    assert "wrong   key: 'la-tavola' has no Flow key" in said
    assert "; mend it: comanda flows keygen la-tavola\n" in said
    assert "checkout:en deployed: it is not deployed; mend it: comanda flows deploy" in said


async def test_the_flow_for_one_product(place):
    await place.run("keygen", "la-tavola")
    product = "prod:margherita"
    known = await place.json("deploy", "la-tavola", "--product", product)
    assert known["flows"].keys() == {product}
    said = await place.run("list", "la-tavola")
    assert re.search(rf"^{product} +\d+ +PUBLISHED +product_customization_{product}$", said, re.M)
    said = await place.run("deploy", "la-tavola", "--product", "nothing", code=1)
    assert said == "'la-tavola' has no product 'nothing'\n"


async def test_drafts_are_published(small):
    await small.run("keygen", "la-tavola")
    said = await small.run("deploy", "la-tavola", code=1, PUBLIC_URL="http://127.0.0.1:9")
    assert "checkout:en: failed: Meta refuses it (" in said
    assert "The endpoint does not answer" in said
    assert said.endswith("deploy: la-tavola: not everything could be done\n")
    said = await small.run("publish", "la-tavola", code=1)
    assert said.count(": failed: ") == 2
    waba = (await small.flows())["checkout_en"]["waba_id"]
    for flow in (await small.flows()).values():
        address = flow["endpoint_uri"].replace(
            "http://127.0.0.1:9", small.environment["PUBLIC_URL"]
        )
        answer = await small.meta.post(
            f"/v26.0/{flow['id']}",
            json={"endpoint_uri": address},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        assert answer.status_code == 200, waba
    said = await small.run("publish", "la-tavola")
    assert said.count(": publish: ") == 2
    assert "nothing to do" in await small.run("publish", "la-tavola")


async def test_a_refused_token_is_one_sentence_with_what_to_do(small):
    await small.meta.post("/sandbox/reset")
    said = await small.run("publish", "la-tavola", code=1)
    assert said == (
        "Meta refuses it (Invalid OAuth access token.); store a valid access token: "
        "`comanda seed TENANT --token ...`\n"
    )
    said = await small.run("doctor", "la-tavola", code=1)
    assert "wrong   token: " in said


async def test_meta_itself_wants_a_public_address_with_tls(small):
    await small.run("keygen", "la-tavola")
    said = await small.run(
        "deploy", "la-tavola", "--dry-run", code=1, GRAPH_API_URL="https://graph.facebook.com"
    )
    assert "WhatsApp wants an https:// address" in said
    assert "PUBLIC_URL is not set" in await small.run("deploy", "la-tavola", code=1, PUBLIC_URL="")


@pytest.mark.parametrize(
    ("url", "is_metas"),
    [
        ("https://graph.facebook.com", True),
        ("https://GRAPH.facebook.com/", True),
        ("http://127.0.0.1:8900", False),
        ("https://graph.facebook.com.example.org", False),
        ("https://notfacebook.com", False),
    ],
)
def test_the_sandbox_is_told_from_meta(url, is_metas):
    assert read_settings(graph_api_url=url).is_meta() is is_metas


async def test_an_unknown_tenant_is_a_sentence(small):
    for command in ("keygen", "deploy"):
        said = await small.run(command, "la-tavla", code=1)
        assert said == "there is no tenant 'la-tavla'; there are dona-lucha, la-tavola\n"


def test_every_command_has_help_with_an_example():
    assert set(flows.commands) == {"keygen", "deploy", "list", "publish", "status", "doctor"}
    for name in ("", *flows.commands):
        done = CliRunner().invoke(main, ["flows", *([name] if name else []), "--help"])
        assert done.exit_code == 0
        assert f"Example: comanda flows {name}" in done.output


@pytest.mark.parametrize("arguments", [["deploy"], ["deploy", "x", "--nothing"], ["nothing"]])
def test_a_wrong_call_ends_with_2(arguments):
    assert CliRunner().invoke(main, ["flows", *arguments]).exit_code == 2


def test_what_meta_refuses_is_printed_as_check_prints_it(capsys):
    problem = Problem(Span("flows/checkout.yaml", 12, 5), "meta-refuses", "Invalid value. (E)")
    report = Report(TENANT, steps=[Step("checkout:en", "failed", "no")], problems=[problem])
    show_report(report, "text", "deploy")
    assert (
        "\nflows/checkout.yaml:12:5: meta-refuses: Invalid value. (E)\n" in capsys.readouterr().out
    )
    show_report(report, "json", "deploy")
    (told,) = json.loads(capsys.readouterr().out)["problems"]
    assert told == {
        "file": "flows/checkout.yaml",
        "line": 12,
        "column": 5,
        "severity": "error",
        "code": "meta-refuses",
        "sentence": "Invalid value. (E)",
        "hint": "",
        "transcript": [],
    }
