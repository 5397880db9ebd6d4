"""What is to be compared with Meta's catalogue soon."""

from tests.unit.actions.shop import a_turn, done


def test_a_product_is_noted_once_and_in_order():
    turn = a_turn()
    for rid in ("prod:coke", "prod:caprese", "prod:coke"):
        done(turn, "meta.sync_product", product=rid)
    assert turn.sync_products == ["prod:coke", "prod:caprese"]
    assert (turn.memory, turn.cart.count) == ({}, 0)


def test_a_product_that_is_gone_is_a_change_too():
    turn = a_turn(changes={"prod:coke": None})
    done(turn, "meta.sync_product", product="prod:coke")
    done(turn, "meta.sync_product", product="prod:never-was")
    assert turn.sync_products == ["prod:coke", "prod:never-was"]
