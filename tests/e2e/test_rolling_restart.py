"""A new version is rolled out while customers order: nobody notices, and nothing is done twice.

Two web processes behind the proxy of engine/operations and three workers are told to end and
replaced, one after another.
"""

from tests.torture.ledger import ledger
from tests.torture.plans import rolled_out
from tests.torture.scenario import play


async def test_every_process_may_be_restarted_while_customers_order(tmp_path):
    facts = await play(rolled_out(seed=7), tmp_path)
    drawn = ledger(facts)
    print(drawn, facts.mail)
    logs = tmp_path / "logs"
    assert drawn.is_clean, f"\n{drawn}\nlogs: {logs}"
    restarted = [life for life in facts.lives if life.told_to_end]
    assert len(restarted) == 10
    took = [(life.ended or 0) - (life.told_at or 0) for life in restarted]
    print(f"SIGTERM to the end: {sorted(round(each, 1) for each in took)} s")
    # Nobody was killed, so that nothing is in doubt: each message went out exactly once.
    sent = [each["opaque"] for each in facts.sends if each["opaque"]]
    assert len(sent) == len(set(sent)) > 0
    # Meta does not have to repeat webhooks: while one process ends, the proxy asks the other. (A
    # few, as it does not wait for ever, and this machine may be busy with other tests.)
    repeated = facts.mail["attempts"] - facts.mail["posts"]
    assert repeated <= facts.mail["posts"] // 100
    assert not [text for log in logs.iterdir() if "Traceback" in (text := log.read_text())]
