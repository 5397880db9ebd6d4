"""The doctor's verdicts, on a tenant whose Flows work and on everything that can be wrong."""

from dataclasses import replace

import pytest

from engine.deployment.doctor import FlowDoctor
from engine.domain.ids import TenantId
from engine.errors import EngineError, GraphRetryable, GraphTerminal, Unavailable
from engine.graph.flow_ping import FlowPing
from engine.spec.problems import Problem, Span, SpecError
from tests.unit.deployment.deploying import (
    KEY,
    OTHER_KEY,
    SECRET,
    SHOP,
    flow_json,
    titled,
)


async def examined(scene, *, secret=SECRET, **changes):
    """Give the doctor's items by name."""
    doctor = FlowDoctor(replace(scene.deployer, **changes), FlowPing(secret))
    items = await doctor.examine(SHOP)
    found = {item.name: item for item in items}
    assert len(found) == len(items)
    return found


def wrong(found):
    return {name: item for name, item in found.items() if item.verdict == "wrong"}


async def test_what_works_is_well(scene):
    await scene.deploy()
    watch = scene.watched()
    found = await examined(scene)
    assert {name: item.verdict for name, item in found.items()} == {
        "PUBLIC_URL": "ok",
        "business": "ok",
        "files": "ok",
        "key": "ok",
        "token": "ok",
        "public key of 101": "ok",
        "public key of 102": "ok",
        **{
            f"size:{language} {aspect}": "ok"
            for language in ("en", "es")
            for aspect in ("deployed", "current", "endpoint", "published", "health")
        },
        f"endpoint {scene.public_url}/flows/size/shop": "ok",
    }
    assert found["key"].reason == KEY.fingerprint
    assert watch.writes == []


async def test_nothing_is_deployed_yet(scene):
    found = wrong(await examined(scene))
    assert {name: item.mend for name, item in found.items()} == {
        "public key of 101": "comanda flows deploy shop",
        "public key of 102": "comanda flows deploy shop",
        "size:en deployed": "comanda flows deploy shop",
        "size:es deployed": "comanda flows deploy shop",
    }
    assert found["public key of 101"].reason == "none is registered at Meta"


async def test_without_a_business_meta_is_not_asked(scene):
    scene.business(access_token="", waba_id=None)
    found = await examined(scene)
    assert "no access token" in found["business"].reason
    assert "no wabaId" in found["business"].reason
    assert found["business"].mend == "comanda seed shop"
    assert found["Meta"].verdict == "unknown"
    assert "flows" not in scene.watch.calls


async def test_a_tenant_that_nobody_seeded(scene):
    doctor = FlowDoctor(scene.deployer, FlowPing(SECRET))
    items = {item.name: item for item in await doctor.examine(TenantId("inn"))}
    assert items["business"].mend == "comanda seed inn"
    assert items["key"].mend == "comanda flows keygen inn"


class Sealed:
    """What was sealed with another secret."""

    def __init__(self, error):
        self.error = error

    async def get(self, tenant):
        raise self.error

    by_tenant = get


@pytest.mark.parametrize("part", ["keys", "businesses"])
async def test_what_cannot_be_opened_is_an_item_too(scene, part):
    error = EngineError("it was sealed with another ENCRYPTION_SECRET")
    found = await examined(scene, **{part: Sealed(error)})
    item = found["key" if part == "keys" else "business"]
    assert item.verdict == "wrong"
    assert "another ENCRYPTION_SECRET" in item.reason


@pytest.mark.parametrize("part", ["keys", "businesses"])
async def test_without_a_database_there_is_nothing_to_judge(scene, part):
    with pytest.raises(Unavailable):
        await examined(scene, **{part: Sealed(Unavailable("the database does not answer"))})


@pytest.mark.parametrize(
    ("url", "reason"), [("", "is not set"), ("http://x.example", "wants an https:// address")]
)
async def test_an_address_that_meta_cannot_use(scene, url, reason):
    found = await examined(scene, public_url=url, is_development=False)
    assert found["PUBLIC_URL"].verdict == "wrong"
    assert reason in found["PUBLIC_URL"].reason
    if not url:
        assert found["endpoint"].verdict == "unknown"


async def test_without_a_key_nothing_is_pinged(scene):
    await scene.deploy()
    scene.keys.held.clear()
    found = await examined(scene)
    assert wrong(found)["key"].mend == "comanda flows keygen shop"
    assert wrong(found)["public key of 101"].reason == "Meta has one that is not ours"
    assert found["endpoint"].verdict == "unknown"


async def test_another_key_at_meta(scene):
    await scene.deploy()
    scene.keys.held[SHOP] = OTHER_KEY
    found = wrong(await examined(scene))
    assert set(found) == {"public key of 101", "public key of 102"}
    assert found["public key of 101"].mend == "comanda flows deploy shop"


@pytest.mark.parametrize(
    ("signature", "verdict"), [("MISMATCH", "wrong"), ("", "unknown"), ("PENDING", "unknown")]
)
async def test_a_key_whose_signature_is_not_valid(scene, signature, verdict):
    await scene.deploy()

    class Migrated:
        async def public_key(self, number):
            known = await scene.calls.public_key(number)
            return replace(known, signature=signature)

        def __getattr__(self, name):
            return getattr(scene.calls, name)

    found = await examined(scene, graph=lambda token: Migrated())
    assert found["public key of 101"].verdict == verdict
    assert (signature or "not told") in found["public key of 101"].reason


