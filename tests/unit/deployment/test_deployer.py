"""Deploying to the sandbox: what is done, what is left alone, and what an interruption leaves."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.deployment.deployer import NoSuchProduct, NotDeployable
from engine.domain.ids import TenantId
from engine.errors import GraphError, GraphRetryable, GraphTerminal
from tests.unit.deployment.deploying import (
    KEY,
    NUMBERS,
    OTHER_KEY,
    SHOP,
    WABA,
    PowerCut,
    flow_json,
    refused,
    titled,
)


@pytest.fixture
async def frozen(built):
    """A scene in which Meta does not let published Flows be edited."""
    async with built.scene(is_frozen=True) as made:
        yield made


def verbs(report, key):
    return [step.verb for step in report.steps if step.key == key]


# What is made ------------------------------------------------------------------------------------


async def test_the_first_deployment_registers_the_key_and_publishes_every_flow(scene):
    report = await scene.deploy()
    assert not report.has_failed
    assert [(s.key, s.verb) for s in report.steps] == [
        ("101", "register"),
        ("102", "register"),
        ("size:en", "create"),
        ("size:en", "upload"),
        ("size:en", "publish"),
        ("size:es", "create"),
        ("size:es", "upload"),
        ("size:es", "publish"),
    ]
    flows = await scene.flows()
    assert {name: flow["status"] for name, flow in flows.items()} == {
        "size_en": "PUBLISHED",
        "size_es": "PUBLISHED",
    }
    flow = flows["size_en"]
    assert flow["text"] == flow_json().text
    assert flow["endpoint_uri"] == f"{scene.public_url}/flows/size/shop"
    assert (flow["waba_id"], flow["categories"]) == (WABA, ["OTHER"])
    assert scene.mapping == {"size:en": flow["id"], "size:es": flows["size_es"]["id"]}
    assert report.flows == scene.mapping
    for number in NUMBERS:
        key = await scene.calls.public_key(number)
        assert key is not None
        assert key.is_good(KEY.public_pem)


async def test_a_deployment_is_noted_as_it_is_at_meta(scene):
    await scene.deploy()
    row = (await scene.rows())["size:es"]
    flow = await scene.flow("size_es")
    assert (row.tenant, row.flow, row.language) == (SHOP, "size", "es")
    assert (row.meta_id, row.name, row.status) == (flow["id"], "size_es", "PUBLISHED")
    assert (row.digest, row.endpoint) == (flow_json("es").digest, flow["endpoint_uri"])
    assert row.updated_at == scene.clock.now()
    assert row.held_until is None


async def test_a_second_deployment_does_nothing(scene):
    await scene.deploy()
    watch = scene.watched()
    report = await scene.deploy()
    assert [(s.key, s.verb) for s in report.steps] == [
        ("size:en", "unchanged"),
        ("size:es", "unchanged"),
    ]
    assert report.is_idle
    assert report.flows == scene.mapping
    assert watch.writes == []


async def test_a_changed_flow_is_uploaded_into_the_same_one(scene):
    await scene.deploy()
    before = scene.mapping
    scene.content.held = (titled("Which size?"), flow_json("es"))
    watch = scene.watched()
    report = await scene.deploy()
    assert verbs(report, "size:en") == ["upload", "publish"]
    assert verbs(report, "size:es") == ["unchanged"]
    assert scene.mapping == before
    assert (await scene.flow())["published"]["screens"][0]["title"] == "Which size?"
    assert watch.writes == ["upload", "save", "publish", "save"]


async def test_a_new_public_url_moves_the_flows(scene, built):
    await scene.deploy()
    moved = replace(scene.deployer, public_url=built.door.replace("127.0.0.1", "localhost") + "/")
    report = await moved.deploy(SHOP)
    assert verbs(report, "size:en") == ["edit", "publish"]
    flow = await scene.flow()
    assert flow["status"] == "PUBLISHED"
    assert flow["endpoint_uri"].startswith("http://localhost:")
    assert "//flows" not in flow["endpoint_uri"]
    assert (await scene.rows())["size:en"].endpoint == flow["endpoint_uri"]


async def test_a_change_of_the_address_that_leaves_a_flow_published_is_not_published_again(scene):
    """Meta's pages do not agree on whether it becomes a draft."""
    await scene.deploy()
    flow = await scene.flow()
    await scene.calls.metadata(
        flow["id"], endpoint_uri="http://old/flows/size/shop", name="size_en"
    )

    class Lenient:
        async def metadata(self, flow_id, *, endpoint_uri, name):
            await scene.calls.metadata(flow_id, endpoint_uri=endpoint_uri, name=name)
            await scene.become(flow_id, "PUBLISHED")

        def __getattr__(self, name):
            return getattr(scene.calls, name)

    lenient = replace(scene.deployer, graph=lambda token: Lenient())
    assert not (await lenient.deploy(SHOP)).has_failed
    assert (await scene.rows())["size:en"].status == "PUBLISHED"


