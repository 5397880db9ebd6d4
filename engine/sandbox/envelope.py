"""Meta's errors: codes with HTTP status and title, and the envelope; no rule is decided here."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

JsonObject = dict[str, Any]

ERROR_PAGE = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

CODES: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        0: (401, "AuthException"),
        1: (400, "API Unknown"),
        2: (503, "API Service"),
        3: (500, "API Method"),
        4: (400, "API Too Many Calls"),
        10: (403, "Permission Denied"),
        15: (400, "The method must be called with an app access token"),
        33: (400, "Parameter value is not valid"),
        100: (400, "Invalid parameter"),
        190: (401, "Access token has expired"),
        200: (403, "Permissions error"),
        368: (403, "Temporarily blocked for policies violations"),
        2200: (400, "Callback verification failed"),
        2500: (400, "Unknown path components"),
        2635: (400, "You are calling a deprecated version of the API"),
        80007: (400, "Rate limit issues"),
        80009: (400, "There have been too many calls to this Catalog account"),
        80014: (400, "There have been too many calls for the batch uploads to this catalog"),
        130429: (400, "Rate limit hit"),
        130497: (403, "Business account is restricted from messaging users in this country"),
        131000: (500, "Something went wrong"),
        131005: (403, "Access denied"),
        131008: (400, "Required parameter is missing"),
        131009: (400, "Parameter value is not valid"),
        131016: (500, "Service unavailable"),
        131021: (400, "Recipient cannot be sender"),
        131026: (400, "Message undeliverable"),
        131031: (403, "Account has been locked"),
        131047: (400, "Re-engagement message"),
        131048: (400, "Spam rate limit hit"),
        131049: (400, "Meta chose not to deliver"),
        131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
        131057: (500, "Account in maintenance mode"),
        132000: (400, "Number of parameters does not match the expected number of params"),
        132001: (404, "Template does not exist"),
        132015: (400, "Template is paused"),
        132016: (400, "Template is disabled"),
        132068: (400, "Flow is blocked"),
        132069: (400, "Flow is throttled"),
        133004: (503, "Server temporarily unavailable"),
        139000: (400, "Blocked by Integrity"),
        139001: (400, "Flow can't be updated"),
        139002: (400, "Flow can't be published"),
        139003: (400, "Flow can't be deprecated"),
        139004: (400, "Flow can't be deleted"),
        139006: (400, "Metrics threshold is not reached"),
    }
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What Meta says against a request.

    Args:
        code: what an integration builds on.
        details: what is wrong; so do the routes for messages say it.
        message: instead of the code's title.
        user_title: in short what is wrong; so do the routes for Flows say it.
        user_message: what to do about it.
    """

    code: int
    details: str = ""
    message: str = ""
    subcode: int | None = None
    user_title: str = ""
    user_message: str = ""

    @property
    def reason(self) -> str:
        """Say as much as there is to say."""
        return self.details or self.user_message or self.message or title(self.code)


class GraphRefusal(Exception):
    """Meta does not take a request; the application answers it with the error envelope.

    Args:
        complaint: what Meta says.
        http_status: the status of the answer; the usual one of the code when absent.
        injected: a fault asked for it, the request itself was right.
        headers: of the answer.
    """

    def __init__(
        self,
        complaint: Complaint,
        *,
        http_status: int | None = None,
        injected: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(complaint.reason)
        self.complaint = complaint
        self.http_status = http_status or usual_status(complaint.code)
        self.injected = injected
        self.headers = headers


def invalid(reason: str) -> GraphRefusal:
    """Return the refusal of a wrong parameter as the routes for catalogues word it."""
    return GraphRefusal(Complaint(100, message=f"(#100) {reason}"))


def usual_status(code: int) -> int:
    """Return the HTTP status Meta answers with for a code."""
    return CODES.get(code, (400, ""))[0]


def title(code: int) -> str:
    """Return Meta's title of a code."""
    return CODES.get(code, (400, "Error"))[1]


def error_envelope(complaint: Complaint, *, trace: str) -> JsonObject:
    """Wrap a complaint as the body of a Graph API error."""
    missing_object = complaint.subcode == 33
    error: JsonObject = {
        "message": complaint.message or f"(#{complaint.code}) {title(complaint.code)}",
        "type": "GraphMethodException" if missing_object else "OAuthException",
        "code": complaint.code,
    }
    if complaint.subcode is not None:
        error["error_subcode"] = complaint.subcode
    if complaint.user_title:
        error["error_user_title"] = complaint.user_title
        error["error_user_msg"] = complaint.user_message
    if complaint.details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": complaint.details}
    return {"error": error | {"fbtrace_id": trace}}


def status_error(complaint: Complaint) -> JsonObject:
    """Word a complaint as an element of `statuses[].errors`."""
    return {
        "code": complaint.code,
        "title": title(complaint.code),
        "message": title(complaint.code),
        "error_data": {"details": complaint.details or title(complaint.code)},
        "href": ERROR_PAGE,
    }