async def test_a_key_that_meta_does_not_tell(scene):
    await scene.deploy()
    scene.watch.failing["public_key"] = GraphTerminal("(#10) no", code=10)
    found = await examined(scene)
    assert found["public key of 101"].verdict == "unknown"
    assert "(#10) no" in found["public key of 101"].reason


@pytest.mark.parametrize(
    ("rights", "verdict"),
    [
        (frozenset({"whatsapp_business_management", "x"}), "ok"),
        (frozenset({"whatsapp_business_messaging"}), "wrong"),
        (None, "unknown"),
    ],
)
async def test_the_rights_of_the_token(scene, rights, verdict):
    class Telling:
        async def rights(self):
            return rights

        def __getattr__(self, name):
            return getattr(scene.calls, name)

    found = await examined(scene, graph=lambda token: Telling())
    assert found["token"].verdict == verdict
    assert verdict != "wrong" or found["token"].mend == "comanda seed shop --token ..."


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (GraphTerminal("Invalid OAuth access token.", code=190), "wrong"),
        (GraphRetryable("no answer: ConnectError"), "unknown"),
    ],
)
async def test_a_token_with_which_nothing_is_told(scene, error, verdict):
    scene.watch.failing["flows"] = error
    found = await examined(scene)
    assert found["token"].verdict == verdict
    assert found["Flows"].verdict == "unknown"


async def test_files_that_are_wrong(scene):
    class Broken:
        async def flows(self, tenant):
            raise SpecError([Problem(Span("flows/size.yaml"), "unknown-key", "'a'")])

    found = await examined(scene, content=Broken())
    assert found["files"].verdict == "wrong"
    assert found["files"].mend == "comanda check shop"
    assert found["Flows"].verdict == "unknown"
    assert found["endpoint"].verdict == "unknown"


async def test_files_that_changed_since(scene):
    await scene.deploy()
    scene.content.held = (titled("Which size?"), flow_json("es"))
    found = wrong(await examined(scene))
    assert set(found) == {"size:en current"}
    assert found["size:en current"].mend == "comanda flows deploy shop"


async def test_an_address_that_moved(scene, built):
    await scene.deploy()
    moved = built.door.replace("127.0.0.1", "localhost")
    found = wrong(await examined(scene, public_url=moved))
    assert set(found) == {"size:en endpoint", "size:es endpoint"}
    assert built.door in found["size:en endpoint"].reason


async def test_a_mapping_that_leads_elsewhere(scene):
    await scene.deploy()
    scene.business(flow_mapping={"size:es": scene.mapping["size:es"], "size:en": "1"})
    found = wrong(await examined(scene))
    assert set(found) == {"size:en deployed"}
    assert "fbFlowMapping" in found["size:en deployed"].reason


async def test_a_flow_that_is_gone_at_meta(scene):
    await scene.deploy()
    gone = scene.mapping["size:en"]
    await scene.become(gone, "DRAFT")
    await scene.graph.request("DELETE", f"/{gone}", token="token")
    found = wrong(await examined(scene))
    assert {name: item.reason for name, item in found.items()} == {
        "size:en deployed": f"Meta has no Flow {gone}"
    }


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        ("DRAFT", "comanda flows deploy shop"),
        ("DEPRECATED", "comanda flows deploy shop"),
        ("THROTTLED", "Meta lifts it by itself"),
        ("BLOCKED", "Meta lifts it by itself"),
    ],
)
async def test_a_flow_that_is_not_published(scene, status, mend):
    await scene.deploy()
    await scene.become(scene.mapping["size:en"], status)
    found = wrong(await examined(scene))
    assert found["size:en published"].reason == f"Meta says {status}"
    assert mend in found["size:en published"].mend
    assert set(found) <= {"size:en published", "size:en health"}


async def test_a_health_that_meta_does_not_tell(scene):
    await scene.deploy()

    class Silent:
        async def flow(self, flow_id):
            return replace(await scene.calls.flow(flow_id), health="")

        def __getattr__(self, name):
            return getattr(scene.calls, name)

    found = await examined(scene, graph=lambda token: Silent())
    assert found["size:en health"].verdict == "unknown"


async def test_an_ill_flow_says_why(scene):
    scene.keys.held[SHOP] = KEY
    await scene.deploy()
    await scene.become(scene.mapping["size:en"], "THROTTLED")
    found = wrong(await examined(scene))
    assert found["size:en health"].reason.startswith("LIMITED")


@pytest.mark.parametrize(
    ("secret", "is_open", "reason"),
    [("another", True, "META_APP_SECRET"), (SECRET, False, "HTTP 404")],
)
async def test_an_endpoint_that_does_not_answer_well(scene, built, secret, is_open, reason):
    await scene.deploy()
    built.is_open = is_open
    found = wrong(await examined(scene, secret=secret))
    name = f"endpoint {scene.public_url}/flows/size/shop"
    assert set(found) == {name}
    assert reason in found[name].reason
    assert "comanda serve" in found[name].mend


async def test_the_endpoint_of_a_product_is_pinged_too(scene):
    await scene.deploy(product="prod:margherita")
    found = await examined(scene)
    place = f"endpoint {scene.public_url}/flows/product/prod:margherita/shop"
    assert found[place].verdict == "ok"
    assert found["prod:margherita current"].verdict == "ok"