async def test_a_deployment_by_hand_is_taken_over_by_its_name(scene):
    made = await scene.calls.create(
        WABA, "size_en", ("OTHER",), f"{scene.public_url}/flows/size/shop"
    )
    report = await scene.deploy()
    assert verbs(report, "size:en") == ["upload", "publish"]
    assert scene.mapping["size:en"] == made


async def test_a_flow_that_was_made_without_an_address_gets_it(scene):
    answer = await scene.graph.request(
        "POST", f"/{WABA}/flows", token="token", json={"name": "size_en", "categories": ["OTHER"]}
    )
    report = await scene.deploy()
    assert verbs(report, "size:en") == ["edit", "upload", "publish"]
    assert scene.mapping["size:en"] == answer["id"]


async def test_the_flow_of_another_tenant_in_the_same_account_is_left_alone(scene):
    other = await scene.calls.create(
        WABA, "size_en", ("OTHER",), "https://x.example/flows/size/inn"
    )
    report = await scene.deploy()
    assert verbs(report, "size:en") == ["failed"]
    assert f"'size_en' ({other}) that belongs to https://x.example" in str(report.steps)
    assert "size:en" not in scene.mapping
    assert verbs(report, "size:es") == ["create", "upload", "publish"]
    assert (await scene.flow())["endpoint_uri"] == "https://x.example/flows/size/inn"


async def test_a_deprecated_flow_keeps_its_name_and_another_is_made(scene):
    await scene.deploy()
    old = scene.mapping["size:en"]
    await scene.become(old, "DEPRECATED")
    report = await scene.deploy()
    assert verbs(report, "size:en") == ["create", "upload", "publish"]
    name = f"size_en_{flow_json().digest[:6]}"
    assert scene.mapping["size:en"] == (await scene.flow(name))["id"] != old
    assert (await scene.deploy()).is_idle


async def test_a_flow_that_was_deleted_at_meta_is_made_again(scene):
    await scene.deploy()
    flow_id = scene.mapping["size:en"]
    await scene.become(flow_id, "DRAFT")
    await scene.graph.request("DELETE", f"/{flow_id}", token="token")
    report = await scene.deploy()
    assert verbs(report, "size:en") == ["create", "upload", "publish"]
    assert scene.mapping["size:en"] != flow_id


@pytest.mark.parametrize("status", ["THROTTLED", "BLOCKED"])
async def test_a_flow_that_meta_holds_is_noted_so_and_left_alone(scene, status):
    await scene.deploy()
    await scene.become(scene.mapping["size:en"], status)
    report = await scene.deploy()
    assert report.is_idle
    assert f"Meta holds it: {status}" in str(report.steps[0])
    assert (await scene.rows())["size:en"].status == status


