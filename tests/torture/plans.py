"""The scenarios, and the weather they happen in."""

from tests.torture.scenario import Plan


def processes_killed(customers: int, kills: int, *, seed: int) -> Plan:
    """A web or worker process is killed every second."""
    return Plan(
        "processes killed, one every second", customers, seed, bad_weather(seed), kills=kills,
        last_orders=0,
    )  # fmt: skip


def database_killed(customers: int, kills: int, *, seed: int) -> Plan:
    """The database is killed again and again."""
    return Plan(
        "the database killed again and again", customers, seed, bad_weather(seed),
        database_kills=kills,
    )  # fmt: skip


def brief(*, seed: int) -> Plan:
    """Both at once, for the suite."""
    return Plan(
        "processes and database killed", 40, seed, bad_weather(seed), kills=15,
        database_kills=2, database_every=5, last_orders=0, pause=1,
    )  # fmt: skip


def rolled_out(*, seed: int) -> Plan:
    """Every process is restarted in order, as for a new version, while customers order."""
    patient = {"seed": seed, "copies": 1, "order": "messages", "repeat_for": 120.0}
    return Plan(
        "every process restarted in order, one after another", 24, seed, {"mail": patient},
        rounds=1, has_proxy=True, pause=1,
    )  # fmt: skip


def bad_weather(seed: int) -> dict[str, dict[str, object]]:
    """Give what goes wrong at Meta: all of it, often enough to meet everybody."""
    return {
        "weather": {
            "seed": seed, "delay": 0.2, "longest_delay": 1.5, "throttled": 0.02, "pair": 0.02,
            "error": 0.03, "gateway": 0.02, "cut_before": 0.02, "cut_after": 0.02, "streak": 3,
        },
        "mail": {
            "seed": seed, "copies": 2, "order": "messages", "longest_delay": 0.5, "batch": 20,
            "batch_wait": 0.05, "repeat_for": 120.0,
        },
        "limits": {"pair_interval": 6.0, "pair_burst": 45, "throughput": 80},
        "media_delay": {"seconds": 0.5},
    }  # fmt: skip
