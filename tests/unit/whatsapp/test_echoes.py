"""What staff types on the business phone: read tolerantly, as its shape is from memory."""

import pytest

from engine.whatsapp.echoes import Echo, read_echoes

META = {"metadata": {"phone_number_id": "101"}}
ECHO = {"from": "1", "to": "+12125550100", "id": "wamid.e", "timestamp": "1749416383"}
READ = Echo("wamid.e", "101", "12125550100", None, 1749416383)


def test_an_echo_is_read():
    assert list(read_echoes({**META, "message_echoes": [ECHO]})) == [READ]


def test_who_has_a_user_id_is_known_by_it():
    contacts = [{"wa_id": "12125550100", "user_id": "US.1"}]
    (echo,) = read_echoes({**META, "contacts": contacts, "message_echoes": [ECHO]})
    assert (echo.to, echo.user_id) == ("12125550100", "US.1")
    bare = {"id": "wamid.e", "to_user_id": "US.2"}
    (echo,) = read_echoes({**META, "message_echoes": [bare]})
    assert (echo.to, echo.user_id, echo.timestamp) == (None, "US.2", 0)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"message_echoes": [ECHO]},
        {**META, "message_echoes": None},
        {**META, "message_echoes": {"id": "x"}},
        {**META, "message_echoes": [None, 1, "x", {}]},
        {**META, "message_echoes": [{**ECHO, "to": {"$gt": ""}}]},
        {**META, "message_echoes": [{**ECHO, "id": 5 * [1]}]},
        {"metadata": [], "message_echoes": [ECHO]},
    ],
)
def test_what_cannot_be_attributed_is_left_out(value):
    assert list(read_echoes(value)) == []