async def test_a_flow_that_meta_holds_no_more_is_sent_again(scene):
    await scene.deploy()
    until = scene.clock.now() + timedelta(hours=5)
    await scene.store.deployments.hold(
        scene.mapping["size:en"], status="BLOCKED", until=until, at=scene.clock.now()
    )
    await scene.deploy()
    row = (await scene.rows())["size:en"]
    assert (row.status, row.held_until) == ("PUBLISHED", None)


async def test_a_missing_mapping_is_mended_without_touching_meta(scene):
    await scene.deploy()
    wanted = scene.mapping
    scene.business(flow_mapping={"size:en": "123", "prod:x": "9"})
    watch = scene.watched()
    report = await scene.deploy()
    assert {s.verb for s in report.steps} == {"map"}
    assert scene.mapping == wanted | {"prod:x": "9"}
    assert watch.writes == ["map_flow", "map_flow"]


# Keys --------------------------------------------------------------------------------------------


async def test_a_new_key_is_registered_for_every_number_and_the_flows_stay(scene):
    await scene.deploy()
    scene.keys.held[SHOP] = OTHER_KEY
    report = await scene.deploy()
    assert [(s.key, s.verb, s.reason) for s in report.steps[:2]] == [
        (number, "register", "Meta has another public key") for number in NUMBERS
    ]
    assert verbs(report, "size:en") == ["unchanged"]
    key = await scene.calls.public_key("102")
    assert key is not None
    assert key.is_same(OTHER_KEY.public_pem)


async def test_a_key_whose_signature_does_not_match_is_uploaded_again(scene):
    await scene.deploy()

    class Migrated:
        async def public_key(self, number):
            known = await scene.calls.public_key(number)
            return replace(known, signature="MISMATCH") if number == "102" else known

        def __getattr__(self, name):
            return getattr(scene.calls, name)

    migrated = replace(scene.deployer, graph=lambda token: Migrated())
    report = await migrated.deploy(SHOP)
    assert [(s.key, s.reason) for s in report.steps if s.verb == "register"] == [
        ("102", "Meta wants its public key again")
    ]


async def test_a_key_that_cannot_be_registered_stops_everything(scene):
    scene.watch.failing["set_public_key"] = GraphTerminal("(#10) no", code=10)
    report = await scene.deploy()
    assert [(s.key, s.verb) for s in report.steps] == [("101", "failed")]
    assert "needs the permission whatsapp_business_management" in report.steps[0].reason
    assert await scene.flows() == {}


# What Meta refuses -------------------------------------------------------------------------------


async def test_what_meta_refuses_is_told_at_the_line_that_caused_it(scene):
    scene.content.held = (refused(), flow_json("es"))
    report = await scene.deploy()
    assert report.has_failed
    (problem,) = report.problems
    assert (str(problem.span), problem.code) == ("flows/size.yaml:44:7", "meta-refuses")
    assert "property 'type'" in problem.sentence
    assert problem.sentence.endswith("(INVALID_PROPERTY_VALUE)")
    assert verbs(report, "size:en") == ["create", "failed"]
    assert verbs(report, "size:es") == ["create", "upload", "publish"]
    assert (await scene.flow())["status"] == "DRAFT"
    assert "size:en" not in scene.mapping
    row = (await scene.rows())["size:en"]
    assert (row.status, row.digest) == ("DRAFT", "")


async def test_a_refused_change_leaves_the_old_flow_in_the_mapping_and_is_mended_later(scene):
    await scene.deploy()
    before = scene.mapping
    scene.content.held = (refused(), flow_json("es"))
    assert (await scene.deploy()).has_failed
    assert scene.mapping == before
    # Meta took the refused draft: what it had before must be uploaded again.
    scene.content.held = (flow_json("en"), flow_json("es"))
    report = await scene.deploy()
    assert verbs(report, "size:en") == ["upload", "publish"]
    assert scene.mapping == before
    assert (await scene.rows())["size:en"].status == "PUBLISHED"


