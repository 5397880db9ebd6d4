from dataclasses import replace

from engine.sandbox.flow_state import Flow
from engine.sandbox.state import Fault, World, default_user_id, digits
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


def test_a_fault_meets_only_the_sends_it_is_for_and_only_so_often():
    world = World(faults=[Fault("refuse", times=2, phone_number_id="1", to=f"+{ANA}")])

    assert world.take_fault("2", ANA) is None
    assert world.take_fault("1", "999") is None
    assert world.take_fault("1", ANA) is not None
    assert world.take_fault("1", ANA) is not None
    assert world.take_fault("1", ANA) is None


def test_reset_goes_back_to_the_start():
    world = World([SHOP], [Fault("drop")])
    world.phones.clear()
    world.take_fault(SHOP.phone_number_id, ANA)
    world.person(ANA)

    world.reset()

    assert world.phones == {SHOP.phone_number_id: SHOP}
    assert world.faults == [Fault("drop")]
    assert world.people == {}


async def test_wait_until_ends_when_the_time_is_over():
    await World().wait_until(lambda: False, seconds=0.01)
