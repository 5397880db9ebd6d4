"""What Meta knows of access tokens, of numbers as such, and of who hears of an account's messages.

All of it is right from the start; programs make it wrong under `/sandbox/access` and
`/sandbox/numbers`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

APP_ID: Final = "670000000000001"
"""The app that all access tokens are of."""
APP_NAME: Final = "Sandbox"
MESSAGING: Final = "whatsapp_business_messaging"
MANAGEMENT: Final = "whatsapp_business_management"
CATALOG: Final = "catalog_management"
SCOPES: Final = (MANAGEMENT, MESSAGING, CATALOG, "business_management")
FIELDS: Final = (
    "messages", "flows", "smb_message_echoes", "message_template_status_update",
    "template_category_update", "account_update", "phone_number_quality_update",
)  # fmt: skip
"""Fields of WhatsApp accounts that an app can hear of, as far as anybody here asks for them."""


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token may do.

    Args:
        expires_at: unix seconds; 0 if it never does.
        data_access_expires_at: when it reads no data any more; 0 if it always does.
        accounts: the WhatsApp accounts it was given; None: those of its numbers.
    """

    scopes: tuple[str, ...] = SCOPES
    expires_at: int = 0
    data_access_expires_at: int = 0
    accounts: tuple[str, ...] | None = None

    def is_expired(self, now: datetime) -> bool:
        """Tell whether nobody may use it any more."""
        return 0 < self.expires_at <= now.timestamp()


@dataclass(frozen=True, slots=True)
class Profile:
    """What Meta tells of a number, apart from the number."""

    verified_name: str = "Sandbox"
    quality_rating: str = "GREEN"
    status: str = "CONNECTED"
    platform_type: str = "CLOUD_API"
    code_verification_status: str = "VERIFIED"
    name_status: str = "APPROVED"


@dataclass(slots=True)
class Accounts:
    """What is otherwise than it is from the start.

    Args:
        clock: tells the time.
        apps: by WhatsApp account, the apps that hear of its messages, each with the address that
            takes the place of its own, or nothing.
        fields: those of WhatsApp accounts that the app hears of.
        callback: where it hears of them; empty as long as it is where the numbers' webhooks go.
    """

    clock: Callable[[], datetime]
    access: dict[str, Access] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    apps: dict[str, dict[str, str]] = field(default_factory=dict)
    fields: tuple[str, ...] = FIELDS
    callback: str = ""

    def access_of(self, token: str) -> Access:
        """Return what an access token may do."""
        return self.access.get(token, Access())

    def is_expired(self, token: str) -> bool:
        """Tell whether nobody may use an access token any more."""
        return self.access_of(token).is_expired(self.clock())

    def profile_of(self, phone_number_id: str) -> Profile:
        """Return what is told of a number."""
        return self.profiles.get(phone_number_id, Profile())

    def apps_of(self, waba_id: str) -> Mapping[str, str]:
        """Return the apps that hear of an account's messages."""
        return self.apps.get(waba_id, {APP_ID: ""})