async def test_a_flow_that_cannot_be_published_is_told_why_and_stays_a_draft(scene, built):
    built.is_open = False
    report = await scene.deploy()
    failed = [step for step in report.steps if step.verb == "failed"]
    assert [step.key for step in failed] == ["size:en", "size:es"]
    assert "HTTP 404" in failed[0].reason
    assert scene.mapping == {}
    assert (await scene.rows())["size:en"].status == "DRAFT"
    built.is_open = True
    watch = scene.watched()
    report = await scene.deploy()
    assert verbs(report, "size:en") == ["publish"]
    assert set(scene.mapping) == {"size:en", "size:es"}
    assert "create" not in watch.writes


async def test_when_meta_does_not_answer_nothing_more_is_asked(scene):
    scene.watch.failing["upload"] = GraphRetryable("no answer: ReadTimeout")
    report = await scene.deploy()
    assert verbs(report, "size:en") == ["create", "failed"]
    assert verbs(report, "size:es") == []
    assert "try again later" in report.steps[-1].reason


async def test_when_meta_does_not_tell_what_it_has_nothing_is_done(scene):
    scene.watch.failing["flows"] = GraphTerminal("Invalid OAuth access token.", code=190)
    with pytest.raises(GraphError):
        await scene.deploy()
    assert scene.watch.writes == []


@pytest.mark.parametrize("is_dry", [False, True])
async def test_a_flow_that_meta_does_not_tell_of_does_not_stop_the_others(scene, is_dry):
    await scene.deploy()
    scene.content.held = (flow_json("en"), flow_json("en", flow="checkout"))
    scene.watched().failing["flow"] = GraphTerminal("(#1) gone", code=100)
    report = await scene.deploy(is_dry=is_dry)
    assert verbs(report, "size:en") == ["failed"]
    assert verbs(report, "checkout:en") == ["create", "upload", "publish"]


# Flows that cannot be edited ---------------------------------------------------------------------


async def test_a_flow_that_cannot_be_edited_is_cloned_and_the_old_one_stays(frozen):
    await frozen.deploy()
    old = frozen.mapping["size:en"]
    changed = titled("Which size?")
    frozen.content.held = (changed, flow_json("es"))
    report = await frozen.deploy()
    assert verbs(report, "size:en") == ["clone", "upload", "publish"]
    assert f"the published Flow {old}" in next(s.reason for s in report.steps if s.verb == "clone")
    flows = await frozen.flows()
    clone = flows[f"size_en_{changed.digest[:6]}"]
    assert flows["size_en"]["status"] == clone["status"] == "PUBLISHED"
    assert clone["published"]["screens"][0]["title"] == "Which size?"
    assert frozen.mapping["size:en"] == clone["id"] != old
    row = (await frozen.rows())["size:en"]
    assert (row.meta_id, row.name, row.status) == (clone["id"], clone["name"], "PUBLISHED")
    assert (await frozen.deploy()).is_idle


async def test_going_back_to_what_was_cloned_before_takes_that_clone_again(frozen):
    first, second, third = flow_json(), titled("Two"), titled("Three")
    ids = []
    for flow in (first, second, third, second):
        frozen.content.held = (flow,)
        report = await frozen.deploy()
        assert not report.has_failed
        ids.append(frozen.mapping["size:en"])
    assert ids[3] == ids[1]
    assert len(set(ids)) == len(await frozen.flows()) == 3
    assert verbs(report, "size:en") == ["map"]


async def test_a_refused_clone_leaves_everything_as_it_was(frozen):
    await frozen.deploy()
    mapping, rows = frozen.mapping, await frozen.rows()
    frozen.content.held = (refused(), flow_json("es"))
    report = await frozen.deploy()
    assert verbs(report, "size:en") == ["clone", "failed"]
    assert len(report.problems) == 1
    assert frozen.mapping == mapping
    assert await frozen.rows() == rows


