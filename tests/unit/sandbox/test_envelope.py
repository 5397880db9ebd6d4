from engine.sandbox.envelope import (
    Complaint,
    GraphRefusal,
    error_envelope,
    status_error,
    usual_status,
)


def test_envelope_has_code_title_and_details():
    complaint = Complaint(131009, "Param text.body must not be empty")

    assert error_envelope(complaint, trace="t1") == {
        "error": {
            "message": "(#131009) Parameter value is not valid",
            "type": "OAuthException",
            "code": 131009,
            "error_data": {
                "messaging_product": "whatsapp",
                "details": "Param text.body must not be empty",
            },
            "fbtrace_id": "t1",
        }
    }


def test_envelope_of_a_missing_object():
    complaint = Complaint(100, message="Unsupported post request.", subcode=33)

    assert error_envelope(complaint, trace="t1") == {
        "error": {
            "message": "Unsupported post request.",
            "type": "GraphMethodException",
            "code": 100,
            "error_subcode": 33,
            "fbtrace_id": "t1",
        }
    }


def test_envelope_for_people():
    complaint = Complaint(139001, user_title="Flow can't be updated", user_message="Clone it.")

    assert error_envelope(complaint, trace="t1") == {
        "error": {
            "message": "(#139001) Flow can't be updated",
            "type": "OAuthException",
            "code": 139001,
            "error_user_title": "Flow can't be updated",
            "error_user_msg": "Clone it.",
            "fbtrace_id": "t1",
        }
    }


def test_a_refusal_says_as_much_as_there_is_to_say():
    assert str(GraphRefusal(Complaint(100, "b", user_title="a", user_message="c"))) == "b"
    assert str(GraphRefusal(Complaint(100, user_title="a", user_message="c"))) == "c"
    assert str(GraphRefusal(Complaint(100, message="d"))) == "d"
    assert str(GraphRefusal(Complaint(132068))) == "Flow is blocked"


def test_http_status_is_the_usual_one_unless_said_otherwise():
    assert usual_status(130429) == 400
    assert usual_status(131000) == 500
    assert usual_status(987654) == 400
    assert GraphRefusal(Complaint(133004)).http_status == 503
    assert GraphRefusal(Complaint(133004), http_status=500).http_status == 500


def test_error_of_a_status():
    assert status_error(Complaint(131047)) == {
        "code": 131047,
        "title": "Re-engagement message",
        "message": "Re-engagement message",
        "error_data": {"details": "Re-engagement message"},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }
