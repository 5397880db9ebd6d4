"""What keeps a tenant from being synced until a person mends it, in a sentence each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from engine.errors import GraphError
from engine.sync.catalogs import NoCatalog
from engine.sync.runs import Alert

_TOKEN: Final = "save a valid access token for the business"
_RIGHTS: Final = (
    "give the access token the permissions catalog_management and business_management, "
    "and its system user the catalogue"
)
HINTS: Final = {
    10: _RIGHTS,
    100: "look whether the catalogue of fbCatalogMapping still exists; remove the key to have "
    "it made again",
    102: _TOKEN,
    190: _TOKEN,
    200: _RIGHTS,
    294: _RIGHTS,
    368: "Meta has blocked the account for its policies: see Commerce Manager",
}


UNCONNECTED: Final = {
    **HINTS,
    100: "an account takes one catalogue: look in WhatsApp Manager which one is connected, "
    "disconnect it, or map it in fbCatalogMapping under '*'",
}
"""What to do when items are synced, and the catalogue cannot be connected to WhatsApp."""


def alert_of(
    error: GraphError, *, now: datetime, token: str, hints: Mapping[int, str] = HINTS
) -> Alert:
    """Make the alert for what Meta refused for good.

    Args:
        hints: what to do about it, by Meta's code.
    """
    said = f"{error} {error.details}".strip()
    # 200 to 299: permissions (Graph API error handling).
    hint = hints.get(200 if 200 <= error.code < 300 else error.code, "")
    reason = said if isinstance(error, NoCatalog) else f"Meta refuses it ({said})"
    sentence = f"{reason}{'; ' if hint else ''}{hint}"
    return Alert(error.code, sentence, now, token)