async def test_a_clone_that_cannot_be_published_yet_leaves_the_old_one_to_customers(frozen, built):
    await frozen.deploy()
    mapping, rows = frozen.mapping, await frozen.rows()
    frozen.content.held = (titled("Which size?"), flow_json("es"))
    built.is_open = False
    report = await frozen.deploy()
    assert verbs(report, "size:en") == ["clone", "upload", "failed"]
    assert (frozen.mapping, await frozen.rows()) == (mapping, rows)
    built.is_open = True
    report = await frozen.deploy()
    assert verbs(report, "size:en") == ["upload", "publish"]
    assert len(await frozen.flows()) == 3
    assert frozen.mapping["size:en"] != mapping["size:en"]


async def test_an_address_that_cannot_be_changed_makes_a_clone(frozen, built):
    await frozen.deploy()
    moved = replace(frozen.deployer, public_url=built.door.replace("127.0.0.1", "localhost"))
    report = await moved.deploy(SHOP)
    assert verbs(report, "size:en") == ["clone", "upload", "publish"]
    clone = await frozen.flow(f"size_en_{flow_json().digest[:6]}")
    assert frozen.mapping["size:en"] == clone["id"]
    assert clone["endpoint_uri"].startswith("http://localhost:")


async def test_a_clone_that_can_be_edited_after_all_gives_its_old_name_up(scene):
    """So that a name with a digest never tells a content that it has not."""
    first, second, third = flow_json(), titled("Two"), titled("Three")
    flow_id = await scene.calls.create(
        WABA, f"size_en_{first.digest[:6]}", ("OTHER",), f"{scene.public_url}/flows/size/shop"
    )
    for flow in (first, second, third):
        scene.content.held = (flow,)
        assert not (await scene.deploy()).has_failed
        assert scene.mapping["size:en"] == flow_id
        assert list(await scene.flows()) == [f"size_en_{flow.digest[:6]}"]


# Interruptions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("change", ["first", "edit", "clone"])
async def test_what_was_interrupted_anywhere_is_finished_by_the_next_deployment(
    built, change, is_after
):
    cut, is_cut = 0, True
    while is_cut:
        cut += 1
        async with built.scene(is_frozen=change == "clone") as scene:
            scene.content.held = (flow_json(),)
            if change != "first":
                await scene.deploy()
                scene.content.held = (titled("Which size?"),)
            scene.watched(**{"cut_after" if is_after else "cut_before": cut})
            try:
                await scene.deploy()
                is_cut = False
            except PowerCut:
                scene.watched()
            report = await scene.deploy()
            assert not report.has_failed
            flows = await scene.flows()
            assert len(flows) == (2 if change == "clone" else 1), (cut, flows)
            customers_get = next(f for f in flows.values() if f["id"] == scene.mapping["size:en"])
            wanted = scene.content.held[0]
            assert customers_get["published"] == wanted.document
            assert customers_get["status"] == "PUBLISHED"
            row = (await scene.rows())["size:en"]
            assert (row.meta_id, row.digest) == (customers_get["id"], wanted.digest)
            assert row.status == "PUBLISHED"
            assert (await scene.deploy()).is_idle
    assert cut > 4


async def test_two_deployments_at_once_make_every_flow_once(scene):
    reports = await asyncio.gather(scene.deploy(), scene.deploy(), scene.deploy())
    assert not any(report.has_failed for report in reports)
    assert [report.is_idle for report in reports] == [False, True, True]
    assert len(await scene.flows()) == 2


# Dry runs ----------------------------------------------------------------------------------------


async def test_a_dry_run_tells_what_would_be_done_and_does_nothing(scene):
    report = await scene.deploy(is_dry=True)
    assert report.is_dry
    assert scene.watch.writes == []
    assert await scene.flows() == {}
    done = await scene.deploy()
    assert [(s.key, s.verb) for s in report.steps] == [(s.key, s.verb) for s in done.steps]


async def test_a_dry_run_of_a_change_and_of_nothing(scene):
    await scene.deploy()
    scene.content.held = (titled("Which size?"), flow_json("es"))
    watch = scene.watched()
    report = await scene.deploy(is_dry=True)
    assert verbs(report, "size:en") == ["upload", "publish"]
    assert verbs(report, "size:es") == ["unchanged"]
    assert watch.writes == []


