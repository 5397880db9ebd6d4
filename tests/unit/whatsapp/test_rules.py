"""The rules that no one kind of message owns: web addresses."""

import pytest

from engine.whatsapp.outbound import ImageMessage
from engine.whatsapp.rules import InvalidMessage
from tests.unit.whatsapp.messages import link


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/pizza",
        "ftp://shop.example",
        "javascript:alert(1)",
        "https://",
        "https:///pizza",
        "https://[::1",
        "https://shop.example:99999/",
        "https://shop.example:0/",
        "https://shop.example/a b",
        "https://shop.example/a\nb",
        " https://shop.example",
        "https://shop.example/\ud800",
    ],
)
def test_bad_url(url):
    with pytest.raises(InvalidMessage):
        link(url=url)
    with pytest.raises(InvalidMessage):
        ImageMessage(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/x", "HTTPS://shop.example", "https://shop.example/ñ?a=1#b"]
)
def test_good_url(url):
    assert link(url=url).url == url
