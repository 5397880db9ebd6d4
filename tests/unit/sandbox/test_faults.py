from engine.sandbox.faults import Fault, Faults
from tests.unit.sandbox.scene import ANA


def test_a_fault_meets_only_the_sends_it_is_for_and_only_so_often():
    faults = Faults([Fault("refuse", times=2, phone_number_id="1", to=f"+{ANA}")])

    assert faults.take("2", ANA) is None
    assert faults.take("1", "999") is None
    assert faults.take("1", ANA) is not None
    assert faults.take("1", ANA) is not None
    assert faults.take("1", ANA) is None


def test_of_several_the_oldest_that_meets_goes_first():
    faults = Faults([Fault("refuse", code=1, to="2", times=2), Fault("refuse", code=2)])
    faults.arm(Fault("refuse", code=3, phone_number_id="1", to="2"))
    faults.arm(Fault("refuse", code=4, phone_number_id="1"))

    other = faults.take("9", "8")
    assert other is not None
    assert other.code == 2
    codes = [fault.code for _ in range(4) if (fault := faults.take("1", "2")) is not None]
    assert codes == [1, 1, 3, 4]
    assert faults.take("1", "2") is None
