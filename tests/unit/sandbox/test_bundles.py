from random import Random

from engine.sandbox.bundles import bundled


def body(kind, n, **more):
    value = {"metadata": {"phone_number_id": "1"}, kind: [{"id": f"{kind}{n}"}], **more}
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "9", "changes": [change]}]}


def bodies(count=40):
    return [
        body(
            ("messages", "statuses")[n % 3 == 0],
            n,
            contacts=[{"wa_id": str(n % 5)}],
        )
        for n in range(count)
    ]


def updates(bundle):
    return [
        (one["id"], {contact["wa_id"] for contact in change["value"]["contacts"]})
        for entry in bundle["entry"]
        for change in entry["changes"]
        for kind in ("messages", "statuses")
        for one in change["value"].get(kind, [])
    ]


def test_one_is_left_as_it_is():
    (one,) = bodies(1)

    assert bundled([one], Random(1)) is one


def test_each_update_is_there_once_and_with_its_contact():
    together = bundled(bodies(), Random(1))

    assert together["object"] == "whatsapp_business_account"
    wanted = [(updates(one)[0][0], str(n % 5)) for n, one in enumerate(bodies())]
    found = updates(together)
    assert [name for name, _ in found] == [name for name, _ in wanted]
    for (_, contacts), (_, contact) in zip(found, wanted, strict=True):
        assert contact in contacts


def test_all_forms_occur():
    entries = bundled(bodies(), Random(1))["entry"]

    assert len(entries) > 1
    assert max(len(entry["changes"]) for entry in entries) > 1
    values = [change["value"] for entry in entries for change in entry["changes"]]
    assert max(len(value.get("messages", [])) for value in values) > 1
    assert not any("messages" in value and "statuses" in value for value in values)


def test_what_is_put_together_is_not_changed():
    given = bodies()
    bundled(given, Random(1))

    assert given == bodies()


def test_an_update_without_contacts_joins_others():
    given = [body("messages", n) for n in range(12)]
    found = [
        one["id"]
        for entry in bundled(given, Random(1))["entry"]
        for change in entry["changes"]
        for one in change["value"]["messages"]
    ]

    assert found == [f"messages{n}" for n in range(12)]
