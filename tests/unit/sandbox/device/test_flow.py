import json
from copy import deepcopy

import pytest

from engine.sandbox import NotPossible
from engine.sandbox.flow_documents.check import faults_of
from tests.unit.sandbox.device.samples import (
    COURSES,
    COURSES_DATA,
    EXTRAS_DATA,
    PIZZA,
    SIZE_DATA,
    SIZES,
    SUMMARY_DATA,
    footer,
    lonely,
    screen,
)
from tests.unit.sandbox.device.scene import TOKEN, Plain, shows, succeeds
from tests.unit.sandbox.flow_samples import complete, exchange, navigate

ORDER = {"size": "small", "quantity": "1"}
EXTRAS = shows("EXTRAS", **EXTRAS_DATA)
SUMMARY = shows("SUMMARY", **SUMMARY_DATA)


def values(flow):
    return {one["name"]: one["value"] for one in flow.screen["components"] if "value" in one}


@pytest.mark.parametrize("document", [PIZZA, COURSES], ids=["pizza", "courses"])
def test_meta_takes_the_samples(document):
    assert list(faults_of(document)) == []


async def test_the_whole_way(phone):
    flow = await phone.opened(EXTRAS, SUMMARY, succeeds(line="9"))
    assert flow.screen["id"] == "SIZE"
    assert values(flow) == {"size": "small", "quantity": ""}

    await flow.submit({"size": "large", "quantity": 2})
    assert flow.screen["id"] == "EXTRAS"
    await flow.submit({"extras": ["cheese"]})
    assert [one["text"] for one in flow.screen["components"] if "text" in one] == [
        "Total: $36.00",
        "Margherita Pizza",
    ]
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
    assert phone.endpoint.complaints == []
    assert await phone.errors() == []


async def test_what_nobody_filled_in_is_sent_empty(phone):
    flow = await phone.opened(EXTRAS, SUMMARY)
    await flow.submit(ORDER)

    await flow.submit()

    assert phone.endpoint.requests[-1]["data"] == {"event": "submit", "extras": []}


async def test_the_same_screen_with_a_message(phone):
    again = shows("SIZE", **SIZE_DATA | {"size": "large"}, error_message="Sold out")
    flow = await phone.opened(again, EXTRAS)
    await flow.submit({"size": 'Small (10")', "quantity": 3})

    assert (flow.state, flow.screen["id"]) == ("open", "SIZE")
    assert flow.screen["message"] == "Sold out"
    # What he entered stays, and an initial value comes only once.
    assert values(flow) == {"size": "small", "quantity": "3"}

    await flow.submit()
    assert flow.screen["id"] == "EXTRAS"
    await flow.back()
    assert "message" not in flow.screen


async def test_what_is_not_offered_any_more_is_not_chosen_any_more(phone):
    left = shows("SIZE", **SIZE_DATA | {"sizes": SIZES[:1]})
    flow = await phone.opened(left)

    await flow.submit({"size": "large", "quantity": 1})

    assert values(flow) == {"size": "", "quantity": "1"}
    with pytest.raises(NotPossible, match="'size' is required"):
        await flow.submit()


async def test_back_on_the_phone(phone):
    flow = await phone.opened(EXTRAS, EXTRAS)
    await flow.submit({"size": "large", "quantity": 2})
    await flow.select("extras", "cheese")

    await flow.back()

    assert flow.screen["id"] == "SIZE"
    assert values(flow) == {"size": "large", "quantity": "2"}
    assert len(phone.endpoint.requests) == 2
    with pytest.raises(NotPossible, match="There is no screen before SIZE"):
        await flow.back()
    # A screen he goes to again begins anew.
    await flow.submit()
    assert values(flow) == {"extras": []}


async def test_back_asks_the_endpoint_where_the_screen_wants_it(phone):
    fresh = shows("EXTRAS", extras=EXTRAS_DATA["extras"][:1], most=1)
    flow = await phone.opened(EXTRAS, SUMMARY, fresh)
    await flow.submit(ORDER)
    await flow.submit({"extras": "cheese"})

    await flow.back()

    assert flow.screen["id"] == "EXTRAS"
    assert values(flow) == {"extras": ["cheese"]}
    assert len(flow.screen["components"][0]["options"]) == 1
    request = phone.endpoint.requests[-1]
    assert (request["action"], request["screen"], request["data"]) == ("BACK", "SUMMARY", {})
    await flow.back()
    assert flow.screen["id"] == "SIZE"


async def test_back_may_stay(phone):
    flow = await phone.opened(SUMMARY, shows("SUMMARY", total="$40.00"))
    await flow.submit(ORDER)

    await flow.back()

    assert flow.screen["components"][0]["text"] == "Total: $40.00"