# Products ----------------------------------------------------------------------------------------


async def test_the_flow_is_deployed_for_one_product_alone(scene):
    report = await scene.deploy(product="prod:margherita")
    assert verbs(report, "prod:margherita") == ["create", "upload", "publish"]
    flow = await scene.flow("size_prod:margherita")
    assert flow["endpoint_uri"] == f"{scene.public_url}/flows/product/prod:margherita/shop"
    assert scene.mapping == {"prod:margherita": flow["id"]}
    row = (await scene.rows())["prod:margherita"]
    assert (row.flow, row.language) == ("size", "en")


async def test_the_flows_of_products_are_kept_up_with_the_others(scene):
    await scene.deploy(product="prod:margherita")
    scene.content.held = (titled("Which size?"), flow_json("es"))
    report = await scene.deploy()
    assert verbs(report, "prod:margherita") == ["upload", "publish"]
    assert set(scene.mapping) == {"size:en", "size:es", "prod:margherita"}


async def test_the_flow_of_a_product_that_is_sold_no_more_is_left_alone(scene):
    await scene.deploy(product="prod:margherita")
    row = (await scene.rows())["prod:margherita"]
    await scene.store.deployments.save(replace(row, key="prod:gone", meta_id="9"))
    report = await scene.deploy()
    assert verbs(report, "prod:gone") == []
    assert not [step for step in report.steps if step.verb == "failed"]


async def test_a_product_that_is_not_sold_has_no_flow(scene):
    with pytest.raises(NoSuchProduct, match="'shop' has no product 'prod:nothing'"):
        await scene.deploy(product="prod:nothing")
    assert scene.watch.writes == []


async def test_a_product_that_no_flow_can_show_has_none(scene):
    with pytest.raises(NotDeployable, match="no Flow of 'shop' can show the product 'prod:huge'"):
        await scene.deploy(product="prod:huge")


# What is missing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"waba_id": None}, "has no wabaId"),
        ({"access_token": ""}, "has no access token"),
        ({"phone_number_ids": ()}, "has no phone number"),
    ],
)
async def test_what_the_business_lacks_is_told_before_meta_is_asked(scene, changes, sentence):
    scene.business(**changes)
    with pytest.raises(NotDeployable, match=sentence) as caught:
        await scene.deploy()
    assert "\n" not in str(caught.value)
    assert "flows" not in scene.watch.calls


async def test_everything_that_is_missing_is_told_at_once(scene):
    scene.keys.held.clear()
    scene.business(waba_id=None, access_token="")
    bare = replace(scene.deployer, public_url="", is_development=False)
    with pytest.raises(NotDeployable) as caught:
        await bare.deploy(SHOP)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "PUBLIC_URL is not set",
        "the business 'shop' has no wabaId",
        "'shop' has no access token",
        "'shop' has no Flow key",
    ]
    assert "comanda flows keygen shop" in lines[3]


async def test_a_tenant_that_is_not_in_the_database_is_told(scene):
    with pytest.raises(NotDeployable, match="'inn' is not in the database"):
        await scene.deployer.deploy(TenantId("inn"))


async def test_a_tenant_without_flows_is_told(scene):
    scene.content.held = ()
    with pytest.raises(NotDeployable, match="'shop' has no Flow to deploy"):
        await scene.deploy()


@pytest.mark.parametrize(
    ("url", "is_development", "is_right"),
    [
        ("https://x.example", False, True),
        ("https://x.example", True, True),
        ("http://x.example", True, True),
        ("http://x.example", False, False),
        ("", True, False),
    ],
)
def test_meta_wants_a_public_address_with_tls(scene, url, is_development, is_right):
    deployer = replace(scene.deployer, public_url=url, is_development=is_development)
    assert (list(deployer.address_faults()) == []) is is_right
