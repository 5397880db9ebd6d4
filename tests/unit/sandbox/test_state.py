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