BAD = [
    (shows("PASTA"), "invalid-screen-transition", "There is no screen 'PASTA'"),
    (shows("SIZE", **SIZE_DATA | {"size": 1}), "payload-schema-error", "SIZE: data.size must be"),
    (shows("EXTRAS", extras=[], most=1), "payload-schema-error", "at least '1' items"),
    (shows("EXTRAS", most=1), "payload-schema-error", "EXTRAS: data.extras is missing"),
    (shows("SUMMARY", total=None), "payload-schema-error", "SUMMARY: data.total is null"),
    (shows("SUMMARY", total="x" * 80), "payload-schema-error", "at most 80 characters"),
    ({"data": {}}, "payload-schema-error", "The answer names no screen"),
    ({"screen": "SIZE", "data": []}, "payload-schema-error", "must be an object"),
    ({"screen": "EXTRAS"}, "payload-schema-error", "data.extras is missing"),
    ({"screen": "SUCCESS", "data": {}}, "payload-schema-error", "SUCCESS needs"),
    (
        {"screen": "SUCCESS", "data": {"extension_message_response": {"params": []}}},
        "payload-schema-error",
        "SUCCESS needs",
    ),
]


@pytest.mark.parametrize(("answer", "key", "says"), BAD)
async def test_a_bad_answer(phone, answer, key, says):
    flow = await phone.opened(answer, EXTRAS)

    await flow.submit(ORDER)

    assert (flow.state, flow.status, flow.screen["id"]) == ("failed", 200, "SIZE")
    assert flow.error["key"] == key
    assert says in flow.error["message"]
    assert flow.error["shown"].startswith("Something went wrong")
    (complaint,) = phone.endpoint.complaints
    del complaint["flow_token_signature"]
    assert complaint == {
        "version": "4.0",
        "action": "data_exchange",
        "screen": "SIZE",
        "data": {"error": key, "error_message": flow.error["message"]},
        "flow_token": TOKEN,
    }
    (error,) = await phone.errors()
    assert error == {
        "n": 1,
        "phone": "5491122223333",
        "wamid": flow.wamid,
        "screen": "SIZE",
        "key": key,
        "message": flow.error["message"],
        "status": 200,
    }
    await flow.submit()
    assert (flow.state, flow.screen["id"]) == ("open", "EXTRAS")


async def test_a_bad_first_answer(phone):
    phone.publish(PIZZA)
    await phone.offer()
    phone.endpoint.answers = [EXTRAS]

    flow = await phone.customer().open_flow()

    assert (flow.state, flow.screen) == ("failed", None)
    assert flow.error["key"] == "invalid-screen-transition"
    (complaint,) = phone.endpoint.complaints
    assert (complaint["action"], complaint["screen"]) == ("INIT", "")
    with pytest.raises(NotPossible, match="shows no screen: it is failed"):
        await flow.submit()


async def test_a_bad_answer_to_back(phone):
    flow = await phone.opened(SUMMARY, EXTRAS)
    await flow.submit(ORDER)

    await flow.back()

    assert (flow.state, flow.screen["id"]) == ("failed", "SUMMARY")
    assert "BACK cannot lead from SUMMARY to EXTRAS" in flow.error["message"]
    assert phone.endpoint.complaints[0]["action"] == "data_exchange"


async def test_nobody_hears_the_complaint(phone):
    def last_words(opened):
        phone.flow.endpoint_uri = None
        return Plain(200, opened.seal(shows("PASTA")))

    flow = await phone.opened(last_words)

    await flow.submit(ORDER)

    assert flow.error["key"] == "invalid-screen-transition"
    assert phone.endpoint.complaints == []


async def test_success_ends_the_flow(phone):
    flow = await phone.opened(succeeds(line="9"))

    await flow.submit(ORDER)

    assert flow.reply["status"] == 200
    assert flow.reply["response"] == {"flow_token": TOKEN, "line": "9"}
    (message,) = phone.replies()
    assert message["id"] == flow.reply["wamid"]
    assert message["context"] == {"from": "15550783881", "id": flow.wamid}
    reply = message["interactive"]["nfm_reply"]
    assert (reply["name"], reply["body"]) == ("flow", "Sent")
    assert json.loads(reply["response_json"]) == {"flow_token": TOKEN, "line": "9"}
    with pytest.raises(NotPossible, match="it is finished"):
        await flow.submit()
    with pytest.raises(NotPossible, match="it is finished"):
        await flow.back()
    await flow.close()
    assert flow.state == "finished"
    assert len(phone.replies()) == 1


