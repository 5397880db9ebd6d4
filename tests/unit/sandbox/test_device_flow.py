import pytest

from engine.sandbox.flow_documents import faults_of
from tests.unit.sandbox.device_samples import (
    COURSES,
    EXTRAS_DATA,
    PIZZA,
    SUMMARY_DATA,
)
from tests.unit.sandbox.device_scene import TOKEN, shows, succeeds


@pytest.mark.parametrize("document", [PIZZA, COURSES], ids=["pizza", "courses"])
def test_meta_takes_the_samples(document):
    assert list(faults_of(document)) == []


async def test_the_whole_way(phone):
    flow = await phone.opened(
        shows("EXTRAS", **EXTRAS_DATA), shows("SUMMARY", **SUMMARY_DATA), succeeds(line="9")
    )
    assert flow.screen["id"] == "SIZE"

    await flow.submit({"size": "large", "quantity": 2})
    assert flow.screen["id"] == "EXTRAS"
    await flow.submit({"extras": ["cheese"]})
    assert flow.screen["components"][0]["text"] == "Total: $36.00"
    await flow.submit()

    assert (flow.state, flow.screen, flow.status) == ("finished", None, 200)
    asked = [(one["action"], one["screen"], one["data"]) for one in phone.endpoint.requests]
    assert asked == [
        ("INIT", "", {}),
        ("data_exchange", "SIZE", {"event": "submit", "size": "large", "quantity": "2"}),
        ("data_exchange", "EXTRAS", {"event": "submit", "extras": ["cheese"]}),
        ("data_exchange", "SUMMARY", {"event": "submit", "size": "large"}),
    ]
    assert {(one["version"], one["flow_token"]) for one in phone.endpoint.requests} == {
        ("4.0", TOKEN)
    }
