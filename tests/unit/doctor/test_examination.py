"""How checks are run: together, in time, and without a traceback, whatever they do."""

import asyncio
from types import SimpleNamespace

import pytest

from engine.clock import SystemClock
from engine.doctor.examination import Examination, counts
from engine.doctor.findings import Finding, counted, failed, ok, some, warning, worst
from engine.doctor.patient import Installation, Means, Once, Patient
from engine.doctor.registry import Registry, merged
from engine.domain.ids import TenantId
from engine.errors import EngineError, GraphRetryable
from engine.settings import read_settings

SECRET = "the secret of the app"


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def installation():
    means = Means(
        settings=read_settings(meta_app_secret=SECRET),
        bundles={},
        database=SimpleNamespace(),  # type: ignore[arg-type]
        graph=SimpleNamespace(),  # type: ignore[arg-type]
        http=SimpleNamespace(),  # type: ignore[arg-type]
        clock=SystemClock(),
        default_key=None,
    )
    return Installation(means)


def check(registry, code, answer, *, needs=(), mend=None, subject=Installation):
    """Register a check that gives an answer, or raises it."""

    async def look(_):
        """Is it well?"""
        if isinstance(answer, BaseException):
            raise answer
        return await answer() if callable(answer) else answer

    look.__annotations__["_"] = subject
    registry.check(code, code, remedy=f"mend {code} of {{tenant}}", needs=needs, mend=mend)(look)


async def run(registry, installation, *tenants, **more):
    patients = [Patient(installation, TenantId(each)) for each in tenants]
    results = await Examination(registry, installation, patients, **more).run()
    return {(result.tenant, result.code): result for result in results}


async def test_a_check_that_raises_has_failed_with_a_sentence(registry, installation):
    check(registry, "a.engine", EngineError("it is\nnot there"))
    check(registry, "a.graph", GraphRetryable("later"))
    check(registry, "a.bug", KeyError("a customer's name"))
    found = await run(registry, installation)
    assert {key[1]: (each.verdict, each.reason) for key, each in found.items()} == {
        "a.engine": ("failed", "it is not there"),
        "a.graph": ("failed", "Meta does not do it now (later); try again later"),
        "a.bug": ("failed", "the check itself broke (KeyError); please report it"),
    }


async def test_a_check_that_hangs_has_failed(registry, installation):
    check(registry, "a.slow", asyncio.Event().wait)
    check(registry, "a.fast", ok("it is well"))
    found = await run(registry, installation, seconds=0.05)
    assert found[None, "a.slow"].reason == "it took longer than 0 seconds"
    assert found[None, "a.fast"].verdict == "ok"


async def test_checks_run_together(registry, installation):
    meeting = asyncio.Barrier(3)

    async def meet():
        await meeting.wait()
        return ok("met")

    for name in "abc":
        check(registry, f"a.{name}", meet)
    found = await run(registry, installation, seconds=5.0)
    assert {each.verdict for each in found.values()} == {"ok"}


async def test_what_cannot_be_asked_is_skipped_and_says_why(registry, installation):
    check(registry, "a.first", failed("no"))
    check(registry, "a.doubtful", warning("hm"))
    check(registry, "b.second", ok("yes"), needs=("a.first",), subject=Patient)
    check(registry, "b.third", ok("yes"), needs=("b.second",), subject=Patient)
    check(registry, "b.other", ok("yes"), needs=("a.doubtful",), subject=Patient)
    found = await run(registry, installation, "shop")
    assert list(found) == [
        (None, "a.first"), (None, "a.doubtful"),
        ("shop", "b.second"), ("shop", "b.third"), ("shop", "b.other"),
    ]  # fmt: skip
    for code in ("b.second", "b.third"):
        assert found["shop", code].verdict == "skipped"
        assert found["shop", code].reason == "not asked: a.first failed"
        assert found["shop", code].remedy == ""
    assert found["shop", "b.other"].verdict == "ok"
    assert counts(found.values()) == {"ok": 1, "warning": 1, "failed": 1, "skipped": 2}


async def test_one_tenants_failure_is_not_anothers(registry, installation):
    async def look(patient: Patient) -> Finding:
        """Is it well?"""
        return failed("no") if patient.tenant == "shop" else ok("yes")

    registry.check("a.first", "first", remedy="mend {tenant}")(look)
    check(registry, "a.second", ok("yes"), needs=("a.first",), subject=Patient)
    found = await run(registry, installation, "shop", "other")
    assert found["shop", "a.second"].verdict == "skipped"
    assert found["shop", "a.first"].remedy == "mend shop"
    assert found["other", "a.second"].verdict == "ok"


async def test_secrets_are_left_out(registry, installation):
    async def look(patient: Patient) -> Finding:
        """Is it well?"""
        patient._token = "the tenant's token"
        return failed(f"Malformed token the tenant's token, {SECRET}", f"use {SECRET}")

    registry.check("a.told", "told", remedy="-")(look)
    found = (await run(registry, installation, "shop"))["shop", "a.told"]
    assert (found.reason, found.remedy) == ("Malformed token ***, ***", "use ***")


async def test_mending_goes_on_in_order_and_asks_again(registry, installation):
    done: list[str] = []

    async def look():
        return ok("it is well") if done else failed("no")

    async def mend(_):
        done.append("mended")
        return "did it"

    check(registry, "a.first", look, mend=mend)
    check(registry, "a.second", ok("yes"), needs=("a.first",))
    results = await Examination(registry, installation, []).mend()
    assert [(each.verdict, each.mended) for each in results] == [("ok", "did it"), ("ok", "")]


async def test_what_is_asked_once_is_asked_once():
    asked = []

    async def ask():
        asked.append(1)
        await asyncio.sleep(0)
        return len(asked)

    once = Once(ask)
    assert list(await asyncio.gather(once(), once())) == [1, 1]
    once.forget()
    assert await once() == 2


def test_a_registry_refuses_what_is_no_question_and_what_is_there_twice(registry):
    async def told(_: Installation) -> Finding:
        """Look whether it is well."""
        return ok("")

    with pytest.raises(ValueError, match="must ask a question"):
        registry.check("a.b", "b", remedy="-")(told)
    check(registry, "a.b", ok("yes"))
    with pytest.raises(ValueError, match="registered twice"):
        check(registry, "a.b", ok("yes"))


@pytest.mark.parametrize("subject", [Installation, Patient])
def test_a_check_comes_after_what_it_needs(registry, subject):
    check(registry, "b.of_tenant", ok("yes"), subject=Patient)
    later = Registry()
    check(later, "a.b", ok("yes"), needs=("b.of_tenant",), subject=subject)
    with pytest.raises(ValueError, match="which is not asked before"):
        merged([later, registry])
    if subject is Patient:
        assert len(list(merged([registry, later]))) == 2
    else:
        with pytest.raises(ValueError, match="not asked before"):
            merged([registry, later])


def test_findings():
    assert worst([], well="all") == ok("all")
    both = [warning("a", "mend a"), ok("-"), failed("b", "mend b")]
    assert worst(both, well="all") == failed("a; b", "mend b")
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert [counted(n, "category") for n in (0, 1, 2)] == [
        "0 categories", "1 category", "2 categories",
    ]  # fmt: skip
