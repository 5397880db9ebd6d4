"""Whose request it is: a proxy that is trusted may say so, nobody else."""

from ipaddress import ip_network

import pytest

from engine.errors import SettingsError
from engine.settings import read_settings
from engine.web.clients import Clients

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def scope(client, *forwarded):
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"type": "http", "client": client and (client, 1), "headers": headers}


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        # Whoever is no proxy of ours may say what he likes.
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        # What stands before the last stranger, the stranger has made up.
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1", "10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["1.1.1.1," + "10.0.0.2," * 5000 + "10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["\xff\x00, 9"], "10.0.0.1"),
        ("fd00::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", [], "2001:db8:1:2::/64"),
        ("testclient", [], "testclient"),
        (None, ["1.2.3.4"], ""),
    ],
)
def test_the_address_of_a_client(client, forwarded, address):
    assert Clients(PROXIES).address(scope(client, *forwarded)) == address


def test_without_proxies_nobody_is_believed():
    assert Clients().address(scope("10.0.0.1", "198.51.100.1")) == "10.0.0.1"


def test_the_setting_names_networks():
    settings = read_settings(trusted_proxies="10.0.0.0/8, 127.0.0.1 ::1")
    assert [str(each) for each in settings.proxies()] == ["10.0.0.0/8", "127.0.0.1/32", "::1/128"]
    assert read_settings().proxies() == ()


@pytest.mark.parametrize("said", ["10.0.0.0/99", "proxy", "10.0.0.1;10.0.0.2"])
def test_what_is_no_network_is_told(said):
    with pytest.raises(SettingsError, match=r"^TRUSTED_PROXIES: .* is no address and no network"):
        read_settings(trusted_proxies=said)
