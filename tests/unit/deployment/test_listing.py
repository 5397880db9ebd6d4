"""A tenant's Flows as files, database and Meta have them; and publishing of drafts."""

from dataclasses import replace

import pytest

from engine.deployment.deployer import NotDeployable
from engine.deployment.listing import inspected, listing, publish
from engine.errors import GraphRetryable, GraphTerminal
from tests.unit.deployment.deploying import SHOP, WABA, flow_json, refused


def shown(listed):
    return [(each.key, each.status, each.name, each.is_sent) for each in listed]


async def test_ours_come_first_then_the_others_of_the_account(scene):
    await scene.deploy()
    other = await scene.calls.create(WABA, "survey", ("SURVEY",), "https://x.example/survey")
    scene.content.held = (*scene.content.held, flow_json("en", flow="checkout"))
    listed = await listing(scene.deployer, SHOP, await scene.wanted())
    assert shown(listed) == [
        ("checkout:en", "NOT_DEPLOYED", "checkout_en", False),
        ("size:en", "PUBLISHED", "size_en", True),
        ("size:es", "PUBLISHED", "size_es", True),
        ("", "DRAFT", "survey", False),
    ]
    assert [each.meta_id for each in listed] == [
        "",
        scene.mapping["size:en"],
        scene.mapping["size:es"],
        other,
    ]


async def test_a_flow_that_is_deployed_but_gone_from_files_mapping_or_meta_is_shown(scene):
    await scene.deploy()
    gone = scene.mapping["size:en"]
    scene.content.held = ()
    scene.business(flow_mapping={})
    await scene.become(gone, "DRAFT")
    await scene.graph.request("DELETE", f"/{gone}", token="token")
    listed = await listing(scene.deployer, SHOP, await scene.wanted())
    assert shown(listed) == [
        ("size:en", "GONE", "size_en", False),
        ("size:es", "PUBLISHED", "size_es", False),
    ]
    assert listed[0].meta_id == gone
    assert listed[0].wanted is None


async def test_an_account_with_many_flows_is_listed_to_the_end(scene):
    for n in range(101):
        await scene.calls.create(WABA, f"survey {n}", ("SURVEY",), "https://x.example/survey")
    await scene.deploy()
    listed = await listing(scene.deployer, SHOP, await scene.wanted())
    assert len(listed) == 103
    assert (await scene.deploy()).is_idle


async def test_an_inspection_tells_everything_of_ours_and_nothing_of_others(scene):
    scene.content.held = (refused(), flow_json("es"))
    await scene.deploy()
    await scene.calls.create(WABA, "survey", ("SURVEY",), "https://x.example/survey")
    english, spanish = await inspected(scene.deployer, SHOP, await scene.wanted())
    assert english.meta is not None
    assert spanish.meta is not None
    assert (english.status, spanish.status) == ("DRAFT", "PUBLISHED")
    assert spanish.meta.health == "AVAILABLE"
    assert spanish.meta.json_version == "7.3"
    assert spanish.meta.endpoint == f"{scene.public_url}/flows/size/shop"
    assert english.meta.health == "BLOCKED"
    assert "validation errors" in english.meta.ailments[0]
    assert [c.code for c in english.meta.complaints] == ["INVALID_PROPERTY_VALUE"]


async def test_drafts_are_published_and_mapped(scene, built):
    built.is_open = False
    await scene.deploy()
    built.is_open = True
    report = await publish(scene.deployer, SHOP)
    assert [(s.key, s.verb) for s in report.steps] == [
        ("size:en", "publish"),
        ("size:es", "publish"),
    ]
    assert {f["status"] for f in (await scene.flows()).values()} == {"PUBLISHED"}
    assert scene.mapping == report.flows
    assert {row.status for row in (await scene.rows()).values()} == {"PUBLISHED"}
    assert (await scene.deploy()).is_idle
    watch = scene.watched()
    assert (await publish(scene.deployer, SHOP)).is_idle
    assert watch.writes == []


async def test_a_draft_that_meta_does_not_publish_is_told_and_the_others_go_on(scene):
    scene.content.held = (refused(), flow_json("es"))
    await scene.deploy()
    await scene.become(scene.mapping["size:es"], "DRAFT")
    report = await publish(scene.deployer, SHOP)
    assert [(s.key, s.verb) for s in report.steps] == [
        ("size:en", "failed"),
        ("size:es", "publish"),
    ]
    assert "fix the validation errors" in report.steps[0].reason
    assert list(scene.mapping) == ["size:es"]


async def test_when_meta_does_not_answer_no_other_draft_is_tried(scene, built):
    built.is_open = False
    await scene.deploy()
    scene.watched().failing["publish"] = GraphRetryable("no answer: ReadTimeout")
    report = await publish(scene.deployer, SHOP)
    assert [(s.key, s.verb) for s in report.steps] == [("size:en", "failed")]


async def test_meta_cannot_be_asked_without_a_business(scene):
    scene.business(waba_id=None)
    for ask in (listing, inspected):
        with pytest.raises(NotDeployable, match="has no wabaId"):
            await ask(scene.deployer, SHOP, ())
    with pytest.raises(NotDeployable, match="has no wabaId"):
        await publish(scene.deployer, SHOP)


async def test_neither_a_key_nor_an_address_is_needed_to_look(scene):
    await scene.deploy()
    scene.keys.held.clear()
    bare = replace(scene.deployer, public_url="")
    assert len(await listing(bare, SHOP, ())) == 2


async def test_what_meta_does_not_tell_is_an_error(scene):
    scene.watch.failing["flows"] = GraphTerminal("no", code=190)
    with pytest.raises(GraphTerminal):
        await listing(scene.deployer, SHOP, ())