async def test_success_in_any_case(phone):
    flow = await phone.opened(succeeds() | {"screen": "Success"})

    await flow.submit(ORDER)

    assert flow.state == "finished"


async def test_the_reply_never_comes(phone):
    flow = await phone.opened(succeeds())

    await flow.submit(ORDER, reply=False)

    assert (flow.state, flow.reply) == ("finished", None)
    assert phone.replies() == []


async def test_the_reply_of_an_iphone(phone):
    flow = await phone.opened(succeeds(line="9"))

    await flow.submit(ORDER, omit_token=True)

    response = json.loads(phone.replies()[0]["interactive"]["nfm_reply"]["response_json"])
    assert response == flow.reply["response"] == {"line": "9"}


async def test_a_finished_flow_can_be_opened_again(phone):
    flow = await phone.opened(succeeds(), shows("SIZE", **SIZE_DATA))
    await flow.submit(ORDER)

    await flow.open()

    assert (flow.state, flow.screen["id"]) == ("open", "SIZE")
    assert values(flow)["quantity"] == ""


async def test_close(phone):
    flow = await phone.opened()

    await flow.close()

    assert (flow.state, flow.screen, flow.reply) == ("closed", None, None)
    assert phone.replies() == []
    assert len(phone.endpoint.raws) == 1
    with pytest.raises(NotPossible, match="it is closed"):
        await flow.submit(ORDER)


async def test_a_flow_without_an_endpoint(phone):
    flow = await phone.navigated(COURSES, **COURSES_DATA)
    await flow.submit({"name": "Ana", "course": "yoga", "time": "10"})

    assert flow.screen["id"] == "CONFIRM"
    assert [one["text"] for one in flow.screen["components"] if "text" in one] == [
        "Ana takes yoga",
        "At 10",
    ]
    with pytest.raises(NotPossible, match="'Continue' is disabled"):
        await flow.submit()
    await flow.submit({"sure": True})

    assert (flow.state, flow.status) == ("finished", None)
    response = {"flow_token": TOKEN, "name": "Ana", "time": "10", "sure": True}
    assert flow.reply["response"] == response
    assert phone.endpoint.raws == []


async def test_update_data(phone):
    flow = await phone.navigated(COURSES, **COURSES_DATA)
    assert "time" not in values(flow)

    await flow.select("course", "Yoga")
    assert values(flow) == {"name": "", "course": "yoga", "time": ""}
    await flow.select("time", "9")
    await flow.select("course", "judo")
    # Nine o'clock is no time for judo.
    assert values(flow)["time"] == ""
    await flow.select("time", "10")
    await flow.select("course", "yoga")
    assert values(flow)["time"] == "10"
    await flow.select("course", "")
    assert "time" not in values(flow)
    assert phone.endpoint.raws == []


async def test_update_data_that_is_not_as_declared(phone):
    data = deepcopy(COURSES_DATA)
    data["courses"][0]["on-select-action"]["payload"]["has_times"] = "yes"
    flow = await phone.navigated(COURSES, **data)

    await flow.select("course", "yoga")

    assert flow.state == "failed"
    assert "data.has_times must be of type boolean" in flow.error["message"]


async def test_what_a_choice_makes_appear_must_be_right(phone):
    hidden = {"type": "TextHeading", "text": "${data.text}", "visible": "${form.more}"}
    document = lonely(
        {"type": "OptIn", "name": "more", "label": "More"},
        hidden,
        data={"text": {"type": "string", "__example__": "x"}},
    )
    flow = await phone.navigated(document, text="x" * 81)
    assert flow.state == "open"

    await flow.select("more", True)

    assert (flow.state, flow.error["key"]) == ("failed", "payload-schema-error")
    assert "at most 80 characters" in flow.error["message"]


async def test_open_url(phone):
    flow = await phone.navigated(COURSES, **COURSES_DATA)

    await flow.submit(component="Our terms")
    assert (flow.state, flow.url) == ("open", "https://example.com/terms")
    await flow.select("name", "Ana")
    assert flow.url is None


async def test_on_select_asks_the_endpoint(phone):
    document = deepcopy(PIZZA)
    radio = document["screens"][0]["layout"]["children"][1]
    radio["on-select-action"] = exchange(event="size", size="${form.size}")
    again = shows("SIZE", **SIZE_DATA | {"product_name": "Large Margherita"})
    flow = await phone.opened(again, EXTRAS, document=document)

    await flow.submit({"size": "large", "quantity": 2})

    assert flow.screen["id"] == "EXTRAS"
    assert [one["data"]["event"] for one in phone.endpoint.requests[1:]] == ["size", "submit"]
    assert phone.endpoint.requests[1]["data"] == {"event": "size", "size": "large"}


