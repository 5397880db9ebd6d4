"""Sealing of access tokens and keys."""

import re

import pytest

from engine.errors import EngineError, SettingsError
from engine.settings import read_settings
from engine.storage.secrets import Vault, is_sealed

OLDEST = (
    "v1:gAAAAABrA8l7G7C7tZMdWn-fRGu48if4tuVfVpwJbZ-wYqN7NCkwTY5bk4tCzQcwcH_"
    "SYMFWohYQMNDsvJK1nQROjdF12PyyKg=="
)
"""`EAAG-token` as it was sealed with `one` before keys had names."""
KEY_OF_ONE = "48626ef7"


def test_a_sealed_text_opens_with_the_same_secret_only():
    sealed = Vault("one").seal("EAAG-token")
    assert re.fullmatch(rf"v2:{KEY_OF_ONE}:[\w=-]+", sealed)
    assert "EAAG" not in sealed
    assert Vault("one").open(sealed) == "EAAG-token"
    with pytest.raises(EngineError, match="another ENCRYPTION_SECRET") as caught:
        Vault("two").open(sealed)
    assert "EAAG" not in str(caught.value)
    assert sealed not in str(caught.value)


def test_what_was_sealed_before_there_were_keys_still_opens():
    assert Vault("one").open(OLDEST) == "EAAG-token"


def test_the_same_text_looks_different_every_time():
    vault = Vault("one")
    assert vault.seal("token") != vault.seal("token")


def test_a_text_that_was_never_sealed_is_refused_without_being_quoted():
    with pytest.raises(EngineError, match="not sealed") as caught:
        Vault("one").open("EAAG-token")
    assert "EAAG" not in str(caught.value)


def test_a_damaged_text_is_refused():
    sealed = Vault("one").seal("token")
    with pytest.raises(EngineError, match="cannot be opened"):
        Vault("one").open(sealed[:-6] + "AAAAA=")


def test_an_empty_secret_is_refused():
    with pytest.raises(SettingsError, match="ENCRYPTION_SECRET"):
        Vault("")
    with pytest.raises(SettingsError, match="ENCRYPTION_SECRET"):
        Vault("", "one")


@pytest.mark.parametrize("previous", [("one",), ("zero", "one"), ("one", "zero"), ("two", "one")])
@pytest.mark.parametrize("sealed", [OLDEST, Vault("one").seal("EAAG-token")])
def test_a_previous_secret_opens_and_never_seals(previous, sealed):
    vault = Vault("two", *previous)
    assert vault.open(sealed) == "EAAG-token"
    assert Vault("two").open(vault.seal("token")) == "token"


@pytest.mark.parametrize("previous", [(), ("",), ("one",), ("", "one", "one")])
def test_no_previous_secret_or_the_same_one_changes_nothing(previous):
    vault = Vault("one", *previous)
    sealed = vault.seal("token")
    assert vault.is_current(sealed)
    assert Vault("one").open(sealed) == "token"
    with pytest.raises(EngineError, match="another ENCRYPTION_SECRET"):
        vault.open(Vault("two").seal("token"))


def test_only_what_the_first_secret_seals_in_the_newest_form_is_current():
    vault = Vault("two", "one")
    sealed = vault.seal("token")
    assert vault.is_current(sealed)
    assert not Vault("one", "two").is_current(sealed)
    assert not Vault("one").is_current(OLDEST)
    assert not vault.is_current("token")
    assert not vault.is_current(sealed[:-6] + "AAAAA=")
    # It says that it is ours, and is another's.
    assert not vault.is_current(sealed[:12] + Vault("one").seal("token")[12:])


@pytest.mark.parametrize(
    ("sealed", "reason"),
    [
        (OLDEST[:-6] + "AAAAA=", "it was sealed with another ENCRYPTION_SECRET"),
        ("v1:", "it is damaged"),
        ("v1:x", "it was sealed with another ENCRYPTION_SECRET"),
        ("v1:é", "it is damaged"),
        ("v1:=", "it was sealed with another ENCRYPTION_SECRET"),
        (OLDEST + "\n", "it is damaged"),
        ("v2:", "it is damaged"),
        (f"v2:{KEY_OF_ONE}", "it is damaged"),
        (f"v2:{KEY_OF_ONE}:", "it is damaged"),
        (f"v2:{KEY_OF_ONE}:é", "it is damaged"),
        (f"v2:{KEY_OF_ONE}:{'A' * 5}", "it is damaged"),
        (f"v2:{KEY_OF_ONE.upper()}:AAAA", "it is damaged"),
        (f"v2:{KEY_OF_ONE}:{OLDEST[3:-6]}AAAAA=", "it is damaged"),
        ("v2:00000000:AAAA", "it was sealed with another ENCRYPTION_SECRET"),
        (OLDEST.replace("v1:", "v2:"), "it is damaged"),
        (OLDEST.replace("v1:", "v3:"), "a newer version sealed it"),
        ("v12:x", "a newer version sealed it"),
    ],
)
def test_what_says_it_is_sealed_and_cannot_be_opened_is_no_plain_text(sealed, reason):
    vault = Vault("one", "two")
    assert is_sealed(sealed)
    assert not vault.is_current(sealed)
    with pytest.raises(EngineError, match="cannot be opened") as caught:
        vault.open(sealed)
    assert reason in str(caught.value)


@pytest.mark.parametrize("plain", ["EAAG-token", "", "v", "v1", " v1:x", "V1:x", "1:x", "v:x"])
def test_what_does_not_say_it_is_sealed_is_plain(plain):
    assert not is_sealed(plain)
    with pytest.raises(EngineError, match=r"not sealed.*--seal-plain"):
        Vault("one").open(plain)


def test_keys_of_one_name_are_told_apart():
    old, new = Vault("s83283"), Vault("s127468")
    sealed, both = old.seal("token"), Vault("s127468", "s83283")
    assert sealed[:12] == new.seal("token")[:12] == "v2:daa974d4:"
    assert both.open(sealed) == "token"
    assert not both.is_current(sealed)


@pytest.mark.parametrize(
    ("previous", "others"),
    [
        ("", ()),
        (" , \n", ()),
        ("one", ("one",)),
        ("new", ("new",)),
        ("one,two", ("one,two", "one", "two")),
        (" one  two\tthree, one ", (" one  two\tthree, one ", "one", "two", "three")),
    ],
)
def test_the_secrets_of_the_environment(previous, others):
    settings = read_settings(encryption_secret="new", encryption_secret_previous=previous)
    assert settings.encryption_secrets() == ("new", *others)
    assert "two" not in repr(settings)
    Vault(*settings.encryption_secrets())


def test_a_previous_secret_that_holds_a_comma_is_read():
    settings = read_settings(encryption_secret="new", encryption_secret_previous="a, b c")
    assert Vault(*settings.encryption_secrets()).open(Vault("a, b c").seal("token")) == "token"
