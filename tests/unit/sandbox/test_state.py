from dataclasses import replace

from engine.sandbox.faults import Fault
from engine.sandbox.flow_state import Flow
from engine.sandbox.phones import digits
from engine.sandbox.state import World, default_user_id
from tests.unit.sandbox.scene import ANA, SHOP


def test_digits():
    assert digits("+54 9 11 2222-3333") == ANA


def test_default_user_id_is_always_the_same():
    assert default_user_id(ANA) == default_user_id(ANA)
    assert default_user_id(ANA) != default_user_id("1")
    assert default_user_id(ANA).startswith("US.")
    assert default_user_id(ANA)[3:].isdigit()


def test_people_are_found_by_phone_and_user_id():
    world = World()
    ana = world.person(f"+{ANA}")

    assert world.person(ANA) is ana
    assert world.person_with(ana.user_id) is ana
    assert world.person_with("US.1") is None


def test_an_accounts_numbers_and_flows():
    second = replace(SHOP, phone_number_id="207")
    world = World([SHOP, replace(SHOP, phone_number_id="208", waba_id="1"), second])
    for waba_id in (SHOP.waba_id, "1", SHOP.waba_id):
        flow = Flow(world.new_flow_id(), waba_id, "name", ["OTHER"])
        world.flows[flow.id] = flow

    assert world.numbers_of(SHOP.waba_id) == [SHOP, second]
    assert world.numbers_of("2") == []
    assert [flow.id[-1] for flow in world.flows_of(SHOP.waba_id)] == ["1", "3"]


def test_a_flow_becomes_what_it_is_said_to():
    flow = Flow("1", "2", "name", ["OTHER"], document={"version": "7.3"})

    assert flow.become("PUBLISHED") == "DRAFT"
    assert flow.published == {"version": "7.3"}
    flow.sent, flow.document = 3, {}
    assert flow.become("THROTTLED") == "PUBLISHED"
    assert (flow.sent, flow.published) == (0, {"version": "7.3"})


def test_reset_goes_back_to_the_start():
    world = World([SHOP], [Fault("drop")])
    world.phones.clear()
    world.faults.take(SHOP.phone_number_id, ANA)
    world.person(ANA)

    world.reset()

    assert world.phones == {SHOP.phone_number_id: SHOP}
    assert world.faults.take(SHOP.phone_number_id, ANA) == Fault("drop")
    assert world.people == {}


def test_a_user_id_names_who_has_it_now():
    world = World()
    ana, bob = world.person(ANA), world.person("2")
    old = ana.user_id

    world.identify(ana, "US.1")
    assert world.person_with("US.1") is ana
    assert world.person_with(old) is None

    world.identify(bob, "US.1")
    world.identify(ana, "US.2")
    assert world.person_with("US.1") is bob
    assert world.person_with("US.2") is ana
