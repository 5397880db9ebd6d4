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
