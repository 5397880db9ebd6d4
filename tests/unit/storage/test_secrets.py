"""Sealing of access tokens and keys."""

import pytest

from engine.errors import EngineError, SettingsError
from engine.storage.secrets import Vault


def test_a_sealed_text_opens_with_the_same_secret_only():
    sealed = Vault("one").seal("EAAG-token")
    assert sealed.startswith("v1:")
    assert "EAAG" not in sealed
    assert Vault("one").open(sealed) == "EAAG-token"
    with pytest.raises(EngineError, match="another ENCRYPTION_SECRET") as caught:
        Vault("two").open(sealed)
    assert "EAAG" not in str(caught.value)
    assert sealed not in str(caught.value)


def test_what_was_sealed_before_there_were_keys_still_opens():
    sealed = (
        "v1:gAAAAABrA8l7G7C7tZMdWn-fRGu48if4tuVfVpwJbZ-wYqN7NCkwTY5bk4tCzQcwcH_"
        "SYMFWohYQMNDsvJK1nQROjdF12PyyKg=="
    )
    assert Vault("one").open(sealed) == "EAAG-token"


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