async def test_what_is_chosen_already_asks_nobody(phone):
    document = deepcopy(PIZZA)
    document["screens"][0]["layout"]["children"][1]["on-select-action"] = exchange(event="size")
    flow = await phone.opened(EXTRAS, document=document)

    await flow.submit({"size": "small", "quantity": 2})

    assert len(phone.endpoint.requests) == 2


async def test_a_choice_that_fails_presses_nothing(phone):
    document = deepcopy(PIZZA)
    document["screens"][0]["layout"]["children"][1]["on-select-action"] = exchange(event="size")
    flow = await phone.opened(shows("PASTA"), document=document)

    await flow.submit({"size": "large", "quantity": 2})

    assert (flow.state, len(phone.endpoint.requests)) == ("failed", 2)
    assert values(flow)["quantity"] == ""


async def test_a_choice_may_end_the_flow(phone):
    document = deepcopy(PIZZA)
    document["screens"][0]["layout"]["children"][1]["on-select-action"] = exchange(event="size")
    flow = await phone.opened(succeeds(), document=document)

    await flow.submit({"size": "large", "quantity": 2})

    assert (flow.state, flow.reply["status"]) == ("finished", 200)
    assert len(phone.replies()) == 1


async def test_a_choice_of_one_thing_may_end_the_flow(phone):
    document = deepcopy(PIZZA)
    document["screens"][0]["layout"]["children"][1]["on-select-action"] = exchange(event="size")
    flow = await phone.opened(succeeds(), document=document)

    await flow.select("size", "large")

    assert flow.state == "finished"
    assert len(phone.replies()) == 1


async def test_navigate_wants_what_the_next_screen_declares(phone):
    document = deepcopy(COURSES)
    document["screens"][0]["layout"]["children"][-1] = footer(navigate("CONFIRM", name="Ana"))
    flow = await phone.navigated(document, **COURSES_DATA)

    await flow.submit({"name": "Ana"})

    assert (flow.state, flow.screen["id"]) == ("failed", "WHO")
    assert flow.error["message"] == "CONFIRM: data.course is missing"


async def test_opening_with_data_that_is_not_as_declared(phone):
    flow = await phone.navigated(COURSES, **COURSES_DATA | {"times": "9"})

    assert (flow.state, flow.screen) == ("failed", None)
    assert flow.error["key"] == "payload-schema-error"


async def test_the_entry_screen_is_the_first_one(phone):
    phone.publish(lonely({"type": "TextBody", "text": "Hi"}))
    await phone.offer(flow_action=None)

    flow = await phone.customer().open_flow()

    assert (flow.state, flow.screen["id"]) == ("open", "ONLY")


async def test_complete_is_for_terminal_screens(phone):
    document = {"version": "7.3", "screens": [screen("ONLY", footer(complete()))]}
    flow = await phone.navigated(document)

    await flow.submit()

    assert (flow.state, flow.error["key"]) == ("failed", "invalid-action")
    assert phone.replies() == []


async def test_an_expression_that_cannot_be_computed(phone):
    document = lonely({"type": "TextInput", "name": "age", "label": "Age"})
    document["screens"][0]["layout"]["children"][-1] = footer(complete(next="`${form.age} + 1`"))
    flow = await phone.navigated(document)

    await flow.submit({"age": "young"})
    assert (flow.state, flow.error["key"]) == ("failed", "invalid-expression")
    await flow.submit({"age": "18"})

    assert flow.reply["response"]["next"] == 19


async def test_a_title_may_be_bound(phone):
    document = lonely(
        title="`'For ' ${data.name}`", data={"name": {"type": "string", "__example__": "Ana"}}
    )

    flow = await phone.navigated(document, name="Bob")

    assert flow.screen["title"] == "For Bob"


async def test_an_input_that_appears_has_its_initial_value(phone):
    note = {
        "type": "TextArea",
        "name": "note",
        "label": "Note",
        "init-value": "none",
        "visible": "${form.more}",
    }
    document = lonely({"type": "OptIn", "name": "more", "label": "More"}, note)
    document["screens"][0]["layout"]["children"][-1] = footer(complete(note="${form.note}"))
    flow = await phone.navigated(document)
    assert "note" not in values(flow)

    await flow.select("more", True)
    assert values(flow) == {"more": True, "note": "none"}
    await flow.select("note", "mine")
    await flow.select("more", False)
    await flow.select("more", True)
    assert values(flow)["note"] == "mine"
    await flow.submit()

    assert flow.reply["response"]["note"] == "mine"
